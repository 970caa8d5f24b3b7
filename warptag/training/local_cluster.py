"""A cluster of processes on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from warptag.training.cluster import ClusterTask, free_ports
from warptag.training.server import END_WITH_PARENT

#: A worker that ends this often in a row soon after its start is not started again.
MAX_FAILED_STARTS = 3
_SOON = 30.0


@dataclass
class ServerProcess:
    """A worker or parameter server, and the process that it is now.

    Attributes:
        task: what it is in the cluster.
        process: the latest process.
        messages: the standard error of that process.
        started: when that was, by `time.monotonic`.
        num_failed_starts: how many processes in a row ended soon.
    """

    task: ClusterTask
    process: subprocess.Popen
    messages: IO[bytes]
    started: float
    num_failed_starts: int = 0

    @property
    def name(self) -> str:
        return self.task.name

    @property
    def pid(self) -> int:
        return self.process.pid


class LocalCluster:
    """Starts workers and parameter servers as child processes, and ends them on exit.

    This process is to be the chief. A worker that ends is started again on its port. A parameter
    server is not: its variables are gone. The children end with this process, however it ends.

    Args:
        num_workers: processes that compute gradients, at least 1.
        num_parameter_servers: processes that hold variables, at least 1.
        say: is told, a line at a time, of children that ended.

    Attributes:
        task: this process, the chief, for `Asynchronous`.
        processes: the children, by name and process id.

    Raises:
        InputError: there are no free ports.

    Example:
        with LocalCluster(num_workers=4, num_parameter_servers=2) as cluster:
            engine = Asynchronous(cluster.task)
    """

    def __init__(
        self,
        num_workers: int,
        num_parameter_servers: int,
        say: Callable[[str], None] = print,
    ):
        if num_workers < 1 or num_parameter_servers < 1:
            raise ValueError(
                "a cluster needs at least one worker and one parameter server, got "
                f"{num_workers} and {num_parameter_servers}"
            )
        addresses = [
            f"127.0.0.1:{port}" for port in free_ports(1 + num_workers + num_parameter_servers)
        ]
        self.task = ClusterTask(
            {
                "chief": addresses[:1],
                "worker": addresses[1 : 1 + num_workers],
                "ps": addresses[1 + num_workers :],
            },
            "chief",
            0,
        )
        self.say = say
        self.processes: list[ServerProcess] = []
        self._stop = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)

    def __enter__(self) -> LocalCluster:
        try:
            for type in ("ps", "worker"):
                for index in range(len(self.task.cluster[type])):
                    task = ClusterTask(self.task.cluster, type, index)
                    process, messages = _start(task)
                    self.processes.append(ServerProcess(task, process, messages, time.monotonic()))
        except BaseException:
            self._end_all()
            raise
        self._supervisor.start()
        return self

    def __exit__(self, *exception) -> None:
        self._stop.set()
        self._supervisor.join()
        self._end_all()

    def _supervise(self) -> None:
        while not self._stop.wait(0.2):
            for server in self.processes:
                if server.process.returncode is None and server.process.poll() is not None:
                    self._ended(server)

    def _ended(self, server: ServerProcess) -> None:
        ended = f"{server.name} (process {server.pid}) {_how(server)}"
        _close(server)
        if server.task.type == "ps":
            self.say(f"{ended}; the weights it held are lost")
            return
        soon = time.monotonic() - server.started < _SOON
        server.num_failed_starts = server.num_failed_starts + 1 if soon else 0
        if server.num_failed_starts == MAX_FAILED_STARTS:
            self.say(f"{ended}, {MAX_FAILED_STARTS} times soon after its start; not started again")
            return
        server.process, server.messages = _start(server.task)
        server.started = time.monotonic()
        self.say(f"{ended}; started again as process {server.pid}")

    def _end_all(self) -> None:
        # They have nothing to save.
        for server in self.processes:
            server.process.kill()
        for server in self.processes:
            server.process.wait()
            _close(server)


def _start(task: ClusterTask) -> tuple[subprocess.Popen, IO[bytes]]:
    """A process for the task, and its standard error."""
    # The workers share the cores; each with threads for all of them would thrash.
    num_threads = max(1, (os.cpu_count() or 1) // len(task.cluster["worker"]))
    environment = {
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "TF_NUM_INTRAOP_THREADS": str(num_threads),
        **os.environ,
        "TF_CONFIG": task.to_json(),
    }
    messages = tempfile.TemporaryFile()  # noqa: SIM115 (closed by _close)
    process = subprocess.Popen(
        [sys.executable, "-m", "warptag.training.server", END_WITH_PARENT],
        env=environment,
        # Never written to: it ends when this process does.
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        # TensorFlow has much to say there while it is imported.
        stderr=messages,
        # Ctrl-C is for this process alone.
        start_new_session=True,
    )
    return process, messages


def _close(server: ServerProcess) -> None:
    """Close the files of a process that has ended."""
    if server.process.stdin is not None:
        server.process.stdin.close()
    server.messages.close()


def _how(server: ServerProcess) -> str:
    """How the latest process ended, with the last line of its messages if it gave up itself."""
    status = server.process.returncode
    if status < 0:
        return f"was stopped by signal {-status} ({signal.strsignal(-status)})"
    server.messages.seek(0)
    lines = server.messages.read().decode(errors="replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "no message")
    return f"stopped with exit status {status} ({last.strip()[:300]})"
