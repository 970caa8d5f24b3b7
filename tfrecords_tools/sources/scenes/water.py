"""Water in its forms."""

import cv2
import numpy as np

from tfrecords_tools.sources.scenes.canvas import Canvas, Color, mix, pick, ridge, shade
from tfrecords_tools.sources.scenes.landscape import outline
from tfrecords_tools.sources.scenes.registry import BANDS, BEHIND, ON_HORIZON, draws

WATERS: list[Color] = [
    (70, 120, 150),
    (60, 105, 125),
    (95, 140, 150),
    (55, 90, 130),
    (85, 115, 105),
]


@draws("ocean", BANDS)
def ocean(canvas: Canvas, top: float, bottom: float) -> None:
    """Deep water up to the horizon with rows of white crests."""
    rng = canvas.rng
    color = pick(rng, WATERS)
    canvas.gradient(top, bottom, shade(color, 0.75), shade(color, 1.1))
    for t in (0.18, 0.45, 0.82):
        y, size = top + (bottom - top) * t, 0.03 + 0.07 * t
        for x in np.arange(rng.uniform(-size, 0), 1.1, size * 4.6):
            crest = [
                (x - size * 1.4, y),
                (x, y - size * 0.5),
                (x + size * 1.4, y),
                (x, y - size * 0.1),
            ]
            canvas.smooth(crest, (236, 243, 245))


@draws("lake", BANDS)
def lake(canvas: Canvas, top: float, bottom: float) -> None:
    """Still water inside a wooded shore with reeds."""
    rng = canvas.rng
    shore = pick(rng, [(95, 120, 75), (120, 115, 85), (85, 105, 80)])
    color = pick(rng, WATERS)
    canvas.gradient(top, bottom, shade(shore, 0.8), shore)
    depth = bottom - top
    canvas.ellipse(
        0.5, top + depth * 0.52, 0.47, depth * 0.4, color=mix(color, (225, 232, 235), 0.25)
    )
    canvas.ellipse(0.5, top + depth * 0.58, 0.42, depth * 0.31, color=color)
    for x in np.arange(0.02, 1, 0.075):
        height = rng.uniform(0.05, 0.1)
        canvas.polygon(
            [(x - 0.035, top + 0.02), (x, top - height), (x + 0.035, top + 0.02)], shade(shore, 0.5)
        )
    x = rng.uniform(0.08, 0.9)
    for dx in rng.uniform(-0.07, 0.07, 6):
        canvas.line([(x + dx, bottom), (x + dx * 1.6, bottom - 0.13)], (60, 85, 45), 0.012)


@draws("water", BANDS)
def water(canvas: Canvas, top: float, bottom: float) -> None:
    """Open water with bright ripples."""
    rng = canvas.rng
    color = pick(rng, WATERS)
    canvas.gradient(top, bottom, mix(color, (215, 225, 230), 0.3), color)
    for t in np.sort(rng.random(15)):
        x, y, half = rng.random(), top + (bottom - top) * t, rng.uniform(0.05, 0.1) * (0.6 + t)
        canvas.ellipse(x, y, half, 0.007 + 0.006 * t, color=mix(color, (255, 255, 255), 0.5))
        canvas.ellipse(x + half, y + 0.016, half, 0.007, color=shade(color, 0.75))


