"""Asynchronous training: what a cluster survives, and what is said when it does not."""

import json
import shutil
import socket
import subprocess
import sys
import time

import pytest

from tfrecords_tools.errors import InputError
from warptag.training import local_cluster, server
from warptag.training.cluster import ClusterTask, free_ports, parse_task, this_task, wait_for
from warptag.training.local_cluster import LocalCluster

CLUSTER = {"chief": ["a:1"], "worker": ["b:1", "c:1"], "ps": ["d:1"]}

# TensorFlow takes part in one cluster a process, so the chief is a process of its own. It kills
# a worker in the middle of a call, then the other one, then the parameter server.
CHIEF = """
import json, os, signal, sys
from tfrecords_tools.quiet import import_tensorflow
import_tensorflow()
import keras, numpy as np, tensorflow as tf
from tfrecords_tools.errors import InputError
from warptag.losses import WARP
from warptag.training.asynchronous import Asynchronous
from warptag.training.local_cluster import LocalCluster

def batches():
    rng = np.random.default_rng(0)
    for number in range(10**6):
        if number == 60:
            kill("worker 0")
        labels = np.eye(4, dtype=np.float32)[rng.integers(4, size=32)]
        images = rng.integers(100, size=(32, 6, 6, 3)) + 100 * labels[:, None, None, :3]
        yield images.astype(np.uint8), labels

def dataset(worker):
    shapes = tf.TensorSpec((32, 6, 6, 3), tf.uint8), tf.TensorSpec((32, 4), tf.float32)
    return tf.data.Dataset.from_generator(batches, output_signature=shapes)

def kill(name):
    [victim] = [server for server in cluster.processes if server.name == name]
    os.kill(victim.pid, signal.SIGKILL)

said = []
with LocalCluster(2, 1, say=said.append) as cluster:
    engine = Asynchronous(cluster.task, patience=60)
    with engine.strategy.scope():
        model = keras.Sequential([
            keras.Input((6, 6, 3)),
            keras.layers.Rescaling(1 / 127.5, -1.0),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dropout(0.2, seed=0),
            keras.layers.Dense(4),
        ])
        rate = keras.optimizers.schedules.PiecewiseConstantDecay([50], [0.02, 0.01])
        optimizer = keras.optimizers.SGD(rate, momentum=0.9, global_clipnorm=5.0)
        optimizer.build(model.trainable_variables)
        loss = WARP(seed=0)
        first_replica = tf.VariableAggregation.ONLY_FIRST_REPLICA
        counter = tf.Variable(0, dtype=tf.int64, aggregation=first_replica)

    def step(images, labels):
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(loss.call(labels, model(images, training=True)))
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(value, [v.value for v in variables]), variables)
        counter.assign_add(1)
        return value

    engine.start(step, dataset)
    report = {"losses": engine.run(120).tolist(), "rate": float(optimizer.learning_rate)}
    kill("worker 1")
    report["after"] = engine.run(30).tolist()
    report["count"] = int(counter.numpy())
    images, labels = next(batches())
    before = [np.asarray(variable) for variable in model.variables]
    report["hits"] = float(np.mean(model(images).numpy().argmax(1) == labels.argmax(1)))
    model.variables[0].assign(before[0] * 0)
    report["assigned"] = float(np.abs(np.asarray(model.variables[0])).sum())
    kill("parameter server 0")
    try:
        engine.run(30)
    except InputError as error:
        report["error"] = str(error)
    engine.stop()
    report["pids"] = [server.pid for server in cluster.processes]
print(json.dumps({**report, "said": said}))
"""


