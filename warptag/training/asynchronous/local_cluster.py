"""A cluster of processes on one machine."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable

from warptag.training.asynchronous.cluster import ClusterTask, answers

#: Below the range that systems use for outgoing connections: a client that retries could be given
#: the port of a server that is being restarted, and connect to itself.
_PORTS = range(10_000, 32_000)
_SERVE = """
from tfrecords_tools.quiet import import_tensorflow
import_tensorflow()
import sys
from warptag.training.asynchronous import serve, this_task
serve(this_task(), parent=int(sys.argv[1]))
"""


class LocalCluster:
    """Starts workers and parameter servers as child processes, and ends them on exit.

    This process becomes the chief. A worker that stops is restarted on its port. A parameter
    server is not, since its weights are lost. The children end with this process, however it ends.

    Args:
        num_workers: the number of workers, at least 1.
        num_parameter_servers: the number of parameter servers, at least 1.
        logging: a function that is called with one line of text for each child that stops.

    Attributes:
        task: the task of this process, a chief.
        processes: the children by name, such as "worker 0".
    """

    def __init__(self, num_workers: int, num_parameter_servers: int, logging: Callable = print):
        candidates = (f"127.0.0.1:{port}" for port in random.sample(_PORTS, len(_PORTS)))
        free = (address for address in candidates if not answers(address))
        counts = {"chief": 1, "worker": num_workers, "ps": num_parameter_servers}
        cluster = {type: [next(free) for _ in range(count)] for type, count in counts.items()}
        self.task = ClusterTask(cluster, "chief", 0)
        self.logging = logging
        self._exited = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)

    def __enter__(self) -> LocalCluster:
        self.processes = {task.name: _start(task) for task in self.task.servers}
        self._supervisor.start()
        return self

    def __exit__(self, *exception) -> None:
        self._exited.set()
        self._supervisor.join()
        for process in self.processes.values():
            # There is nothing to save.
            process.kill()
            process.wait()

    def _supervise(self) -> None:
        while not self._exited.wait(0.2):
            for task in self.task.servers:
                process = self.processes[task.name]
                if process.returncode is None and process.poll() is not None:
                    line = f"{task.name} stopped with status {process.returncode}"
                    if task.type == "worker":
                        self.processes[task.name] = _start(task)
                        line += f"; restarted as process {self.processes[task.name].pid}"
                    self.logging(line)


def _start(task: ClusterTask) -> subprocess.Popen:
    # The workers share the cores. More threads than cores would slow them down.
    num_threads = max(1, (os.cpu_count() or 1) // len(task.cluster["worker"]))
    settings = {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_NUM_INTRAOP_THREADS": str(num_threads)}
    return subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(os.getpid())],
        env=settings | os.environ | {"TF_CONFIG": task.to_json()},
        # So that Ctrl+C reaches the chief only.
        start_new_session=True,
    )
