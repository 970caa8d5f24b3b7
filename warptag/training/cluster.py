"""The processes of a cluster, as TF_CONFIG describes them, and whether they are there."""

from __future__ import annotations

import errno
import json
import os
import random
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tfrecords_tools.errors import InputError

#: What each type of task is called in messages.
TASK_TYPES = {"chief": "chief", "worker": "worker", "ps": "parameter server"}
_EXAMPLE = (
    '{"cluster": {"chief": ["host0:2222"], "worker": ["host1:2222"], "ps": ["host2:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
#: Below the ports that systems give to outgoing connections. One of those can connect to itself:
#: a client that tries again and again would then take the port of a server that restarts.
_PORTS = range(10_000, 32_000)


@dataclass(frozen=True)
class ClusterTask:
    """One process of a cluster.

    Attributes:
        cluster: addresses "host:port" of each task type: "chief", "worker", "ps".
        type: of this process.
        index: of this process among those of its type.
    """

    cluster: dict[str, list[str]]
    type: str
    index: int

    @property
    def name(self) -> str:
        return f"{TASK_TYPES[self.type]} {self.index}"

    @property
    def address(self) -> str:
        return self.cluster[self.type][self.index]

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def serves(self) -> bool:
        """Whether the process does what the chief of a cluster with parameter servers asks for."""
        return "ps" in self.cluster and self.type != "chief"

    @property
    def servers(self) -> dict[str, str]:
        """Addresses of the workers and parameter servers by their names, such as "worker 0"."""
        return {
            f"{TASK_TYPES[type]} {index}": address
            for type in ("worker", "ps")
            for index, address in enumerate(self.cluster.get(type, []))
        }

    def to_json(self) -> str:
        """The text of TF_CONFIG."""
        task = {"type": self.type, "index": self.index}
        return json.dumps({"cluster": self.cluster, "task": task})


def this_task() -> ClusterTask | None:
    """The task that the environment variable TF_CONFIG gives this process; None without it.

    Raises:
        InputError: TF_CONFIG is set and describes no cluster or no task of it.
    """
    text = os.environ.get("TF_CONFIG", "")
    return parse_task(text) if text.strip() else None


def parse_task(text: str) -> ClusterTask:
    """Read the text of TF_CONFIG.

    Args:
        text: JSON with the addresses of all tasks and which of them this process is. A cluster
            with "ps" has one chief and at least one worker; without, any number of workers.

    Raises:
        InputError: what is wrong with it.

    Example:
        >>> text = '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}'
        >>> parse_task(text).address
        'b:1'
    """
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise _wrong(f"is not JSON ({error})") from None
    if not isinstance(config, dict):
        raise _wrong("is not a JSON object")
    cluster, task = config.get("cluster"), config.get("task")
    if not isinstance(cluster, dict) or not cluster:
        raise _wrong('has no "cluster", an object from task types to lists of addresses')
    for type, addresses in cluster.items():
        if type not in TASK_TYPES:
            raise _wrong(f'has the unknown task type "{type}"; known are {", ".join(TASK_TYPES)}')
        if not isinstance(addresses, list) or not all(map(_is_address, addresses)):
            raise _wrong(f'must give "{type}" as a list of addresses "host:port", got {addresses}')
    if cluster.get("ps"):
        if len(cluster.get("chief", [])) != 1 or not cluster.get("worker"):
            raise _wrong('needs one address of "chief" and at least one of "worker" beside "ps"')
    elif not cluster.get("worker"):
        raise _wrong('has no address of a "worker"')
    if not isinstance(task, dict) or "type" not in task or "index" not in task:
        raise _wrong('has no "task" with "type" and "index", which says what this process is')
    type, index = task["type"], task["index"]
    if type not in TASK_TYPES or not cluster.get(type):
        raise _wrong(f'gives this process the type "{type}", which its cluster has not')
    if not isinstance(index, int) or not 0 <= index < len(cluster[type]):
        raise _wrong(
            f'gives this process the index {index!r}; "{type}" has 0 to {len(cluster[type]) - 1}'
        )
    return ClusterTask({type: cluster[type] for type in cluster if cluster[type]}, type, index)


def _wrong(what: str) -> InputError:
    return InputError(f"the environment variable TF_CONFIG {what}; an example: {_EXAMPLE}")


def _is_address(address: object) -> bool:
    host, _, port = str(address).rpartition(":")
    return bool(host) and port.isdigit() and 0 < int(port) < 65_536


def wait_for(servers: Mapping[str, str], seconds: float) -> None:
    """Wait until each server accepts connections.

    TensorFlow itself would wait without end and without a word.

    Args:
        servers: addresses by name, as `ClusterTask.servers`.
        seconds: how long to wait for all of them.

    Raises:
        InputError: some never appeared; it names them.
    """
    deadline = time.monotonic() + seconds
    while absent := absent_servers(servers):
        if time.monotonic() > deadline:
            names = ", ".join(f"{name} ({servers[name]})" for name in absent)
            raise InputError(
                f"{names} did not answer within {seconds:g} seconds; check that each is started "
                "with this cluster's TF_CONFIG, and that names, ports and firewalls let this "
                "machine reach it"
            )
        time.sleep(0.2)


def absent_servers(servers: Mapping[str, str]) -> list[str]:
    """The names of the servers that accept no connection now."""
    absent = []
    for name, address in servers.items():
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=2).close()
        except OSError:
            absent.append(name)
    return absent


def require_free_port(task: ClusterTask) -> None:
    """Raise InputError when another process listens on the task's port."""
    port = task.port
    try:
        with listening(port):
            pass
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = "is taken by another process: end that one"
        else:
            reason = f"cannot be used ({error.strerror}): correct the address"
        raise InputError(
            f"port {port} of {task.name} {reason}, or give {task.name} another port in the "
            "TF_CONFIG of every task"
        ) from None


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on.

    Raises:
        InputError: there are not that many.
    """
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        if len(found) == count:
            return found
        try:
            with listening(port):
                pass
        except OSError:
            continue
        found.append(port)
    raise InputError(
        f"this machine has no {count} free ports between {_PORTS.start} and {_PORTS.stop}; "
        "end programs that hold them, or ask for fewer processes"
    )


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Accept connections on a port meanwhile; OSError when it cannot be done."""
    with socket.socket() as listener:
        if os.name == "posix":
            # As gRPC does: a port whose last connections are still closing counts as free.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("", port))
        listener.listen()
        yield
