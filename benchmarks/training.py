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
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pandas as pd

from benchmarks.pipeline import resident_megabytes
from tfrecords_tools.files import write_bytes

BATCH, SIZE, NUM_TAGS = 32, 220, 81
OURS, OURS_BFLOAT16 = "warptag", "warptag, bfloat16"
PLAIN, TORCH, TORCH_BFLOAT16 = "plain model.fit", "PyTorch", "PyTorch, bfloat16"
LARGE = (OURS, OURS_BFLOAT16, PLAIN, TORCH, TORCH_BFLOAT16)


def random_batch(size: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (BATCH, size, size, 3), np.uint8)
    labels = np.zeros((BATCH, NUM_TAGS), np.float32)
    for row in labels:
        row[rng.choice(NUM_TAGS, 2, replace=False)] = 1
    return images, labels


def rate_of(make_steps, num_steps: int) -> float:
    """Images a second of a function that makes so many steps, after a first call."""
    make_steps(num_steps)
    started = time.perf_counter()
    make_steps(num_steps)
    return num_steps * BATCH / (time.perf_counter() - started)


def bare_steps(settings, network: dict, size: int):
    """Makes forward pass, loss, gradient and update of the compiled model on one batch in memory,
    without Keras's loop, metrics and callbacks."""
    import tensorflow as tf

    from warptag.models import AlexNet
    from warptag.training.train import compiled

    network, model = compiled(
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


def large(method: str, num_steps: int) -> float:
    """Images a second of the paper's network."""
    if method.startswith("PyTorch"):
        return rate_of(pytorch_steps(method == TORCH_BFLOAT16), num_steps)
    from warptag.training import TrainingSettings

    settings = TrainingSettings(schedule="constant")
    if method == PLAIN:
        return rate_of(plain_steps(), num_steps)
    if method == OURS_BFLOAT16:
        settings = replace(settings, precision="bfloat16")
    return rate_of(bare_steps(settings, {}, SIZE), num_steps)


def plain_steps():
    import keras
    import tensorflow as tf

    from warptag.losses import MultilabelSoftmax
    from warptag.models import AlexNet

    model = AlexNet(NUM_TAGS)
    model.compile(keras.optimizers.SGD(0.002, momentum=0.9), MultilabelSoftmax(), jit_compile=False)
    batches = tf.data.Dataset.from_tensors(tuple(map(tf.constant, random_batch(SIZE)))).repeat()
    return lambda steps: model.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)


