"""Training runs side by side: their numbers, failures, and what ends with the main process."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tfrecords_tools.errors import InputError
from tfrecords_tools.lock import InUse, exclusive
from warptag.experiments import EXPERIMENTS
from warptag.pipeline.data import load_data
from warptag.pipeline.networks import Networks, settings_of
from warptag.pipeline.side_by_side import training
from warptag.training import TrainingDiverged

CHOICES = EXPERIMENTS["scenes"].quick().networks
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    data = EXPERIMENTS["scenes"].data
    few = {"train": 128, "validation": 20, "test": 20}
    load_data(replace(data, settings={**data.settings, **few}), None, folder)
    return folder / "data"


@pytest.mark.slow
def test_runs_do_not_depend_on_what_is_beside_them_and_failures_are_left_to_the_caller(
    records, tmp_path
):
    networks = Networks("scenes", CHOICES, records)
    wanted = [settings_of(CHOICES, "softmax", seed) for seed in (0, 1)]
    runs = [("softmax", settings, tmp_path / f"{i}") for i, settings in enumerate(wanted)]
    # The same as the first, and one whose batch is larger than the data.
    too_large = replace(wanted[0], batch_size=1000)
    runs += [("again", wanted[0], tmp_path / "again"), ("large", too_large, tmp_path / "large")]
    diverging = replace(wanted[0], learning_rate=1000.0, clip_norm=None, epochs=3)
    runs += [("diverging", diverging, tmp_path / "diverging")]
    damaged, shard = networks_over_a_damaged_record(records, tmp_path)
    unreadable = [("softmax", wanted[0], tmp_path / "unreadable")]
    tasks = networks.tasks(runs, scored=True) + damaged.tasks(unreadable, scored=True)
    with training(tasks):
        assert not (tmp_path / "0" / "test_scores.npy").exists()
    first, other, again = (
        np.load(tmp_path / name / "test_scores.npy") for name in ("0", "1", "again")
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    # What is finished is not a task any more, and the caller meets the error.
    unfinished = [task.name for task in networks.tasks(runs, scored=True)]
    assert unfinished == ["large", "diverging"]
    with pytest.raises(InputError, match="1000"):
        networks.run(too_large, tmp_path / "large")
    with pytest.raises(TrainingDiverged):
        networks.run(diverging, tmp_path / "diverging")
    assert len(damaged.tasks(unreadable, scored=True)) == 1
    with pytest.raises(InputError, match=shard):
        damaged.run(wanted[0], tmp_path / "unreadable")


def networks_over_a_damaged_record(records, tmp_path):
    """Networks, and the name of the damaged file."""
    damaged = shutil.copytree(records, tmp_path / "data")
    shard = next(damaged.glob("train-*.tfrecord"))
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 255
    shard.write_bytes(content)
    return Networks("scenes", CHOICES, damaged), shard.name


SCRIPT = """
import sys
from pathlib import Path
from warptag.experiments import EXPERIMENTS
from warptag.pipeline.networks import Networks, settings_of
from warptag.pipeline.side_by_side import training
from dataclasses import replace

if __name__ == "__main__":
    import signal
    signal.signal(signal.SIGINT, signal.default_int_handler)
    choices = EXPERIMENTS["scenes"].quick().networks
    networks = Networks("scenes", choices, Path(sys.argv[1]))
    settings = replace(settings_of(choices, "warp"), epochs=1000)
    with training(networks.tasks([("warp", settings, Path(sys.argv[2], "warp"))], scored=False)):
        pass
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_runs_end_with_the_main_process(records, tmp_path, number):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    main = subprocess.Popen(
        [sys.executable, script, records, tmp_path], env=environment, stderr=subprocess.DEVNULL
    )
    wait_for((tmp_path / "warp" / "history.csv").exists)  # written after the first checkpoint
    assert in_use(tmp_path / "warp")
    main.send_signal(number)
    assert main.wait(timeout=60) != 0
    wait_for(lambda: not in_use(tmp_path / "warp"))
    history = pd.read_csv(tmp_path / "warp" / "history.csv")
    assert 1 <= len(history) < 1000


def wait_for(condition):
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def in_use(folder):
    try:
        with exclusive(folder):
            return False
    except InUse:
        return True
