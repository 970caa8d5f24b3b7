"""What training images are varied by, beside the place of the crop."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class Augmentation:
    """Random changes of training images; the default is none but the crop's place.

    Args:
        window_area: bounds, in (0, 1], of the area of the window that is cut out and resized to
            the crop, as a share of the largest square of the image; uniform between them. None
            cuts out the crop at its own size.
        flip: mirror half of the images left to right.
        brightness: largest amount added to all pixels or taken from them, in [0, 1], where 1 is
            from black to white.
        contrast: largest relative change of contrast, in [0, 1].
        saturation: largest relative change of saturation, in [0, 1].
        hue: largest turn of the hue, in [0, 0.5] of the colour circle.

    Raises:
        ValueError: a bound is out of range.

    Example:
        >>> augmentation = Augmentation(window_area=(0.5, 1.0), flip=True, brightness=0.1)
    """

    window_area: tuple[float, float] | None = None
    flip: bool = False
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0

    def __post_init__(self) -> None:
        if self.window_area is not None:
            low, high = self.window_area
            if not 0 < low <= high <= 1:
                raise ValueError(
                    f"window_area must be two shares, 0 < low <= high <= 1, got {self.window_area}"
                )
        for name, most in (("brightness", 1), ("contrast", 1), ("saturation", 1), ("hue", 0.5)):
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be from 0 to {most}, got {getattr(self, name)}")

    def vary(self, image: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Flips and changes the colours of one image, inside a `tf.data` function.

        Args:
            image: uint8 (height, width, 3).
            draws: float32 (5,), uniform in [0, 1), one for each change.

        Returns:
            uint8 (height, width, 3).
        """
        if self.flip:
            image = tf.cond(draws[0] < 0.5, lambda: image[:, ::-1], lambda: image)
        if not (self.brightness or self.contrast or self.saturation or self.hue):
            return image
        change = 2.0 * draws - 1.0
        pixels = tf.cast(image, tf.float32) / 255.0
        if self.brightness:
            pixels = tf.image.adjust_brightness(pixels, self.brightness * change[1])
        if self.contrast:
            pixels = tf.image.adjust_contrast(pixels, 1.0 + self.contrast * change[2])
        # Saturation and hue are defined for colours between black and white only.
        pixels = tf.clip_by_value(pixels, 0.0, 1.0)
        if self.saturation:
            pixels = tf.image.adjust_saturation(pixels, 1.0 + self.saturation * change[3])
        if self.hue:
            pixels = tf.image.adjust_hue(pixels, self.hue * change[4])
        return tf.cast(tf.round(255.0 * tf.clip_by_value(pixels, 0.0, 1.0)), tf.uint8)
