"""The built-up: blocks, skylines, towns, bridges, airports."""

import numpy as np

from tfrecords_tools.sources.scenes.buildings import ROOFS, STONES, windows
from tfrecords_tools.sources.scenes.canvas import Canvas, mix, pick, shade
from tfrecords_tools.sources.scenes.registry import (
    BEHIND,
    ON_HORIZON,
    draws,
)


@draws("buildings", ON_HORIZON)
def buildings(canvas: Canvas) -> None:
    """Two or three flat-roofed blocks with rows of large windows."""
    rng = canvas.rng
    for left, right, top in ((-1, -0.3, -0.35), (0.3, 1, -0.5), (-0.4, 0.42, -0.8)):
        top = top + rng.uniform(-0.15, 0.15)
        stone = pick(rng, STONES)
        canvas.rectangle(left, top, right, 1, stone)
        canvas.rectangle(left + 0.52, top, right, 1, shade(stone, 0.85))
        canvas.rectangle(left - 0.03, top - 0.07, right + 0.03, top, shade(stone, 0.65))
        windows(
            canvas,
            np.linspace(left + 0.14, right - 0.14, 3),
            np.arange(top + 0.2, 0.85, 0.3),
            0.07,
            0.09,
        )
    canvas.rectangle(-0.1, 0.72, 0.12, 1, (70, 50, 42))


@draws("cityscape", BEHIND)
def cityscape(canvas: Canvas, horizon: float) -> None:
    """A skyline of narrow towers over the whole width, the far row paler."""
    rng = canvas.rng
    color = pick(rng, [(95, 105, 125), (120, 115, 120), (85, 95, 105), (110, 100, 95)])
    for row, tone in ((0, mix(color, (205, 212, 220), 0.5)), (1, color)):
        x = -0.02
        while x < 1:
            width = rng.uniform(0.05, 0.1)
            height = rng.uniform(0.15, 0.5) * (1.15 - 0.45 * row) * min(1.0, horizon / 0.5)
            top, shadow = horizon - height, shade(tone, rng.uniform(0.85, 1.1))
            canvas.rectangle(x, top, x + width, horizon + 0.02, shadow)
            if rng.random() < 0.3:
                canvas.line([(x + width / 2, top), (x + width / 2, top - 0.07)], shadow, 0.008)
            if row:
                ys = np.arange(top + 0.03, horizon, 0.045)
                windows(
                    canvas,
                    np.array([x + width * 0.3, x + width * 0.7]),
                    ys,
                    0.008,
                    0.012,
                    (225, 215, 175),
                )
            x += width


@draws("town", ON_HORIZON)
def town(canvas: Canvas) -> None:
    """A crowd of small gabled houses, stepped up a slope around a steeple."""
    rng = canvas.rng
    roof = pick(rng, ROOFS[:3])
    for y, xs in (
        (-0.1, (-0.5, 0.0, 0.45)),
        (0.3, (-0.75, -0.25, 0.3, 0.75)),
        (0.75, (-0.95, -0.5, 0.0, 0.5, 0.95)),
    ):
        if y > 0 and y < 0.5:
            canvas.rectangle(0.02, -0.75, 0.22, 0.5, (215, 205, 190))
            canvas.polygon([(-0.02, -0.72), (0.12, -1.15), (0.26, -0.72)], shade(roof, 0.7))
            canvas.ellipse(0.12, -0.5, 0.06, color=(60, 55, 60))
        for x in xs:
            x = x + rng.normal(0, 0.04)
            wall = pick(
                rng, [(235, 225, 205), (215, 190, 155), (225, 205, 200), (200, 205, 205)], 6
            )
            canvas.rectangle(x - 0.22, y, x + 0.22, y + 0.45, wall)
            canvas.polygon(
                [(x - 0.28, y + 0.03), (x, y - 0.27), (x + 0.28, y + 0.03)],
                shade(roof, rng.uniform(0.8, 1.2)),
            )
            windows(canvas, np.array([x - 0.1, x + 0.1]), np.array([y + 0.15]), 0.05, 0.06)


