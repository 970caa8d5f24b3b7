"""Asynchronous training: what a cluster survives, and what is said when it does not."""

import json
import os
import re
import socket
import subprocess
import sys
import time

import pytest

from tfrecords_tools.errors import InputError
from warptag.training.asynchronous import Chief, ClusterTask, LocalCluster, serve, this_task

CLUSTER = {"chief": ["a:1"], "worker": ["b:1", "c:1"], "ps": ["d:1"]}

# TensorFlow takes part in one cluster per process, so the chief is a process of its own. It loses
# a worker, is stopped by a callback, waits for frozen workers, loses its parameter server, dies.
CHIEF = """
import json, os, signal
import keras, numpy as np, tensorflow as tf
from tfrecords_tools.errors import InputError
from warptag.losses import WARP
from warptag.training.asynchronous import Chief, LocalCluster

def send(signal, *names):
    for name in names:
        cluster.processes[name].send_signal(signal)

class Calls(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        epochs.append({"epoch": epoch, "batches": []})

    def on_train_batch_end(self, batch, logs=None):
        epochs[-1]["batches"].append(batch)
        actions.get((epochs[-1]["epoch"], batch), int)()

    def on_epoch_end(self, epoch, logs=None):
        epochs[-1].update(logs, iterations=int(self.model.optimizer.iterations))

class CountedWARP(WARP):
    def call(self, labels, scores):
        num_steps.assign_add(1)
        return super().call(labels, scores)

rng = np.random.default_rng(0)
labels = np.eye(4, dtype="float32")[rng.integers(4, size=320)]
images = rng.integers(100, size=(320, 6, 6, 3), dtype="uint8")
images += 100 * labels[:, None, None, :3].astype("uint8")
epochs, errors, said = [], [], []
actions = {
    (1, 5): lambda: send(signal.SIGKILL, "worker 0"),
    (3, 2): lambda: setattr(model, "stop_training", True),
    (4, 1): lambda: send(signal.SIGSTOP, "worker 0", "worker 1"),
    (5, 1): lambda: send(signal.SIGKILL, "parameter server 0"),
}
cluster = LocalCluster(2, 1, logging=said.append).__enter__()
chief = Chief(cluster.task, patience=60)
with chief.strategy.scope():
    num_steps = tf.Variable(0)
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(4)]
    model = keras.Sequential([keras.Input((6, 6, 3)), *layers])
    model.compile(keras.optimizers.SGD(0.02, momentum=0.9), CountedWARP())
batches = tf.data.Dataset.from_tensor_slices((images, labels)).repeat().batch(32)

def evaluate():
    hits = model(images).numpy().argmax(1) == labels.argmax(1)
    return {"hits": float(hits.mean()), "num_steps": int(num_steps)}

settings = {"steps_per_epoch": 30, "evaluate": evaluate, "callbacks": [Calls()]}
def fit(first, last):
    try:
        chief.fit(model, batches, initial_epoch=first, epochs=last + 1, **settings)
    except InputError as error:
        errors.append(str(error))

fit(0, 2)
fit(3, 9)
chief.patience = 3
fit(4, 4)
send(signal.SIGCONT, "worker 0", "worker 1")
chief.patience = 60
fit(5, 5)
pids = [process.pid for process in cluster.processes.values()]
print(json.dumps({"epochs": epochs, "errors": errors, "said": said, "pids": pids}), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_what_a_cluster_survives_and_says():
    """One test, since starting the processes takes most of its time."""
    command = [sys.executable, "-c", CHIEF]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    check_callbacks_see_every_step_and_the_loss_falls(report)
    check_a_killed_worker_is_started_again_and_costs_no_step(report)
    check_errors_say_what_stopped_training(report)
    check_children_end_when_the_chief_is_killed(report)


def check_callbacks_see_every_step_and_the_loss_falls(report):
    assert [epoch["epoch"] for epoch in report["epochs"]] == [0, 1, 2, 3, 4, 5]
    for number, epoch in enumerate(report["epochs"][:3], start=1):
        assert epoch["batches"] == list(range(30))
        assert epoch["iterations"] == 30 * number
    assert report["epochs"][2]["loss"] < 0.5 * report["epochs"][0]["loss"]
    assert report["epochs"][2]["val_hits"] > 0.9
    # A callback ended this one.
    assert report["epochs"][3]["batches"] == [0, 1, 2]


def check_a_killed_worker_is_started_again_and_costs_no_step(report):
    [line] = [line for line in report["said"] if line.startswith("worker 0 ")]
    assert "restarted as process" in line
    # The step that the worker died in may have been applied before another one makes it.
    assert 90 <= report["epochs"][2]["val_num_steps"] <= 91


def check_errors_say_what_stopped_training(report):
    frozen, lost = report["errors"]
    assert "within 3 seconds" in frozen
    assert re.match(r"parameter server 0 \(127.0.0.1:\d+\) cannot be reached; its weights", lost)
    assert "resumes from the last checkpoint" in lost


def check_children_end_when_the_chief_is_killed(report):
    ps = ["ps", "-o", "stat=", "-p", ",".join(map(str, report["pids"]))]
    for _ in range(200):
        states = subprocess.run(ps, capture_output=True, text=True).stdout.split()
        # A zombie has ended, and its new parent has yet to notice.
        if all(state.startswith("Z") for state in states):
            return
        time.sleep(0.1)
    pytest.fail(f"processes still run: {states}")


def test_children_end_with_the_cluster_and_are_out_of_reach_of_ctrl_c():
    with LocalCluster(1, 1) as cluster:
        # It reaches the processes of one session.
        sessions = [os.getsid(process.pid) for process in cluster.processes.values()]
    assert os.getsid(0) not in sessions
    assert all(process.returncode for process in cluster.processes.values())


@pytest.mark.parametrize(
    "text",
    [
        "{cluster",
        json.dumps({"cluster": {"chief": ["a:1"], "worker": ["b:1"]}}),
        json.dumps({"cluster": CLUSTER | {"ps": "d:1"}, "task": {"type": "ps", "index": 0}}),
        ClusterTask(CLUSTER | {"ps": ["d"]}, "worker", 0).to_json(),
        ClusterTask(CLUSTER, "boss", 0).to_json(),
        ClusterTask(CLUSTER, "worker", 2).to_json(),
    ],
)
def test_a_wrong_tf_config_is_named_with_an_example(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match=r'TF_CONFIG.* as in \{"cluster"'):
        this_task()


def test_tf_config_says_which_process_this_is(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert this_task() is None
    task = ClusterTask(CLUSTER, "worker", 1)
    monkeypatch.setenv("TF_CONFIG", task.to_json())
    assert this_task() == task and (task.name, task.address) == ("worker 1", "c:1")


def test_a_process_that_never_appears_is_named():
    task = LocalCluster(1, 1).task
    with pytest.raises(InputError, match=rf"worker 0 \({task.servers[0].address}\) and parameter"):
        Chief(task, patience=0.3)


def test_a_taken_port_is_named():
    task = LocalCluster(1, 1).task
    for process, start in ((task, Chief), (task.servers[0], serve)):
        host, port = process.address.split(":")
        message = f"^{process.name} cannot listen at {process.address}"
        with socket.create_server((host, int(port))), pytest.raises(InputError, match=message):
            start(process)
