"""The file formats: how each is written, loaded, and used."""

from __future__ import annotations

import json
import warnings
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np

TAGS = "tags.txt"
#: uint8 (batch, height, width, 3) to the outputs by name.
Runner = Callable[[np.ndarray], dict[str, np.ndarray]]


class Format(ABC):
    """One format.

    Attributes:
        file: the name of the file or folder.
        distributions: the packages that it needs besides those of warptag, by their names on PyPI.
        usage: Python lines that compute `outputs` from `image`.
    """

    file: str
    distributions: tuple[str, ...] = ()
    usage: str

    @classmethod
    def is_installed(cls) -> bool:
        """Whether all packages are installed."""
        return all(find_spec(name.replace("-", "_")) for name in cls.distributions)

    @abstractmethod
    def write(self, model: keras.Model, path: Path, tag_names: Sequence[str]) -> None:
        """Writes a model of `photograph_model`, with the names of its tags inside."""

    @abstractmethod
    def load(self, path: Path) -> Runner:
        """The written model as a function."""


class KerasFile(Format):
    """The format of Keras, which loads without custom objects in safe mode."""

    file = "model.keras"
    usage = """
import keras

model = keras.saving.load_model("model.keras")
outputs = model(image)
"""

    def write(self, model, path, tag_names):
        model.save(path)
        _append_tags(path, tag_names)

    def load(self, path):
        model = keras.saving.load_model(path, compile=False)
        return lambda image: _to_numpy(model(image, training=False))


class SavedModel(Format):
    """The format of TensorFlow; the tags are in `assets.extra`, as in TensorFlow Serving."""

    file = "savedmodel"
    usage = """
import tensorflow as tf

model = tf.saved_model.load("savedmodel")
outputs = model.serve(image)
"""

    def write(self, model, path, tag_names):
        import tensorflow as tf

        # `model.export` would store the weights twice.
        archive = keras.export.ExportArchive()
        image = tf.TensorSpec((None, None, None, 3), tf.uint8, name="image")
        archive.add_endpoint("serve", lambda image: model(image, training=False), [image])
        archive.write_out(path, verbose=False)
        extra = path / "assets.extra"
        extra.mkdir()
        (extra / TAGS).write_bytes(tags_text(tag_names))

    def load(self, path):
        import tensorflow as tf

        loaded = tf.saved_model.load(path)
        return lambda image: _to_numpy(loaded.serve(image))


class ONNX(Format):
    """The tags are in the model's metadata, as a JSON list under `tags`."""

    file = "model.onnx"
    distributions = ("onnx", "onnxruntime", "tf2onnx")
    usage = """
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
names = [output.name for output in session.get_outputs()]
outputs = dict(zip(names, session.run(names, {"image": image})))
"""

    def write(self, model, path, tag_names):
        import onnx

        with warnings.catch_warnings():
            # Keras patches tf2onnx for NumPy 2 and looks up names that NumPy no longer has.
            warnings.simplefilter("ignore", FutureWarning)
            model.export(path, format="onnx", verbose=False)
        written = onnx.load(path)
        for value in (*written.graph.input, *written.graph.output):
            dimensions = value.type.tensor_type.shape.dim
            for dimension, name in zip(dimensions, ("batch", "height", "width"), strict=False):
                if not dimension.dim_value:
                    dimension.dim_param = name
        onnx.helper.set_model_props(written, {"tags": json.dumps(list(tag_names))})
        onnx.checker.check_model(written)
        onnx.save(written, path)

    def load(self, path):
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return lambda image: dict(zip(names, session.run(names, {"image": image}), strict=True))


class LiteRT(Format):
    """LiteRT with built-in operations only; the tags are appended as a ZIP archive."""

    file = "model.tflite"
    distributions = ("ai-edge-litert",)
    usage = """
from ai_edge_litert.interpreter import Interpreter

model = Interpreter("model.tflite")
outputs = model.get_signature_runner()(image=image)
"""

    def write(self, model, path, tag_names):
        import tensorflow as tf

        builtin = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
        model.export(path, format="litert", verbose=False, target_spec=builtin)
        _append_tags(path, tag_names)

    def load(self, path):
        from ai_edge_litert.interpreter import Interpreter

        model = Interpreter(str(path))
        return lambda image: model.get_signature_runner()(image=image)


FORMATS: dict[str, Format] = {
    "savedmodel": SavedModel(),
    "onnx": ONNX(),
    "litert": LiteRT(),
    "keras": KerasFile(),
}


def tags_text(tag_names: Sequence[str]) -> bytes:
    """The content of tags.txt: one tag per line, in the order of the scores."""
    return "".join(f"{name}\n" for name in tag_names).encode()


def _append_tags(path: Path, tag_names: Sequence[str]) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(TAGS, tags_text(tag_names))


def _to_numpy(outputs) -> dict[str, np.ndarray]:
    return {name: np.asarray(value) for name, value in outputs.items()}
