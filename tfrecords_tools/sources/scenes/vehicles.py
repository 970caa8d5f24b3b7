"""Vehicles; all take their paint from the same colours."""

import numpy as np

from tfrecords_tools.sources.scenes.canvas import Canvas, Color, pick, shade
from tfrecords_tools.sources.scenes.registry import IN_FRONT, IN_SKY, draws

PAINTS: list[Color] = [
    (190, 50, 45), (60, 95, 160), (235, 235, 232), (55, 56, 62), (240, 190, 60),
    (90, 135, 100), (165, 170, 175),
]  # fmt: skip
GLASS: Color = (125, 155, 175)


def _wheel(canvas: Canvas, x: float, y: float, radius: float) -> None:
    canvas.ellipse(x, y, radius, color=(30, 30, 34))
    canvas.ellipse(x, y, radius * 0.5, color=(185, 188, 192))


@draws("cars", IN_FRONT)
def cars(canvas: Canvas) -> None:
    """A saloon from the side, or a car from the front."""
    rng = canvas.rng
    paint = pick(rng, PAINTS)
    canvas.shadow(1.0)
    if rng.random() < 0.65:
        canvas.smooth([(-0.62, 0.3), (-0.4, -0.2), (0.25, -0.2), (0.6, 0.3)], shade(paint, 0.9))
        canvas.polygon([(-0.48, 0.24), (-0.32, -0.1), (-0.06, -0.1), (-0.06, 0.24)], GLASS)
        canvas.polygon([(0.02, -0.1), (0.22, -0.1), (0.44, 0.24), (0.02, 0.24)], GLASS)
        canvas.smooth(
            [
                (-1.0, 0.75),
                (-0.98, 0.3),
                (0, 0.2),
                (0.75, 0.28),
                (1.02, 0.5),
                (1.0, 0.78),
                (0, 0.82),
            ],
            paint,
        )
        canvas.line([(-0.95, 0.5), (0.95, 0.52)], shade(paint, 0.75), 0.03)
        canvas.ellipse(0.93, 0.48, 0.08, 0.07, color=(252, 244, 200))
        canvas.light(0.95, 0.48, 0.12)
        for x in (-0.58, 0.58):
            _wheel(canvas, x, 0.78, 0.21)
        return
    for x in (-0.62, 0.62):
        canvas.rectangle(x - 0.14, 0.6, x + 0.14, 0.98, (30, 30, 34))
    canvas.smooth([(-0.65, 0.2), (-0.5, -0.4), (0.5, -0.4), (0.65, 0.2)], shade(paint, 0.85))
    canvas.polygon([(-0.55, 0.12), (-0.42, -0.3), (0.42, -0.3), (0.55, 0.12)], GLASS)
    canvas.smooth(
        [(-0.88, 0.75), (-0.85, 0.2), (0, 0.05), (0.85, 0.2), (0.88, 0.75), (0, 0.85)], paint
    )
    canvas.rectangle(-0.35, 0.42, 0.35, 0.58, (40, 40, 44))
    for x in (-0.62, 0.62):
        canvas.ellipse(x, 0.42, 0.15, 0.11, color=(252, 246, 215))
        canvas.light(x, 0.42, 0.16)
    canvas.rectangle(-0.2, 0.66, 0.2, 0.78, (248, 248, 240))