def pytorch_steps(bfloat16: bool):
    import torch
    from torch import nn

    from warptag.models.alexnet import FILTERS, KERNEL_SIZES, POOLED

    torch.set_num_threads(os.cpu_count() or 1)
    layers: list[nn.Module] = []
    channels = 3
    for i, (filters, kernel, pooled) in enumerate(zip(FILTERS, KERNEL_SIZES, POOLED, strict=True)):
        stride = 4 if i == 0 else 1
        layers += [nn.Conv2d(channels, filters, kernel, stride, kernel // 2), nn.ReLU()]
        layers += [nn.MaxPool2d(3, 2, 1)] if pooled else []
        channels = filters
    layers.append(nn.Flatten())
    for _ in range(2):
        layers += [nn.LazyLinear(4096), nn.ReLU(), nn.Dropout(0.6)]
    net = nn.Sequential(*layers, nn.LazyLinear(NUM_TAGS))
    images, labels = map(torch.from_numpy, random_batch(SIZE))
    images = images.permute(0, 3, 1, 2)
    net(images[:1].float())
    net = net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.002, momentum=0.9)
    targets = labels / labels.sum(1, keepdim=True)

    def make_steps(num_steps: int) -> None:
        for _ in range(num_steps):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                scores = net(images.float() / 127.5 - 1)
            loss = -(torch.log_softmax(scores.float(), 1) * targets).sum(1).mean()
            loss.backward()
            optimizer.step()
            loss.item()

    return make_steps


def scenes_settings(loss: str):
    from warptag.experiments import load_experiment

    experiment = load_experiment("scenes")
    return experiment, experiment.settings_for(loss, 0, experiment.chosen[loss])


def small(num_epochs: int, folder: str) -> dict[str, float]:
    """Images a second of `scenes`: the bare step before and after, and epochs of whole training."""
    from warptag.experiments.data import convert_data
    from warptag.experiments.networks import Networks

    experiment, settings = scenes_settings("warp")
    data = Path(folder) / "data"
    convert_data(experiment, experiment.source_settings, None, data, print)
    bare = bare_steps(settings, experiment.network, experiment.crop_size)
    networks = Networks(experiment, data)
    rates = [rate_of(bare, 300)]
    seconds = {}
    for epochs in (1, 1 + num_epochs):
        started = time.perf_counter()
        run = Path(folder) / f"run-{epochs}"
        networks.train("training", replace(settings, epochs=epochs), run)
        seconds[epochs] = time.perf_counter() - started
    rates.append(rate_of(bare, 300))
    num_images = num_epochs * (len(networks.records) // BATCH) * BATCH
    whole = num_images / (seconds[1 + num_epochs] - seconds[1])
    return {"bare": statistics.mean(rates), "whole": whole}


def losses(rounds: int) -> dict[str, float]:
    """Images a second of the bare small step with softmax and WARP, in turns."""
    steps = {}
    for loss in ("softmax", "warp"):
        experiment, settings = scenes_settings(loss)
        steps[loss] = bare_steps(settings, experiment.network, experiment.crop_size)
    rates: dict[str, list[float]] = {"softmax": [], "warp": []}
    for _ in range(rounds):
        for loss, make_steps in steps.items():
            rates[loss].append(rate_of(make_steps, 100))
    ratio = statistics.median(
        softmax / warp for softmax, warp in zip(rates["softmax"], rates["warp"], strict=True)
    )
    return {**{loss: statistics.median(values) for loss, values in rates.items()}, "ratio": ratio}


def memory(folder: str) -> dict[str, float]:
    """Resident megabytes of a run of `scenes` after 200 and after 2,000 steps."""
    from warptag.experiments.networks import Networks
    from warptag.training.progress import Progress

    experiment, settings = scenes_settings("warp")
    networks = Networks(experiment, Path(folder) / "data")
    found: dict[str, float] = {}
    show, steps = Progress.on_train_batch_end, itertools.count(1)

    def show_and_look(self, batch, logs=None):
        show(self, batch, logs)
        step = next(steps)
        if step in (200, 2000):
            found[str(step)] = resident_megabytes()

    Progress.on_train_batch_end = show_and_look  # type: ignore[method-assign]
    networks.train("memory", replace(settings, epochs=13), Path(folder) / "memory")
    return found


def in_a_process(call: str, onednn: bool = True):
    """What a call of a function of this file returns, in a process of its own."""
    code = f"import json, os; from benchmarks.training import *; print(json.dumps({call}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[1],
        env={
            **os.environ,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "TF_ENABLE_ONEDNN_OPTS": "1" if onednn else "0",
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@click.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="The table as CSV.")
@click.option("--quick", is_flag=True, help="One short round of each; to try it.")
def main(output: Path | None, quick: bool) -> None:
    """Rates and memory of training."""
    load = os.getloadavg()[0]
    if load > 0.3:
        click.echo(f"the machine is busy (load average {load:.1f}): rates will be wrong", err=True)
    rounds, num_steps = (1, 2) if quick else (3, 6)
    rates: dict[str, list[float]] = {method: [] for method in LARGE}
    for _ in range(rounds):
        for method in LARGE:
            call = f"large({method!r}, {num_steps})"
            rates[method].append(in_a_process(call, onednn=method != PLAIN))
    rows = []

    def row(what: str, value: float, over: str, ratio: float) -> None:
        rows.append(
            {"what": what, "value": round(value, 1), "over": over, "ratio": round(ratio, 3)}
        )

    for method, values in rates.items():
        for other in (PLAIN, TORCH):
            ratio = statistics.median(a / b for a, b in zip(values, rates[other], strict=True))
            row(f"{method}, images/s", statistics.median(values), other, ratio)
    with tempfile.TemporaryDirectory() as folder:
        found = in_a_process(f"small({1 if quick else 4}, {folder!r})")
        row("scenes, bare step, images/s", found["bare"], "itself", 1.0)
        row("scenes, whole, images/s", found["whole"], "bare step", found["whole"] / found["bare"])
        found = in_a_process(f"losses({2 if quick else 9})")
        row("scenes, WARP's step, images/s", found["warp"], "softmax's time", found["ratio"])
        if not quick:
            found = in_a_process(f"memory({folder!r})")
            ratio = found["2000"] / found["200"]
            row("scenes, MB after 2,000 steps", found["2000"], "after 200", ratio)
    table = pd.DataFrame(rows)
    click.echo(table.to_string(index=False))
    if output is not None:
        write_bytes(output, table.to_csv(index=False).encode())


if __name__ == "__main__":
    main()
