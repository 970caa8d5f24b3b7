"""How fast training is, beside plain Keras, PyTorch and the bare step; and whether memory is flat.

    python -m benchmarks.training [--output FILE.csv] [--quick]

Each method runs in a process of its own; the processes take turns, round by round. Images are
random numbers for the paper's network, and rendered scenes for the small one.

- the paper's network at 220 pixels, batches of 32, softmax, momentum: warptag's compiled model,
  with float32 and bfloat16 on a batch in memory; plain `model.fit` without oneDNN; PyTorch,
  channels last, with float32 and bfloat16;
- the small network of `scenes`: whole training (input, metrics, validation, checkpoints) over the
  bare step on one batch; a step with WARP over one with softmax; memory after 200 and 2,000 steps.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import click
import numpy as np
import pandas as pd

from benchmarks.measuring import (
    in_process,
    load_average,
    measure_in_turns,
    output_option,
    ratio,
    resident_megabytes,
    seconds_of,
    show,
)

BATCH, SIZE, NUM_TAGS = 32, 220, 81
OURS, OURS_BFLOAT16 = "warptag", "warptag, bfloat16"
PLAIN, TORCH, TORCH_BFLOAT16 = "plain model.fit", "PyTorch", "PyTorch, bfloat16"
#: Makes so many training steps.
Steps = Callable[[int], object]


def random_batch(size: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (BATCH, size, size, 3), np.uint8)
    labels = np.zeros((BATCH, NUM_TAGS), np.float32)
    for row in labels:
        row[rng.choice(NUM_TAGS, 2, replace=False)] = 1
    return images, labels


def rate_of(steps: Steps, num_steps: int) -> float:
    """Images per second, after a first call."""
    steps(num_steps)
    return num_steps * BATCH / seconds_of(partial(steps, num_steps))


def bare_steps(settings, network: dict, size: int) -> Steps:
    """Forward pass, loss, gradient and update of the compiled model on one batch in memory,
    without Keras's loop, metrics and callbacks."""
    import tensorflow as tf

    from warptag.models import AlexNet
    from warptag.training.compile import compiled

    _, model, _ = compiled(
        lambda: AlexNet(NUM_TAGS, (size, size, 3), **network), settings, steps_per_epoch=1000, k=3
    )
    images, labels = map(tf.constant, random_batch(size))

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = model.compute_loss(y=labels, y_pred=model(images, training=True))
        variables = model.trainable_variables
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        model.optimizer.apply(gradients, variables)
        return loss

    def make_steps(num_steps: int) -> None:
        for _ in range(num_steps):
            float(step())

    return make_steps


def warptag_steps(**settings: Any) -> Steps:
    from warptag.training import TrainingSettings

    return bare_steps(TrainingSettings(schedule="constant", **settings), {}, SIZE)


def plain_steps() -> Steps:
    import keras
    import tensorflow as tf

    from warptag.losses import MultilabelSoftmax
    from warptag.models import AlexNet

    model = AlexNet(NUM_TAGS)
    model.compile(keras.optimizers.SGD(0.002, momentum=0.9), MultilabelSoftmax(), jit_compile=False)
    batches = tf.data.Dataset.from_tensors(tuple(map(tf.constant, random_batch(SIZE)))).repeat()
    return lambda steps: model.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)


def pytorch_steps(bfloat16: bool) -> Steps:
    import torch
    from torch import nn

    from benchmarks.pytorch_network import pytorch_network

    torch.set_num_threads(os.cpu_count() or 1)
    net = pytorch_network(NUM_TAGS)
    images, labels = map(torch.from_numpy, random_batch(SIZE))
    images = images.permute(0, 3, 1, 2)
    net(images[:1].float())
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(net.parameters(), lr=0.002, momentum=0.9)
    loss_of, targets = nn.CrossEntropyLoss(), labels / labels.sum(1, keepdim=True)

    def make_steps(num_steps: int) -> None:
        for _ in range(num_steps):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                scores = net(images.float() / 127.5 - 1)
            loss = loss_of(scores.float(), targets)
            loss.backward()
            optimizer.step()
            loss.item()

    return make_steps


LARGE: dict[str, Callable[[], Steps]] = {
    OURS: warptag_steps,
    OURS_BFLOAT16: partial(warptag_steps, precision="bfloat16"),
    PLAIN: plain_steps,
    TORCH: partial(pytorch_steps, False),
    TORCH_BFLOAT16: partial(pytorch_steps, True),
}


