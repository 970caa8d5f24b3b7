"""The canvas that all drawings share: shapes in a movable frame, colours, soft textures.

The outermost frame runs from (0, 0), top left, to (1, 1). `Canvas.at` gives a frame for one
object, which by convention is drawn within -1 to 1 on both axes and stands on y = 1. Shapes are
filled at twice the final resolution and averaged down, which is all the antialiasing there is.
"""

from collections.abc import Sequence

import cv2
import numpy as np

Color = tuple[float, float, float]
Points = Sequence[Sequence[float]] | np.ndarray

SUPERSAMPLING = 2
_SHIFT = 4  # fractional bits of OpenCV's fixed-point coordinates
_ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
_STEPS = np.linspace(0, 1, 4, endpoint=False)
# Catmull-Rom: rows are points between the second and third of four control points.
_SPLINE = (
    np.stack([_STEPS**0, _STEPS, _STEPS**2, _STEPS**3], axis=1)
    @ np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]])
    / 2
)


class Canvas:
    """Pixels, a random generator, and the frame in which shapes are given.

    Args:
        size: side of the final picture in pixels.
        rng: every random choice of a drawing comes from here.
    """

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        side = size * SUPERSAMPLING
        self.pixels = np.zeros((side, side, 3), np.uint8)
        self.rng = rng
        self.lights: list[tuple[float, float, float]] = []
        self._matrix = np.eye(2) * side
        self._origin = np.zeros(2)

    def at(
        self,
        x: float,
        y: float,
        scale: float | tuple[float, float],
        *,
        flip: bool = False,
        angle: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> "Canvas":
        """The same canvas in a frame centred on (x, y), `scale` times as large (width, height)."""
        width, height = scale if isinstance(scale, tuple) else (scale, scale)
        cos, sin = np.cos(angle), np.sin(angle)
        turn = np.array([[cos, -sin], [sin, cos]])
        child = object.__new__(Canvas)
        child.pixels, child.lights, child.rng = self.pixels, self.lights, rng or self.rng
        child._matrix = self._matrix @ turn @ np.diag([-width if flip else width, height])
        child._origin = self._matrix @ (x, y) + self._origin
        return child

    @property
    def side(self) -> int:
        """Side of `pixels`."""
        return len(self.pixels)

    def to_pixels(self, points: Points) -> np.ndarray:
        """Pixel coordinates of points in this frame, float (n, 2)."""
        return np.asarray(points, float) @ self._matrix.T + self._origin

    def polygon(self, points: Points, color: Color, alpha: float = 1.0) -> None:
        """Fill a polygon; `alpha` below 1 lets the picture behind it show through."""
        self._fill(self.to_pixels(points), color, alpha)

    def smooth(self, points: Points, color: Color, alpha: float = 1.0) -> None:
        """Fill the closed smooth curve through the points."""
        corners = np.asarray(points, float)
        around = np.stack([np.roll(corners, shift, axis=0) for shift in (1, 0, -1, -2)])
        self._fill(
            self.to_pixels(np.einsum("sk,knd->nsd", _SPLINE, around).reshape(-1, 2)), color, alpha
        )

    def ellipse(
        self,
        x: float,
        y: float,
        width: float,
        height: float | None = None,
        *,
        color: Color,
        angle: float = 0.0,
        alpha: float = 1.0,
    ) -> None:
        """Fill an ellipse given its centre and half axes; without `height`, a circle."""
        points = _CIRCLE * (width, width if height is None else height)
        if angle:
            cos, sin = np.cos(angle), np.sin(angle)
            points = points @ np.array([[cos, sin], [-sin, cos]])
        self._fill(self.to_pixels(points + (x, y)), color, alpha)

    def rectangle(
        self, left: float, top: float, right: float, bottom: float, color: Color, alpha: float = 1.0
    ) -> None:
        """Fill a rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], color, alpha)

    def line(self, points: Points, color: Color, width: float, closed: bool = False) -> None:
        """Draw a line through the points, at least a pixel wide."""
        thickness = max(1, round(width * float(np.abs(np.linalg.det(self._matrix))) ** 0.5))
        fixed = np.round(self.to_pixels(points) * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(self.pixels, [fixed], closed, color, thickness, cv2.LINE_8, _SHIFT)

    def light(self, x: float, y: float, radius: float) -> None:
        """A lamp at (x, y) that shines at night."""
        pixel = self.to_pixels([(x, y)])[0]
        self.lights.append((pixel[0], pixel[1], radius * abs(np.linalg.det(self._matrix)) ** 0.5))

    def shadow(self, width: float = 0.8) -> None:
        """A soft shadow on the ground under an object."""
        self.ellipse(0, 0.98, width, 0.09, color=(20, 22, 30), alpha=0.3)

    def rows(self, top: float, bottom: float) -> slice:
        """Rows of `pixels` from `top` to `bottom` of the picture (outermost frame)."""
        first, last = (int(np.clip(round(y * self.side), 0, self.side)) for y in (top, bottom))
        return slice(first, max(last, first))

    def gradient(self, top: float, bottom: float, above: Color, below: Color) -> None:
        """Fill the picture's full width with a vertical gradient."""
        region = self.pixels[self.rows(top, bottom)]
        steps = np.linspace(0, 1, max(len(region), 1))[: len(region), None]
        region[:] = (np.array(above) * (1 - steps) + np.array(below) * steps)[:, None]

    def texture(self, top: float, bottom: float, cells: tuple[int, int], strength: float) -> None:
        """Add smooth noise of `cells` (across, down) to the rows, in grey levels."""
        region = self.pixels[self.rows(top, bottom)]
        if not len(region):
            return
        noise = self.rng.normal(0, strength, cells[::-1]).astype(np.float32)
        smooth = cv2.resize(noise, (self.side, len(region)), interpolation=cv2.INTER_LINEAR)
        region[:] = np.clip(region + smooth[..., None], 0, 255)

    def blend(self, layer: np.ndarray, alpha: float) -> None:
        """Mix a picture of the same shape into this one."""
        cv2.addWeighted(layer, alpha, self.pixels, 1 - alpha, 0, dst=self.pixels)

    def _fill(self, points: np.ndarray, color: Color, alpha: float) -> None:
        if alpha >= 1:
            fixed = np.round(points * (1 << _SHIFT)).astype(np.int32)
            cv2.fillPoly(self.pixels, [fixed], color, cv2.LINE_8, _SHIFT)
            return
        low = np.clip(np.floor(points.min(axis=0)).astype(int), 0, self.side)
        high = np.clip(np.ceil(points.max(axis=0)).astype(int) + 1, 0, self.side)
        region = self.pixels[low[1] : high[1], low[0] : high[0]]
        if region.size:
            layer = region.copy()
            fixed = np.round((points - low) * (1 << _SHIFT)).astype(np.int32)
            cv2.fillPoly(layer, [fixed], color, cv2.LINE_8, _SHIFT)
            region[:] = cv2.addWeighted(layer, alpha, region, 1 - alpha, 0)


def shade(color: Color, factor: float) -> Color:
    """The colour, lighter (above 1) or darker (below 1)."""
    red, green, blue = (min(255.0, channel * factor) for channel in color)
    return red, green, blue


def mix(first: Color, second: Color, part: float) -> Color:
    """The colour `part` of the way from the first to the second."""
    red, green, blue = (a + (b - a) * part for a, b in zip(first, second, strict=True))
    return red, green, blue


def pick(rng: np.random.Generator, palette: Sequence[Color], spread: float = 10) -> Color:
    """A colour from the palette, moved by a few grey levels, less in hue than in lightness."""
    base = np.array(palette[int(rng.integers(len(palette)))])
    moved = base + rng.normal(0, spread) + rng.normal(0, spread / 2, 3)
    red, green, blue = np.clip(moved, 0, 255).tolist()
    return red, green, blue


def ridge(rng: np.random.Generator, num_points: int = 33, roughness: float = 0.5) -> np.ndarray:
    """A rugged profile from 0 to 1, left to right, float (num_points,)."""
    across = np.linspace(0, 1, num_points)
    profile = np.zeros(num_points)
    for octave in range(1, 5):
        knots = 2**octave + 1
        heights = rng.random(knots) * roughness ** (octave - 1)
        profile += np.interp(across, np.linspace(0, 1, knots), heights)
    profile -= profile.min()
    return profile / max(profile.max(), 1e-6)