@draws("bridge", BEHIND)
def bridge(canvas: Canvas, horizon: float) -> None:
    """A suspension bridge, or stone arches, from side to side."""
    rng = canvas.rng
    deck = horizon - rng.uniform(0.17, 0.21)
    if rng.random() < 0.5:
        color = pick(rng, [(190, 75, 55), (110, 115, 125), (75, 95, 90)])
        towers, top = (rng.uniform(0.22, 0.28), rng.uniform(0.72, 0.78)), deck - 0.27
        cable = [(-0.05, deck - 0.05), (towers[0], top)]
        middle = np.linspace(-1, 1, 11)
        for t in middle:
            x = (towers[0] + towers[1]) / 2 + t * (towers[1] - towers[0]) / 2
            y = deck - 0.03 - (deck - 0.03 - top) * t * t
            cable.append((x, y))
            canvas.line([(x, y), (x, deck)], color, 0.006)
        canvas.line([*cable, (1.05, deck - 0.05)], color, 0.014)
        for x in towers:
            canvas.rectangle(x - 0.02, top - 0.02, x + 0.02, horizon + 0.08, shade(color, 0.9))
            canvas.light(x, top, 0.02)
        canvas.rectangle(-0.02, deck, 1.02, deck + 0.035, shade(color, 0.8))
        return
    stone = pick(rng, STONES)
    count = rng.integers(3, 5)
    canvas.rectangle(-0.02, deck - 0.05, 1.02, deck + 0.045, stone)
    canvas.rectangle(-0.02, deck - 0.06, 1.02, deck - 0.035, shade(stone, 1.2))
    pitch = 1 / count
    for x in np.arange(count + 1) * pitch:
        canvas.rectangle(x - 0.035, deck, x + 0.035, horizon + 0.08, shade(stone, 0.9))
        angles = np.linspace(np.pi, 0, 9)
        arch = np.stack([np.cos(angles) * (pitch / 2 - 0.03), -np.sin(angles) * 0.1], axis=1)
        under = arch + (x + pitch / 2, deck + 0.14)
        corners = [(x + pitch, deck + 0.14), (x + pitch, deck), (x, deck), (x, deck + 0.14)]
        canvas.polygon(np.vstack([under, corners]), stone)


@draws("airport", ON_HORIZON)
def airport(canvas: Canvas) -> None:
    """A glass terminal and control tower before a runway, a tail fin behind."""
    rng = canvas.rng
    wall = pick(rng, [(205, 208, 212), (180, 185, 190), (215, 205, 190)], 6)
    canvas.polygon(
        [(0.45, 0.3), (0.72, -0.3), (0.92, -0.3), (0.88, 0.3)],
        pick(rng, [(200, 60, 60), (60, 90, 170), (60, 140, 110)]),
    )
    canvas.smooth([(-1.05, 0.6), (-1.0, 0.25), (-0.1, 0.02), (0.9, 0.3), (1.05, 0.6)], wall)
    canvas.rectangle(-1.02, 0.38, 1.02, 0.66, (95, 130, 155))
    for x in np.linspace(-0.95, 0.95, 9):
        canvas.line([(x, 0.38), (x, 0.66)], wall, 0.05)
    canvas.polygon([(-0.66, 0.6), (-0.62, -0.55), (-0.42, -0.55), (-0.38, 0.6)], shade(wall, 0.85))
    canvas.polygon([(-0.72, -0.5), (-0.85, -0.88), (-0.2, -0.88), (-0.32, -0.5)], (70, 100, 125))
    canvas.rectangle(-0.88, -0.98, -0.17, -0.86, wall)
    canvas.line([(-0.52, -0.98), (-0.52, -1.2)], (200, 60, 50), 0.05)
    canvas.light(-0.52, -0.7, 0.3)
    canvas.polygon([(-1.1, 0.66), (1.1, 0.66), (1.25, 1), (-1.25, 1)], (98, 100, 106))
    for x in np.linspace(-1, 0.85, 6):
        canvas.rectangle(x, 0.8, x + 0.2, 0.87, (245, 245, 240))
