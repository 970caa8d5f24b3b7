"""Training steps of the paper's network as a plain PyTorch loop."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from benchmarks.gpu.cases import (
    COMPILED_TORCH_STEP,
    NUM_TAGS,
    PRECISIONS,
    TORCH_STEP,
    Speed,
)
from benchmarks.gpu.timing import Calls, rows_of, seconds_per_call
from benchmarks.pytorch_network import pytorch_network


def measure(speed: Speed) -> Iterator[dict[str, Any]]:
    """Yields one row per precision and batch, without and then with `torch.compile`."""
    if torch.cuda.is_available():
        # TF32, as XLA uses by default, and PyTorch itself in convolutions.
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True
    for what, compiled in ((TORCH_STEP, False), (COMPILED_TORCH_STEP, True)):
        for precision in PRECISIONS:
            for batch in speed.batches:
                prepare = functools.partial(steps, speed, batch, precision, compiled)
                taken, failures = seconds_per_call(
                    {what: prepare}, speed.rounds, speed.step_seconds
                )
                fields = {"stage": "step", "precision": precision, "batch": batch}
                yield from rows_of(taken, failures, **fields)


def steps(speed: Speed, batch: int, precision: str, compiled: bool) -> Calls:
    """A function that trains on one batch in memory: softmax, momentum, channels last."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    shape = (batch, 3, speed.crop_size, speed.crop_size)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, device=device)
    images = images.to(memory_format=torch.channels_last)
    targets = torch.zeros(batch, NUM_TAGS, device=device)
    targets[:, [3, 40]] = 0.5
    net = pytorch_network(NUM_TAGS, **speed.architecture).to(device)
    net(images[:1].float())
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9)
    # Otherwise the second batch size would be compiled for any size.
    torch.compiler.reset()
    forward = torch.compile(net, dynamic=False) if compiled else net
    loss_of = nn.CrossEntropyLoss()

    def calls(num_calls: int) -> None:
        for _ in range(num_calls):
            optimizer.zero_grad()
            with torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16"):
                scores = forward(images.float() / 127.5 - 1)
            loss_of(scores.float(), targets).backward()
            optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()

    return calls