def large(method: str, num_steps: int) -> float:
    """Images per second of the paper's network."""
    return rate_of(LARGE[method](), num_steps)


def scenes_steps(loss: str) -> Steps:
    """The bare steps of the small network."""
    from warptag.experiments import EXPERIMENTS
    from warptag.pipeline.networks import settings_of

    networks: Any = EXPERIMENTS["scenes"].networks
    return bare_steps(settings_of(networks, loss), networks.architecture, networks.crop_size)


def scenes_training(folder: str) -> tuple[Callable[[int], object], int]:
    """A function that trains the small network with WARP for so many epochs, and the number of
    images per epoch."""
    from warptag.experiments import EXPERIMENTS
    from warptag.pipeline.data import convert_photographs
    from warptag.pipeline.networks import Networks, settings_of

    scenes: Any = EXPERIMENTS["scenes"]
    data = Path(folder) / "data"
    convert_photographs(scenes.data, scenes.data.settings, None, data)
    networks = Networks(scenes.name, scenes.networks, data)
    settings = settings_of(scenes.networks, "warp")

    def train(num_epochs: int) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as run:
            networks.train("training", replace(settings, epochs=num_epochs), Path(run))

    return train, len(networks.records) // BATCH * BATCH


def whole_training(num_epochs: int, folder: str) -> dict[str, float]:
    """Images per second of the bare step, before and after, and of epochs of whole training."""
    train, num_images = scenes_training(folder)
    bare = scenes_steps("warp")
    before = rate_of(bare, 300)
    # The first epoch is left out, since it traces the graphs.
    first = seconds_of(partial(train, 1))
    seconds = seconds_of(partial(train, 1 + num_epochs)) - first
    after = rate_of(bare, 300)
    return {"bare": (before + after) / 2, "whole": num_epochs * num_images / seconds}


def losses(rounds: int) -> pd.DataFrame:
    """Images per second of the bare small step with softmax and WARP, in turns."""
    steps = {loss: scenes_steps(loss) for loss in ("softmax", "warp")}
    return measure_in_turns(steps, rounds, partial(rate_of, num_steps=100))


def memory(folder: str) -> dict[int, float]:
    """Resident megabytes of a run of `scenes` after 200 and after 2,000 steps."""
    from warptag.training.progress import Progress

    found: dict[int, float] = {}
    show_progress, steps = Progress.on_train_batch_end, itertools.count(1)

    def show_and_measure(self, batch, logs=None):
        show_progress(self, batch, logs)
        step = next(steps)
        if step in (200, 2000):
            found[step] = resident_megabytes()

    train, _ = scenes_training(folder)
    with mock.patch.object(Progress, "on_train_batch_end", show_and_measure):
        train(13)
    return found


@click.command()
@output_option
@click.option("--quick", is_flag=True, help="One short round of each; to try it.")
def main(output: Path | None, quick: bool) -> None:
    """Rates and memory of training."""
    load_average()
    rounds, num_steps, num_epochs, rounds_of_losses = (1, 2, 1, 2) if quick else (3, 6, 4, 9)
    run = partial(in_process, TF_ENABLE_ONEDNN_OPTS="1")

    def rate(method: str) -> float:
        onednn = "0" if method == PLAIN else "1"
        return in_process(large, method, num_steps, TF_ENABLE_ONEDNN_OPTS=onednn)

    rates = measure_in_turns({method: method for method in LARGE}, rounds, rate)
    rows = [
        (f"{method}, images/s", rates[method].median(), other, ratio(rates, method, other))
        for method in LARGE
        for other in (PLAIN, TORCH)
    ]
    with tempfile.TemporaryDirectory() as folder:
        found = run(whole_training, num_epochs, folder)
        bare, whole = found["bare"], found["whole"]
        rows.append(("scenes, bare step, images/s", bare, "itself", 1.0))
        rows.append(("scenes, whole, images/s", whole, "bare step", whole / bare))
        rates = run(losses, rounds_of_losses)
        warp, over = rates["warp"].median(), ratio(rates, "softmax", "warp")
        rows.append(("scenes, WARP's step, images/s", warp, "softmax's time", over))
        if not quick:
            found = run(memory, folder)
            after = found[2000]
            rows.append(("scenes, MB after 2,000 steps", after, "after 200", after / found[200]))
    table = pd.DataFrame(rows, columns=["what", "value", "over", "ratio"])
    show(table.round({"value": 1, "ratio": 3}), output)


if __name__ == "__main__":
    main()
