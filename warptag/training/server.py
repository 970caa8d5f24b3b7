"""A worker or a parameter server: `python -m warptag.training.server`.

It does what the chief of its cluster asks for, until it is ended.
"""

from __future__ import annotations

import os
import sys
import threading

from tfrecords_tools.errors import InputError
from tfrecords_tools.quiet import import_tensorflow
from warptag.training.cluster import ClusterTask, require_free_port, this_task

#: The option of a process that ends with the one that started it.
END_WITH_PARENT = "--end-with-parent"


def serve(task: ClusterTask) -> None:
    """Serve the chief; does not return.

    Args:
        task: this process, a worker or a parameter server.

    Raises:
        InputError: the port is taken or TensorFlow cannot serve on it.
    """
    require_free_port(task)
    import_tensorflow()
    import tensorflow as tf

    # A step holds a thread while it waits for another machine; fewer can wait for each other.
    num_threads = max(os.cpu_count() or 1, len(task.cluster["worker"]) + 1)
    try:
        server = tf.distribute.Server(
            tf.train.ClusterSpec(task.cluster),
            job_name=task.type,
            task_index=task.index,
            protocol="grpc",
            config=tf.compat.v1.ConfigProto(inter_op_parallelism_threads=num_threads),
        )
    except tf.errors.OpError as error:
        raise InputError(
            f"{task.name} cannot serve on {task.address} ({error.message.splitlines()[0]}); "
            "check its address in TF_CONFIG"
        ) from error
    server.join()


def _end_with_parent() -> None:
    """End this process when its standard input ends, however the parent ended."""
    # Not by sys.stdin: at exit Python would wait for the lock of a buffer being read.
    while os.read(0, 1024):
        pass
    os._exit(0)


def main(arguments: list[str]) -> int:
    """Serve as TF_CONFIG says; an error is one line on standard error."""
    if END_WITH_PARENT in arguments:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        task = this_task()
        if task is None or not task.serves:
            raise InputError(
                "a server needs the environment variable TF_CONFIG, with parameter servers in its "
                'cluster and a task of type "worker" or "ps"'
            )
        serve(task)
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
