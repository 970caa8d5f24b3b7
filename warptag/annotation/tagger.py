"""A trained run that scores image files, in batches and bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfrecords_tools.errors import InputError
from tfrecords_tools.images import EncodedImage, load_image
from warptag.data.crops import fixed_crops
from warptag.training import load_calibration, load_run

BATCH_SIZE = 64
#: Batches of image files that are read ahead of the network.
BATCHES_AHEAD = 2
MAX_FILE_BYTES = 1 << 30


@dataclass(frozen=True)
class Annotation:
    """The scores of one image file.

    Attributes:
        path: the file.
        scores: float32 (num_tags,), raw scores; None if the file could not be read.
        probabilities: float32 (num_tags,) in [0, 1]; None also if the run has no calibration.
        error: why the file could not be read, or None.

    Example:
        >>> annotation = Annotation(Path("sea.jpg"), scores=np.array([0.5, 2.0], np.float32))
        >>> int(annotation.scores.argmax())
        1
    """

    path: Path
    scores: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    error: InputError | None = None


class Tagger:
    """A trained network with the image preparation of its run.

    An image file is checked, turned upright, resized and cropped as in conversion and evaluation,
    so that its scores are comparable with the metrics of the run.

    Args:
        run: folder of a finished run, such as results/scenes/models/warp.

    Attributes:
        run: the folder of the run.
        settings: the settings of the run, the content of its settings.json.
        tag_names: the names of the tags in the order of the scores.
        calibration: the `Calibration` of the run, or None if it has none.

    Raises:
        InputError: the folder is not a finished run, or its files cannot be read.

    Example:
        >>> tagger = Tagger("results/scenes/models/warp")  # doctest: +SKIP
        >>> for annotation in tagger.annotate(["photo.jpg"]):  # doctest: +SKIP
        ...     best = annotation.scores.argmax()
        ...     print(annotation.path, tagger.tag_names[best])
    """

    def __init__(self, run: str | os.PathLike[str]) -> None:
        self.run = Path(run)
        self._model, self.settings = load_run(self.run, needs=("image", "patches"))
        image, patches = self.settings["image"], self.settings["patches"]
        self._resizing = (image["size"], image["shorter_side"])
        self.calibration = load_calibration(self.run)
        self.tag_names: list[str] = self.settings["tag_names"]
        if self._model.output_shape[-1] != len(self.tag_names):
            raise InputError(
                f"{self.run}: its model has {self._model.output_shape[-1]} scores, but its "
                f"settings.json {len(self.tag_names)} tags; expected the files of one run"
            )
        self._crop = _crop_function(self._model.input_shape[1], patches)

    def annotate(self, paths: Iterable[str | os.PathLike[str]]) -> Iterator[Annotation]:
        """Scores every file, in the order given.

        Threads read the files a few batches ahead, so memory does not grow with their number.

        Args:
            paths: image files of any format that Pillow reads, taken as they are needed.

        Raises:
            InputError: the network's scores are not finite.
        """
        for files, images in self._batches(map(Path, paths)):
            readable = [image for image in images if isinstance(image, EncodedImage)]
            scores, probabilities = self._score(readable)
            scored = iter(zip(scores, probabilities, strict=True))
            for path, image in zip(files, images, strict=True):
                if isinstance(image, InputError):
                    yield Annotation(path, error=image)
                else:
                    yield Annotation(path, *next(scored))

    def _score(self, images: list[EncodedImage]) -> tuple[np.ndarray, Iterable]:
        if not images:
            return np.zeros((0, len(self.tag_names)), np.float32), ()
        encoded, heights, widths = zip(*images, strict=True)
        crops = self._crop(
            tf.constant(encoded), tf.constant(heights, tf.int32), tf.constant(widths, tf.int32)
        )
        scores = self._model.predict_on_batch(crops.numpy())
        scores = scores.reshape(len(images), -1, scores.shape[-1]).mean(axis=1)
        if not np.isfinite(scores).all():
            raise InputError("the network's scores are not finite; train the run again")
        if self.calibration is None:
            return scores, [None] * len(scores)
        return scores, self.calibration.probabilities(scores)

    def load(self, path: Path) -> EncodedImage | InputError:
        """An image file, prepared as in the records of the run, or the error if that fails."""
        try:
            if path.is_dir():
                os.listdir(path)
                raise InputError(f"{path} is a folder without images")
            if path.exists() and path.stat().st_size > MAX_FILE_BYTES:
                raise InputError(f"{path} has more than a gigabyte, too much for a photograph")
            return load_image(path, *self._resizing)
        except InputError as error:
            return error
        except OSError as error:
            return InputError(f"{path} cannot be read: {error.strerror}")

    def _batches(
        self, paths: Iterator[Path]
    ) -> Iterator[tuple[list[Path], list[EncodedImage | InputError]]]:
        waiting: deque[list[tuple[Path, Future]]] = deque()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            try:
                while True:
                    while len(waiting) <= BATCHES_AHEAD:
                        some = list(islice(paths, BATCH_SIZE))
                        if not some:
                            break
                        waiting.append([(path, pool.submit(self.load, path)) for path in some])
                    if not waiting:
                        return
                    batch = waiting.popleft()
                    yield [path for path, _ in batch], [image.result() for _, image in batch]
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _crop_function(size: int, patches: str):
    """From JPEG files and their sizes to the crops of all of them, uint8."""
    signature = [tf.TensorSpec((None,), dtype) for dtype in (tf.string, tf.int32, tf.int32)]

    @tf.function(input_signature=signature)
    def crop(encoded, height, width):
        batch = {"encoded": encoded, "height": height, "width": width}
        return tf.reshape(fixed_crops(batch, size, patches), (-1, size, size, 3))

    return crop