@draws("vehicle", IN_FRONT)
def vehicle(canvas: Canvas) -> None:
    """A lorry, a bus, or a bicycle: what rolls without a tag of its own."""
    rng = canvas.rng
    paint = pick(rng, PAINTS)
    canvas.shadow(1.0)
    kind = rng.choice(["lorry", "bus", "bicycle"], p=[0.4, 0.4, 0.2])
    if kind == "lorry":
        canvas.rectangle(
            -1, -0.55, 0.35, 0.68, pick(rng, [(228, 226, 220), (150, 155, 160), *PAINTS])
        )
        for x in np.linspace(-0.85, 0.2, 6):
            canvas.line([(x, -0.5), (x, 0.62)], (120, 120, 122), 0.02)
        canvas.polygon([(0.4, -0.2), (0.78, -0.2), (0.98, 0.25), (1.0, 0.72), (0.4, 0.72)], paint)
        canvas.polygon([(0.52, -0.08), (0.75, -0.08), (0.88, 0.24), (0.52, 0.24)], GLASS)
        canvas.rectangle(-1, 0.66, 1, 0.76, (50, 50, 54))
        for x in (-0.72, -0.32, 0.68):
            _wheel(canvas, x, 0.8, 0.19)
        canvas.light(0.98, 0.55, 0.1)
    elif kind == "bus":
        canvas.rectangle(-1, -0.5, 1, 0.78, paint)
        canvas.rectangle(-1, -0.56, 1, -0.44, shade(paint, 0.8))
        for x in np.linspace(-0.82, 0.52, 5):
            canvas.rectangle(x - 0.14, -0.3, x + 0.14, 0.12, GLASS)
            canvas.light(x, -0.1, 0.12)
        canvas.rectangle(0.74, -0.3, 0.96, 0.7, shade(GLASS, 0.8))
        canvas.line([(-1, 0.32), (0.7, 0.32)], (245, 245, 240), 0.08)
        for x in (-0.6, 0.5):
            _wheel(canvas, x, 0.78, 0.2)
    else:
        for x in (-0.55, 0.55):
            rim = [
                (x + 0.42 * np.cos(t), 0.55 + 0.42 * np.sin(t)) for t in np.linspace(0, 6.28, 18)
            ]
            canvas.line(rim, (35, 35, 38), 0.07, closed=True)
            for angle in (0.3, 1.35, 2.4):
                dx, dy = 0.4 * np.cos(angle), 0.4 * np.sin(angle)
                canvas.line([(x - dx, 0.55 - dy), (x + dx, 0.55 + dy)], (170, 170, 172), 0.02)
        canvas.line(
            [(-0.55, 0.55), (-0.22, -0.1), (0.36, -0.1), (0.0, 0.55), (-0.55, 0.55)], paint, 0.09
        )
        canvas.line([(0.0, 0.55), (-0.25, -0.25)], paint, 0.09)
        canvas.line([(0.55, 0.55), (0.32, -0.35), (0.55, -0.42)], paint, 0.09)
        canvas.line([(-0.42, -0.27), (-0.1, -0.27)], (30, 28, 28), 0.11)


@draws("train", IN_FRONT)
def train(canvas: Canvas) -> None:
    """A steam engine with smoke, or an express with a long nose."""
    rng = canvas.rng
    paint = pick(rng, PAINTS)
    canvas.rectangle(-1.15, 0.93, 1.15, 1.0, (95, 85, 80))
    if rng.random() < 0.45:
        for x, y, radius in ((0.45, -0.7, 0.16), (0.2, -0.82, 0.22), (-0.15, -0.88, 0.26)):
            canvas.ellipse(x, y, radius, color=(222, 222, 224), alpha=0.85)
        canvas.rectangle(-0.35, 0.02, 0.85, 0.58, paint)
        canvas.ellipse(0.85, 0.3, 0.12, 0.28, color=shade(paint, 0.7))
        canvas.rectangle(-1, -0.4, -0.3, 0.62, shade(paint, 0.85))
        canvas.rectangle(-1.06, -0.5, -0.24, -0.36, (45, 42, 44))
        canvas.rectangle(-0.82, -0.2, -0.48, 0.12, GLASS)
        canvas.polygon([(0.4, 0.05), (0.34, -0.5), (0.7, -0.5), (0.62, 0.05)], (40, 38, 40))
        canvas.ellipse(0.05, 0.0, 0.14, color=(225, 185, 85))
        for x in (-0.75, -0.25, 0.2):
            _wheel(canvas, x, 0.72, 0.23)
        _wheel(canvas, 0.65, 0.8, 0.14)
        canvas.line([(-0.75, 0.75), (0.2, 0.75)], (200, 60, 50), 0.06)
        canvas.polygon([(0.85, 0.65), (1.1, 0.95), (0.75, 0.95)], (60, 58, 60))
        return
    canvas.smooth(
        [(-1.2, 0.82), (-1.2, -0.2), (0.3, -0.25), (0.75, 0.0), (1.08, 0.6), (1.0, 0.85)], paint
    )
    canvas.line([(-1.1, 0.55), (0.98, 0.58)], (245, 245, 242), 0.12)
    for x in np.linspace(-0.95, 0.25, 6):
        canvas.rectangle(x - 0.08, -0.08, x + 0.08, 0.25, (45, 55, 68))
        canvas.light(x, 0.08, 0.08)
    canvas.polygon([(0.48, -0.05), (0.68, 0.02), (0.88, 0.32), (0.55, 0.32)], (35, 45, 58))
    canvas.line([(-0.8, -0.2), (-0.6, -0.45), (-0.4, -0.2)], (70, 70, 74), 0.04)
    canvas.line([(-1.1, -0.47), (1.1, -0.47)], (60, 60, 64), 0.02)
    canvas.line([(-1.1, 0.88), (0.95, 0.88)], (45, 45, 48), 0.1)