@pytest.fixture(scope="module")
def report():
    done = subprocess.run(
        [sys.executable, "-c", CHIEF], capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_asynchronous_steps_learn(report):
    assert sum(report["losses"][-20:]) < 0.5 * sum(report["losses"][:20])
    assert report["hits"] > 0.9
    assert report["rate"] == pytest.approx(0.01)


def test_no_step_is_lost_when_workers_are_killed_and_come_back(report):
    assert len(report["losses"]) == 120 and len(report["after"]) == 30
    # The step that a worker dies in may have been applied already when another one makes it.
    assert 150 <= report["count"] <= 152
    for worker in ("worker 0", "worker 1"):
        assert any(
            line.startswith(f"{worker} (process ") and "; started again as process " in line
            for line in report["said"]
        )


def test_variables_can_be_assigned_by_the_chief(report):
    assert report["assigned"] == 0


def test_a_lost_parameter_server_ends_the_run_with_what_to_do(report):
    assert "parameter server 0 stopped" in report["error"]
    assert "run the same command again" in report["error"]


def test_no_child_is_left_after_the_cluster(report):
    assert not [pid for pid in report["pids"] if runs(pid)]


def test_children_end_when_the_chief_is_killed():
    script = (
        "import time\n"
        "from warptag.training.cluster import wait_for\n"
        "from warptag.training.local_cluster import LocalCluster\n"
        "with LocalCluster(1, 1) as cluster:\n"
        "    wait_for(cluster.task.servers, 60)\n"
        "    print(*[server.pid for server in cluster.processes], flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as chief:
        assert chief.stdout is not None
        pids = [int(pid) for pid in chief.stdout.readline().split()]
        assert len(pids) == 2 and all(map(runs, pids))
        chief.kill()
    deadline = time.monotonic() + 10
    while any(map(runs, pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(runs, pids))


def runs(pid):
    """Whether the process exists and is no zombie, whose parent has yet to notice."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True
    ).stdout
    return bool(state) and not state.startswith("Z")


def test_a_worker_that_never_starts_is_given_up(monkeypatch):
    monkeypatch.setattr(local_cluster.sys, "executable", shutil.which("false"))
    said = []
    with LocalCluster(1, 1, say=said.append):
        deadline = time.monotonic() + 10
        while "not started again" not in " ".join(said) and time.monotonic() < deadline:
            time.sleep(0.05)
    of_worker = [line for line in said if line.startswith("worker 0")]
    assert ["started again as" in line for line in of_worker] == [True, True, False]
    assert "exit status 1" in of_worker[-1] and "not started again" in of_worker[-1]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{cluster", "is not JSON"),
        ("[]", "is not a JSON object"),
        ('{"task": {}}', 'has no "cluster"'),
        (json.dumps({"cluster": {"worker": "b:1"}}), "list of addresses"),
        (json.dumps({"cluster": {"worker": ["b"]}}), "list of addresses"),
        (json.dumps({"cluster": {"evaluator": ["b:1"]}}), "unknown task type"),
        (json.dumps({"cluster": {"worker": ["b:1"], "ps": ["c:1"]}}), 'one address of "chief"'),
        (json.dumps({"cluster": CLUSTER}), 'has no "task"'),
        (json.dumps({"cluster": CLUSTER, "task": {"type": "boss", "index": 0}}), '"boss"'),
        (json.dumps({"cluster": CLUSTER, "task": {"type": "worker", "index": 2}}), "0 to 1"),
        (json.dumps({"cluster": CLUSTER, "task": {"type": "worker", "index": "0"}}), "0 to 1"),
    ],
)
def test_a_wrong_tf_config_is_named_with_an_example(text, what):
    with pytest.raises(InputError, match="TF_CONFIG") as error:
        parse_task(text)
    assert what in str(error.value) and '"index": 0' in str(error.value)


def test_tf_config_says_which_process_this_is(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert this_task() is None
    monkeypatch.setenv("TF_CONFIG", ClusterTask(CLUSTER, "worker", 1).to_json())
    task = this_task()
    assert (task.name, task.address, task.serves) == ("worker 1", "c:1", True)
    assert list(task.servers) == ["worker 0", "worker 1", "parameter server 0"]


def test_a_process_that_never_appears_is_named():
    missing, present = free_ports(2)
    with socket.create_server(("127.0.0.1", present)):
        servers = {"worker 0": f"127.0.0.1:{present}", "worker 1": f"127.0.0.1:{missing}"}
        with pytest.raises(InputError, match=rf"^worker 1 \(127.0.0.1:{missing}\) did not answer"):
            wait_for(servers, seconds=0.3)


def test_a_server_whose_port_is_taken_stops_with_one_line(monkeypatch, capsys):
    [port] = free_ports(1)
    cluster = {**CLUSTER, "worker": [f"127.0.0.1:{port}"]}
    monkeypatch.setenv("TF_CONFIG", ClusterTask(cluster, "worker", 0).to_json())
    with socket.create_server(("127.0.0.1", port)):
        assert server.main([]) == 1
    message = capsys.readouterr().err
    assert message.startswith(f"Error: port {port} of worker 0 is taken")
    assert message.count("\n") == 1


def test_a_server_without_tf_config_says_what_it_needs(monkeypatch, capsys):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert server.main([]) == 1
    assert "needs the environment variable TF_CONFIG" in capsys.readouterr().err
