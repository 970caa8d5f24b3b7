"""The tasks of a cluster, as TF_CONFIG describes them, and the server of a task."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from dataclasses import dataclass

import tensorflow as tf

from tfrecords_tools.errors import InputError

_NAMES = {"chief": "chief", "worker": "worker", "ps": "parameter server"}
_EXAMPLE = (
    '{"cluster": {"chief": ["host0:2222"], "worker": ["host1:2222"], "ps": ["host2:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


@dataclass(frozen=True)
class ClusterTask:
    """The task of one process in a cluster.

    Attributes:
        cluster: the addresses "host:port" of each task type, "chief", "worker" and "ps".
        type: the task type of this process.
        index: the index of this process among those of its type.
    """

    cluster: dict[str, list[str]]
    type: str
    index: int

    @property
    def name(self) -> str:
        return f"{_NAMES[self.type]} {self.index}"

    @property
    def address(self) -> str:
        return self.cluster[self.type][self.index]

    @property
    def servers(self) -> list[ClusterTask]:
        """The workers and parameter servers of the cluster."""
        counts = {type: len(self.cluster[type]) for type in ("worker", "ps")}
        return [ClusterTask(self.cluster, type, i) for type in counts for i in range(counts[type])]

    def to_json(self) -> str:
        """The value of TF_CONFIG for this task."""
        task = {"type": self.type, "index": self.index}
        return json.dumps({"cluster": self.cluster, "task": task})


def this_task() -> ClusterTask | None:
    """The task of this process in the environment variable TF_CONFIG; None if it is not set.

    Raises:
        InputError: TF_CONFIG does not describe a task of a cluster for asynchronous training.
    """
    if not (text := os.environ.get("TF_CONFIG")):
        return None
    try:
        config = json.loads(text)
        cluster = {type: config["cluster"][type] for type in _NAMES}
        task = ClusterTask(cluster, config["task"]["type"], config["task"]["index"])
        tf.train.ClusterSpec(cluster).task_address(task.type, task.index)
        if len(cluster["chief"]) != 1 or not cluster["worker"] or not cluster["ps"]:
            raise ValueError("a task type has no address, or there is more than one chief")
        for address in [*cluster["chief"], *cluster["worker"], *cluster["ps"]]:
            if not re.fullmatch(r".+:\d{1,5}", address):
                raise ValueError(f'{address!r} is not "host:port"')
    except (KeyError, TypeError, ValueError) as error:
        problem = f"has no {error}" if isinstance(error, KeyError) else f"is wrong ({error})"
        raise InputError(
            f"the environment variable TF_CONFIG {problem}; training on several machines is "
            f"asynchronous and needs a chief, workers and parameter servers, as in {_EXAMPLE}"
        ) from None
    return task


def answers(address: str) -> bool:
    """Whether a process accepts connections at an address "host:port"."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=2).close()
    except (OSError, OverflowError):
        return False
    return True


def require_free_port(task: ClusterTask) -> None:
    """Raises InputError if another process answers at the address of a task."""
    if answers(task.address):
        raise InputError(
            f"{task.name} cannot listen at {task.address}, which another process uses; end that "
            "process, or change the port in the TF_CONFIG of every task"
        )


def serve(task: ClusterTask, parent: int | None = None) -> None:
    """Runs the server of a worker or parameter server until the process is ended.

    Args:
        task: the task of this process, a worker or parameter server.
        parent: the process id of the parent; the server stops when the parent ends. None to run
            forever.

    Raises:
        InputError: the port is used by another process, or cannot be used.
    """
    require_free_port(task)
    # A step keeps a thread while it waits for another machine. With fewer threads, steps could
    # wait for each other forever.
    num_threads = max(os.cpu_count() or 1, len(task.cluster["worker"]) + 1)
    config = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=num_threads)
    try:
        server = tf.distribute.Server(task.cluster, task.type, task.index, config=config)
    except tf.errors.OpError as error:
        raise InputError(
            f"{task.name} cannot serve at {task.address} ({error.message.splitlines()[0]})"
        ) from error
    if parent is None:
        server.join()
    while os.getppid() == parent:
        time.sleep(1)
