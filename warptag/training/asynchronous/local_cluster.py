"""A cluster of processes on this machine."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable

from warptag.training.asynchronous.cluster import ClusterTask, answers

#: Below the ports that systems give to outgoing connections. One of those can connect to itself:
#: a client that retries would then take the port of a server that restarts.
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

    This process is to be the chief. A worker that stops is started again on its port. A parameter
    server is not: its weights are lost. The children end with this process, however it ends.

    Args:
        num_workers: number of processes that compute gradients, at least 1.
        num_parameter_servers: number of processes that hold variables, at least 1.
        logging: function to call with one line of text for each child that stopped.

    Attributes:
        task: this process, the chief.
        processes: children by name, such as "worker 0".
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
            # It has nothing to save.
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
                        line += f"; it runs again as process {self.processes[task.name].pid}"
                    self.logging(line)


def _start(task: ClusterTask) -> subprocess.Popen:
    # The workers share the cores; each with threads for all of them would thrash.
    num_threads = max(1, (os.cpu_count() or 1) // len(task.cluster["worker"]))
    settings = {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_NUM_INTRAOP_THREADS": str(num_threads)}
    return subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(os.getpid())],
        env=settings | os.environ | {"TF_CONFIG": task.to_json()},
        # Ctrl-C is for this process alone.
        start_new_session=True,
    )
