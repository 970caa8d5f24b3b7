"""What tests of several files share: data, a way without pictures, one thread a process."""

import os
import sys

import pytest
from tfrecords_fixtures import convert_striped

# Threads of NumPy's and PyTorch's libraries that wait for each other take twice the time.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")


@pytest.fixture(scope="session")
def striped(tmp_path_factory):
    """A folder of records whose three tags a small network can learn in seconds."""
    return convert_striped(tmp_path_factory.mktemp("striped"))


@pytest.fixture
def without_pictures(monkeypatch):
    """Drawing them takes half the time of a run that reuses what stands."""
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda *_, **__: None)


@pytest.fixture(autouse=True)
def determinism_ends_with_the_test():
    """Training switches it on for the process, and Keras then compiles nothing with XLA."""
    yield
    if "tensorflow" in sys.modules:
        # TensorFlow has no public way to switch it off.
        from tensorflow.python.framework.config import disable_op_determinism

        disable_op_determinism()
