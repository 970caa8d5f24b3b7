"""Replicas on one machine and on several train like one; what cannot be shared is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from warptag.training.cluster import free_ports

SCRIPT = """
import json, os, sys
import tensorflow as tf

arguments = json.loads(sys.argv[1])
cpu = tf.config.list_physical_devices("CPU")[0]
devices = [tf.config.LogicalDeviceConfiguration()] * arguments["replicas"]
if arguments["replicas"] > 1:
    tf.config.set_logical_device_configuration(cpu, devices)
from pathlib import Path
from warptag.data import Records
from warptag.models import AlexNet
from tfrecords_tools.errors import InputError
from warptag.training import TrainingSettings, strategy, train
strategy.JOIN_SECONDS = arguments.get("join_seconds", 120)

settings = TrainingSettings(
    **{**{"loss": "softmax", "learning_rate": 0.5, "epochs": 3, "clip_norm": 0.02,
          "weight_decay": 0.05}, **arguments["settings"]}
)
data = [Records(arguments["data"], "train", part) for part in ("fit", "validation")]
network = lambda: AlexNet(
    3, (16, 16, 3), width=0.1, dense_units=16, first_stride=2, dropout=0.0, seed=1
)
try:
    model, history = train(
        "test", network, *data, settings, Path(arguments["folder"]), k=1, context={},
        strategy=arguments["strategy"],
    )
except InputError as error:
    sys.exit(f"Error: {error}")
weights = [weight.tolist() for weight in model.get_weights()]
print(json.dumps({"losses": list(history["loss"]), "weights": weights}))
"""


def start(tf_config=None, **arguments):
    arguments = {"replicas": 1, "settings": {}, "strategy": "auto", **arguments}
    arguments = {name: str(v) if isinstance(v, Path) else v for name, v in arguments.items()}
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    if tf_config is not None:
        environment["TF_CONFIG"] = json.dumps(tf_config)
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, json.dumps(arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result_of(process):
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors[-3000:]
    return json.loads(output.splitlines()[-1])


@pytest.fixture(scope="module")
def one_replica(striped, tmp_path_factory):
    return result_of(start(data=striped, folder=tmp_path_factory.mktemp("one")))


def assert_same_curve(result, one_replica):
    np.testing.assert_allclose(result["losses"], one_replica["losses"], rtol=1e-4)
    # Every gradient is clipped and weights decay: both must see the whole batch.
    for weights, others in zip(result["weights"], one_replica["weights"], strict=True):
        np.testing.assert_allclose(weights, others, atol=2e-5)


def test_two_replicas_give_the_loss_curve_of_one(striped, tmp_path, one_replica):
    result = result_of(start(data=striped, folder=tmp_path, replicas=2, strategy="mirrored"))
    assert_same_curve(result, one_replica)


def test_two_replicas_train_with_warp_and_scaled_losses(striped, tmp_path):
    settings = {"loss": "warp", "normalization": "violators", "epochs": 1}
    arguments = {"data": striped, "replicas": 2, "strategy": "mirrored"}
    for precision in ("float32", "float16"):
        result = result_of(
            start(
                folder=tmp_path / precision,
                settings={**settings, "precision": precision},
                **arguments,
            )
        )
        assert np.isfinite(result["losses"]).all()


def test_a_batch_that_replicas_cannot_share_is_refused(striped, tmp_path):
    process = start(
        data=striped, folder=tmp_path, replicas=2, strategy="mirrored", settings={"batch_size": 9}
    )
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "batch_size 9 cannot be shared by 2 replicas" in errors


def two_machines():
    ports = free_ports(2)
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    return [{"cluster": cluster, "task": {"type": "worker", "index": index}} for index in (0, 1)]


def test_two_machines_give_the_loss_curve_of_one(striped, tmp_path, one_replica):
    processes = [
        start(tf_config, data=striped, folder=tmp_path, strategy="multi-worker")
        for tf_config in two_machines()
    ]
    for process in processes:
        assert_same_curve(result_of(process), one_replica)
    assert (tmp_path / "model.keras").exists()


def test_a_machine_that_never_appears_is_named(striped, tmp_path):
    first, _ = two_machines()
    process = start(first, data=striped, folder=tmp_path, strategy="multi-worker", join_seconds=3)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert f"worker 1 ({first['cluster']['worker'][1]})" in errors.splitlines()[-1]
    assert "did not answer within 3 seconds" in errors


def test_a_cluster_for_another_strategy_is_refused(striped, tmp_path):
    process = start(two_machines()[0], data=striped, folder=tmp_path, strategy="parameter-server")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "disagree: its cluster has no parameter servers" in errors


@pytest.mark.parametrize("strategy", ["multi-worker", "parameter-server"])
def test_several_machines_need_tf_config(striped, tmp_path, strategy):
    process = start(data=striped, folder=tmp_path, strategy=strategy)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "needs TF_CONFIG" in errors
