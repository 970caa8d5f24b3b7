"""A measuring process for each backend, whose rows arrive as they are measured."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any
from unittest import mock

import click

#: Keras backend -> its name in messages.
BACKENDS = {"jax": "JAX", "torch": "PyTorch"}
PACKAGES = {"jax": ("jax", "jaxlib", "keras", "numpy"), "torch": ("torch", "keras", "numpy")}
MAX_SECONDS_TO_EXIT = 10


def measured(
    backend: str, modules: tuple[str, ...], sizes: Any, end: float
) -> Iterator[dict[str, Any]]:
    """Gives the rows of measuring modules, from a process of its own that ends with them.

    Keras's backend is fixed when Keras is imported, so the modules are imported there alone. Their
    function `measure` takes the sizes and yields rows.

    Args:
        backend: the Keras backend.
        modules: the names of the modules in `benchmarks.gpu`.
        sizes: the argument of `measure`.
        end: the time of `time.monotonic` at which the process is stopped.

    Raises:
        click.ClickException: the process failed, or was stopped before it was done.
    """
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, backend, modules, sizes), daemon=True)
    with mock.patch.dict(os.environ, {"KERAS_BACKEND": backend}):
        process.start()
    sender.close()
    name = BACKENDS[backend]
    try:
        while receiver.poll(max(0.0, end - time.monotonic())):
            yield receiver.recv()
        raise click.ClickException(f"{name}: the time is over, so the rest was not measured")
    except EOFError:
        process.join(MAX_SECONDS_TO_EXIT)
    finally:
        process.terminate()
        process.join()
    if process.exitcode:
        raise click.ClickException(f"{name}: the process ended with status {process.exitcode}")


def _send(sender: Connection, backend: str, modules: tuple[str, ...], sizes: Any) -> None:
    where = machine(backend)
    if where["platform"] == "cpu" and not sizes.small:
        sys.exit(f"{BACKENDS[backend]} finds no GPU; --small tries the benchmark on a CPU")
    for module in modules:
        for row in import_module(f"benchmarks.gpu.{module}").measure(sizes):
            sender.send({"backend": backend, **row, **where})


def machine(backend: str) -> dict[str, str]:
    """The platform and the device that a backend computes on, and the versions of its packages."""
    from warptag.provenance import versions

    if backend == "jax":
        import jax

        device = jax.devices()[0]
        platform, name = device.platform, device.device_kind
    else:
        import torch

        platform = "gpu" if torch.cuda.is_available() else "cpu"
        name = torch.cuda.get_device_name() if platform == "gpu" else platform
    packages = versions(*PACKAGES[backend])
    return {
        "platform": platform,
        "device": name,
        "versions": ", ".join(f"{package} {release}" for package, release in packages.items()),
    }