@draws("plane", IN_SKY)
def plane(canvas: Canvas) -> None:
    """An airliner from the side below, or from above with swept wings."""
    rng = canvas.rng
    paint = pick(rng, [(240, 240, 242), (190, 195, 202), (75, 80, 90), (225, 205, 170)])
    accent = pick(rng, PAINTS)
    tilted = canvas.at(0, 0, 1, angle=rng.uniform(-0.45, 0.2))
    if rng.random() < 0.6:
        tilted.polygon(
            [(-0.15, -0.05), (-0.5, -0.6), (-0.3, -0.6), (0.25, -0.08)], shade(paint, 0.7)
        )
        tilted.polygon([(-0.7, -0.02), (-1.0, -0.5), (-0.78, -0.5), (-0.48, -0.08)], accent)
        tilted.smooth(
            [(-1.0, -0.05), (-0.4, -0.16), (0.7, -0.16), (1.03, 0.04), (0.7, 0.17), (-0.5, 0.13)],
            paint,
        )
        tilted.polygon([(0.2, 0.05), (-0.45, 0.7), (-0.2, 0.7), (0.48, 0.08)], shade(paint, 0.82))
        tilted.ellipse(0.05, 0.32, 0.17, 0.09, color=shade(accent, 0.8))
        for x in np.linspace(-0.45, 0.6, 8):
            tilted.ellipse(x, -0.04, 0.04, color=(60, 80, 100))
        tilted.polygon([(0.8, -0.11), (0.93, -0.06), (0.8, -0.03)], (50, 65, 80))
        tilted.polygon(
            [(-0.75, 0.0), (-1.0, 0.22), (-0.85, 0.22), (-0.55, 0.05)], shade(paint, 0.75)
        )
    else:
        tilted.polygon(
            [
                (0.3, -0.08),
                (-0.45, -1),
                (-0.65, -1),
                (-0.2, 0),
                (-0.65, 1),
                (-0.45, 1),
                (0.3, 0.08),
            ],
            shade(paint, 0.85),
        )
        tilted.polygon(
            [(-0.65, 0), (-1, -0.4), (-1.05, -0.4), (-0.95, 0), (-1.05, 0.4), (-1, 0.4)], accent
        )
        tilted.smooth(
            [(-1, 0), (-0.5, -0.13), (0.7, -0.13), (1, 0), (0.7, 0.13), (-0.5, 0.13)], paint
        )
        for y in (-0.5, 0.5):
            tilted.ellipse(0.05, y, 0.14, 0.07, color=accent)
    tilted.light(1.0, 0.04, 0.08)


@draws("boats", IN_FRONT)
def boats(canvas: Canvas) -> None:
    """A sailing boat, or a rowing boat with oars."""
    rng = canvas.rng
    hull = pick(rng, [(150, 60, 50), (235, 232, 225), (55, 80, 120), (130, 95, 60), (70, 110, 90)])
    canvas.ellipse(0, 0.92, 1.0, 0.12, color=(60, 100, 130), alpha=0.5)
    shape = [(-0.95, 0.38), (0.98, 0.32), (0.65, 0.9), (-0.65, 0.9)]
    if rng.random() < 0.65:
        canvas.line([(0, 0.4), (0, -1)], (95, 70, 50), 0.07)
        sail = pick(rng, [(245, 242, 235), (240, 225, 190), (200, 80, 70)])
        canvas.smooth([(0.06, -0.95), (0.55, -0.1), (0.8, 0.25), (0.06, 0.22)], sail)
        canvas.polygon([(-0.06, -0.8), (-0.06, 0.22), (-0.62, 0.22)], shade(sail, 0.85))
    else:
        canvas.line([(-0.2, 0.4), (-0.9, 0.95)], (170, 130, 85), 0.07)
        canvas.line([(0.3, 0.4), (0.95, 0.95)], (170, 130, 85), 0.07)
        canvas.rectangle(-0.3, 0.0, 0.35, 0.4, shade(hull, 1.25))
        canvas.rectangle(-0.2, 0.08, 0.05, 0.28, (70, 85, 95))
    canvas.polygon(shape, hull)
    canvas.line([(-0.92, 0.42), (0.95, 0.36)], shade(hull, 1.4), 0.08)
