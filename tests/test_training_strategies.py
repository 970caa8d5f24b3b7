"""Replicas on one machine and on several train like one; what cannot be shared is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tfrecords_tools.errors import InputError
from warptag.data import Records
from warptag.models import AlexNet
from warptag.training import TrainingSettings, strategy, train
from warptag.training.cluster import free_ports


def run(data, folder, strategy="auto", **settings):
    """The losses and weights of a small network; replicas would drop different units."""
    settings = {
        "loss": "softmax",
        "learning_rate": 0.5,
        "epochs": 3,
        "clip_norm": 0.02,
        "weight_decay": 0.05,
    } | settings
    model, history = train(
        "test",
        lambda: AlexNet(
            3, (16, 16, 3), width=0.1, dense_units=16, first_stride=2, dropout=0.0, seed=1
        ),
        *(Records(data, "train", part) for part in ("fit", "validation")),
        TrainingSettings(**settings),
        Path(folder),
        k=1,
        context={},
        strategy=strategy,
    )
    weights = [weight.tolist() for weight in model.get_weights()]
    return {"losses": list(history["loss"]), "weights": weights}


# Replicas and clusters are set up before TensorFlow starts, so in processes of their own.
PROCESS = """
import json, sys
import tensorflow as tf

num_replicas, *runs = json.loads(sys.argv[1])
if num_replicas > 1:
    [cpu] = tf.config.list_physical_devices("CPU")
    devices = [tf.config.LogicalDeviceConfiguration()] * num_replicas
    tf.config.set_logical_device_configuration(cpu, devices)
from test_training_strategies import run
from tfrecords_tools.errors import InputError

results = []
for arguments in runs:
    try:
        results.append(run(**arguments))
    except InputError as error:
        results.append(str(error))
print(json.dumps(results))
"""


def start(runs, num_replicas=1, tf_config=None):
    """A process that makes some runs, one after another."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    if tf_config is not None:
        environment["TF_CONFIG"] = json.dumps(tf_config)
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS, json.dumps([num_replicas, *runs], default=str)],
        cwd=Path(__file__).parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def results_of(process):
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors[-3000:]
    return json.loads(output.splitlines()[-1])


@pytest.fixture(scope="module")
def one_replica(striped, tmp_path_factory):
    return run(striped, tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def two_replicas(striped, tmp_path_factory):
    """What comes of a run as `one_replica`'s, of two with WARP, and of a batch that is odd."""
    warp = {"loss": "warp", "normalization": "violators", "epochs": 1}
    runs = [{}, warp, {**warp, "precision": "float16"}, {"batch_size": 9}]
    folder = tmp_path_factory.mktemp("two")
    common = {"data": striped, "strategy": "mirrored"}
    runs = [{**one, **common, "folder": folder / str(i)} for i, one in enumerate(runs)]
    return results_of(start(runs, num_replicas=2))


def assert_same_curve(result, one_replica):
    np.testing.assert_allclose(result["losses"], one_replica["losses"], rtol=1e-4)
    # Every gradient is clipped and weights decay: both must see the whole batch.
    for weights, others in zip(result["weights"], one_replica["weights"], strict=True):
        np.testing.assert_allclose(weights, others, atol=2e-5)


def test_two_replicas_give_the_loss_curve_of_one(two_replicas, one_replica):
    assert_same_curve(two_replicas[0], one_replica)


@pytest.mark.parametrize("number", [1, 2], ids=["float32", "float16"])
def test_two_replicas_train_with_warp_and_scaled_losses(two_replicas, number):
    assert np.isfinite(two_replicas[number]["losses"]).all()


def test_a_batch_that_replicas_cannot_share_is_refused(two_replicas):
    assert "batch_size 9 cannot be shared by 2 replicas" in two_replicas[3]


def two_machines():
    ports = free_ports(2)
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    return [{"cluster": cluster, "task": {"type": "worker", "index": index}} for index in (0, 1)]


def test_two_machines_give_the_loss_curve_of_one(striped, tmp_path, one_replica):
    runs = [{"data": striped, "folder": tmp_path, "strategy": "multi-worker"}]
    processes = [start(runs, tf_config=tf_config) for tf_config in two_machines()]
    for process in processes:
        [result] = results_of(process)
        assert_same_curve(result, one_replica)
    assert (tmp_path / "model.keras").exists()


def test_a_machine_that_never_appears_is_named(striped, tmp_path, monkeypatch):
    first, _ = two_machines()
    monkeypatch.setenv("TF_CONFIG", json.dumps(first))
    monkeypatch.setattr(strategy, "JOIN_SECONDS", 1)
    with pytest.raises(InputError, match="did not answer within 1 seconds") as error:
        run(striped, tmp_path, "multi-worker")
    assert f"worker 1 ({first['cluster']['worker'][1]})" in str(error.value)


def test_a_cluster_for_another_strategy_is_refused(striped, tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps(two_machines()[0]))
    with pytest.raises(InputError, match="disagree: its cluster has no parameter servers"):
        run(striped, tmp_path, "parameter-server")


@pytest.mark.parametrize("name", ["multi-worker", "parameter-server"])
def test_several_machines_need_tf_config(striped, tmp_path, monkeypatch, name):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(InputError, match="needs TF_CONFIG"):
        run(striped, tmp_path, name)