@draws("harbor", BEHIND)
def harbor(canvas: Canvas, horizon: float) -> None:
    """A quay with cranes and a row of masts."""
    rng = canvas.rng
    for x in np.arange(rng.uniform(0.03, 0.08), 1, 0.1):
        height = rng.uniform(0.16, 0.3)
        canvas.line([(x, horizon), (x, horizon - height)], (90, 75, 65), 0.012)
        canvas.line([(x, horizon - height), (x + 0.04, horizon - 0.02)], (225, 225, 220), 0.006)
        hull = pick(rng, [(235, 235, 235), (60, 90, 140), (170, 60, 55)])
        hull_shape = [
            (x - 0.045, horizon - 0.03),
            (x + 0.045, horizon - 0.03),
            (x + 0.03, horizon + 0.02),
        ]
        canvas.polygon([*hull_shape, (x - 0.03, horizon + 0.02)], hull)
    x, color = rng.uniform(0.2, 0.75), pick(rng, [(200, 110, 50), (70, 100, 130), (150, 60, 60)])
    for post in (x - 0.06, x + 0.06):
        canvas.line([(post, horizon), (x, horizon - 0.42)], color, 0.02)
    canvas.line([(x - 0.14, horizon - 0.36), (x + 0.25, horizon - 0.44)], color, 0.026)
    canvas.line([(x + 0.2, horizon - 0.43), (x + 0.2, horizon - 0.25)], (60, 60, 60), 0.008)
    canvas.rectangle(0, horizon - 0.012, 1, horizon + 0.045, (115, 108, 102))


@draws("waterfall", ON_HORIZON)
def waterfall(canvas: Canvas) -> None:
    """White strands down a dark cliff into spray."""
    rng = canvas.rng
    rock = pick(rng, [(85, 80, 75), (95, 90, 70), (75, 85, 80)])
    cliff = [(-1, 1), (-0.95, -0.6), (-0.6, -0.95), (0, -0.85), (0.6, -1), (0.95, -0.6), (1, 1)]
    canvas.polygon(cliff, rock)
    for x, y in rng.uniform(-0.85, 0.85, (9, 2)):
        canvas.polygon(
            [(x, y), (x + 0.22, y + 0.08), (x + 0.1, y + 0.3)], shade(rock, rng.uniform(0.7, 1.3))
        )
    half = rng.uniform(0.28, 0.42)
    canvas.polygon(
        [(-half * 0.7, -0.88), (half * 0.7, -0.88), (half, 0.95), (-half, 0.95)], (205, 222, 232)
    )
    for x in np.linspace(-half, half, 9):
        canvas.line([(x * 0.7, -0.88), (x, 0.95)], (250, 252, 254), 0.06)
    for x in rng.uniform(-0.7, 0.7, 8):
        canvas.ellipse(x, 0.92, rng.uniform(0.12, 0.24), 0.14, color=(244, 248, 250), alpha=0.7)


def reflect(canvas: Canvas, waterline: float) -> None:
    """Squeeze the picture above the waterline and mirror it, rippled and darker, below.

    A dark bank is added first: on a bare wall there would be nothing to see twice.
    """
    rng = canvas.rng
    side = canvas.side
    bank = pick(rng, [(70, 85, 60), (85, 75, 60), (70, 75, 85)])
    canvas.smooth(outline(ridge(rng, 13, 0.6), 1.0, rng.uniform(0.1, 0.16)), bank)
    line = round(waterline * side)
    above = cv2.resize(canvas.pixels, (side, line), interpolation=cv2.INTER_AREA)
    mirrored = above[::-1][: side - line]
    mirrored = cv2.resize(mirrored, (side, side - line))
    distance = np.arange(side - line)
    swing = rng.uniform(0.006, 0.014) * side * np.sin(distance * 0.9) * (0.4 + distance / side)
    columns = np.clip(np.arange(side)[None] + np.round(swing).astype(int)[:, None], 0, side - 1)
    mirrored = np.take_along_axis(mirrored, columns[..., None], axis=1)
    canvas.pixels[:line] = above
    tint = np.array(pick(rng, WATERS))
    canvas.pixels[line:] = (mirrored * 0.72 + tint * 0.22).astype(np.uint8)
    canvas.rectangle(0, waterline - 0.006, 1, waterline + 0.008, (215, 225, 230), 0.7)
    for y in np.linspace(waterline + 0.05, 0.97, 6):
        x, half = rng.random(), rng.uniform(0.15, 0.35)
        canvas.ellipse(x, y, half, 0.006, color=(225, 235, 240), alpha=0.6)
    for lamp, (x, y, radius) in enumerate(canvas.lights):
        canvas.lights[lamp] = (x, y * waterline, radius)
