"""A trained run that tags image files, many at a time in bounded memory."""

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
from warptag.data.crops import PATCHES, fixed_crops
from warptag.training import load_calibration, load_run

BATCH_SIZE = 64
#: Batches of image files that are read ahead of the network.
BATCHES_AHEAD = 2
#: Bytes.
LARGEST_FILE = 1 << 30


@dataclass(frozen=True)
class Annotation:
    """What a run says of one image file.

    Attributes:
        path: the file.
        scores: float32 (num_tags,), raw; None where the file could not be read.
        probabilities: float32 (num_tags,) in [0, 1]; None also where the run has no calibration.
        error: why the file could not be read.

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
    """The network of a run, with the run's own way of preparing images.

    An image file is checked, turned upright, resized and cropped as the conversion, the input
    pipeline and `warptag evaluate` do it, so that its scores are the ones that the run's figures
    were measured by.

    Args:
        run: folder of a finished run, such as results/scenes/models/warp.

    Attributes:
        tag_names: in the order of the scores.
        calibration: see `Calibration`; None where none could be fitted.
        settings: of the run, as in its settings.json.
        run: its folder.

    Raises:
        InputError: the folder is no finished run, or its model cannot be read.

    Example:
        >>> tagger = Tagger("results/scenes/models/warp")  # doctest: +SKIP
        >>> for annotation in tagger.annotate(["photo.jpg"]):  # doctest: +SKIP
        ...     best = annotation.scores.argmax()
        ...     print(annotation.path, tagger.tag_names[best])
    """

    def __init__(self, run: str | os.PathLike[str]) -> None:
        run = Path(run)
        model, self.settings = load_run(run)
        if not _says_how_images_are_prepared(self.settings):
            raise InputError(
                f"{run}: its settings.json does not say how images are resized and cropped, as of "
                "a run of an earlier version; give the command that trained it again"
            )
        self.calibration = load_calibration(run)
        self.tag_names: list[str] = self.settings["tag_names"]
        if model.output_shape[-1] != len(self.tag_names):
            raise InputError(
                f"{run}: its model gives {model.output_shape[-1]} scores and its settings.json "
                f"{len(self.tag_names)} tags; expected the files of one run"
            )
        self.run = run
        self._forward = _forward_pass(model, self.settings["patches"])

    def annotate(self, paths: Iterable[str | os.PathLike[str]]) -> Iterator[Annotation]:
        """Scores of every file, in the order given, one batch after another.

        Files are read by threads, a few batches ahead; no more is held in memory.

        Args:
            paths: image files of any format that Pillow reads; taken as they are needed.

        Raises:
            InputError: the network's scores are not finite.
        """
        batches = self._batches(map(Path, paths))
        for files, images in batches:
            readable = [image for image in images if isinstance(image, EncodedImage)]
            scores, probabilities = self._score(readable)
            row = 0
            for path, image in zip(files, images, strict=True):
                if isinstance(image, InputError):
                    yield Annotation(path, error=image)
                    continue
                likely = None if probabilities is None else probabilities[row]
                yield Annotation(path, scores[row], likely)
                row += 1

    def _score(self, images: list[EncodedImage]) -> tuple[np.ndarray, np.ndarray | None]:
        if not images:
            return np.zeros((0, len(self.tag_names)), np.float32), None
        encoded, heights, widths = zip(*images, strict=True)
        scores = self._forward(
            tf.constant(encoded), tf.constant(heights, tf.int32), tf.constant(widths, tf.int32)
        )
        if not np.isfinite(scores).all():
            raise InputError("the network's scores are not finite; train the run again")
        calibration = self.calibration
        return scores, None if calibration is None else calibration.probabilities(scores)

    def load(self, path: Path) -> EncodedImage | InputError:
        """An image file, prepared as in the run's records; the error if it cannot be."""
        image = self.settings["image"]
        try:
            if path.is_dir():
                os.listdir(path)
                raise InputError(f"{path} holds no image; expected files such as photo.jpg in it")
            if path.exists() and not path.is_file():
                raise InputError(f"{path} is not a file; expected an image")
            if path.exists() and path.stat().st_size > LARGEST_FILE:
                raise InputError(f"{path} is too large to be a photograph, over a gigabyte")
            return load_image(path, image["size"], image["shorter_side"])
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


def _says_how_images_are_prepared(settings: dict) -> bool:
    image = settings.get("image")
    if settings.get("patches") not in PATCHES or not isinstance(image, dict):
        return False
    size = image.get("size")
    return isinstance(image.get("shorter_side"), bool) and (
        size is None or (isinstance(size, int) and size > 0)
    )


def _forward_pass(model, patches: str):
    """From JPEG files and their sizes to scores, in batches of any size, on any backend."""
    size = model.input_shape[1]
    signature = [
        tf.TensorSpec((None,), tf.string),
        tf.TensorSpec((None,), tf.int32),
        tf.TensorSpec((None,), tf.int32),
    ]

    @tf.function(input_signature=signature)
    def crop(encoded, height, width):
        batch = {"encoded": encoded, "height": height, "width": width}
        return tf.reshape(fixed_crops(batch, size, patches), (-1, size, size, 3))

    def forward(encoded, height, width) -> np.ndarray:
        scores = model.predict_on_batch(crop(encoded, height, width).numpy())
        return scores.reshape(len(encoded), -1, scores.shape[-1]).mean(axis=1)

    return forward
