"""Hoofed animals, told apart by build, horns and mane."""

import numpy as np

from tfrecords_tools.sources.scenes.animals import BROWNS, COATS, DARK, eye, legs
from tfrecords_tools.sources.scenes.canvas import Canvas, Color, mix, pick, shade
from tfrecords_tools.sources.scenes.registry import (
    IN_FRONT,
    draws,
)


@draws("cow", IN_FRONT)
def cow(canvas: Canvas) -> None:
    """A square body, often with patches, horns, an udder and a thin tail."""
    rng = canvas.rng
    coat = pick(rng, [(240, 236, 228), (150, 95, 60), (60, 52, 50), (190, 140, 95)])
    patch = pick(rng, [(40, 36, 38), (140, 80, 50)])
    canvas.shadow(0.95)
    canvas.line([(-0.82, -0.25), (-0.95, 0.1), (-0.9, 0.5)], shade(coat, 0.7), 0.05)
    legs(canvas, (-0.65, -0.5, 0.2, 0.35), 0.3, 0.1, coat)
    canvas.ellipse(-0.3, 0.5, 0.15, 0.12, color=(235, 170, 165))
    body = [(-0.85, -0.3), (0.4, -0.38), (0.52, 0.1), (0.4, 0.42), (-0.75, 0.45)]
    canvas.polygon(body, coat)
    if rng.random() < 0.7:
        for x, y in ((-0.55, -0.1), (-0.05, 0.1), (0.28, -0.18)):
            canvas.ellipse(x, y, rng.uniform(0.13, 0.22), rng.uniform(0.12, 0.18), color=patch)
    for side in (-1, 1):
        canvas.line(
            [(0.64 + side * 0.14, -0.55), (0.64 + side * 0.32, -0.85)], (235, 228, 205), 0.09
        )
        canvas.ellipse(
            0.64 + side * 0.32, -0.42, 0.16, 0.08, color=shade(coat, 0.8), angle=side * 0.3
        )
    canvas.smooth([(0.42, -0.55), (0.86, -0.55), (0.8, 0.0), (0.48, 0.0)], coat)
    canvas.ellipse(0.64, 0.02, 0.22, 0.15, color=(232, 178, 168))
    for side in (-1, 1):
        eye(canvas, 0.64 + side * 0.14, -0.36)
        eye(canvas, 0.64 + side * 0.08, 0.02, 0.03)


def _horse(canvas: Canvas, coat: Color, mane: Color) -> None:
    canvas.shadow()
    canvas.smooth([(-0.62, -0.1), (-0.88, 0.1), (-0.92, 0.6), (-0.78, 0.55), (-0.68, 0.1)], mane)
    legs(canvas, (-0.55, -0.42, 0.2, 0.34), 0.15, 0.085, coat)
    canvas.ellipse(-0.12, 0.02, 0.58, 0.28, color=coat)
    canvas.polygon([(0.1, -0.15), (0.5, -0.82), (0.74, -0.72), (0.45, 0.12)], coat)
    canvas.polygon([(0.05, -0.18), (0.42, -0.92), (0.54, -0.85), (0.26, -0.15)], mane)
    canvas.polygon([(0.5, -0.84), (0.54, -1.0), (0.64, -0.82)], coat)
    canvas.smooth([(0.48, -0.85), (0.7, -0.82), (1.0, -0.42), (0.88, -0.3), (0.6, -0.52)], coat)
    eye(canvas, 0.68, -0.68, 0.04)


@draws("horses", IN_FRONT)
def horses(canvas: Canvas) -> None:
    """Long legs, an arched neck with a mane, a full tail; sometimes two of them."""
    rng = canvas.rng
    if rng.random() < 0.3:
        _horse(canvas.at(-0.25, -0.12, 0.85), *[pick(rng, COATS), (50, 40, 36)])
    _horse(canvas, pick(rng, COATS), pick(rng, [(40, 34, 32), (210, 190, 150), (90, 60, 45)]))


@draws("zebra", IN_FRONT)
def zebra(canvas: Canvas) -> None:
    """A horse's build in black and white stripes, the mane short and upright."""
    white = pick(canvas.rng, [(240, 238, 232), (222, 214, 200)], 5)
    _horse(canvas, white, DARK)
    for x in np.linspace(-0.62, 0.38, 8):
        half = 0.27 * np.sqrt(1 - ((x + 0.12) / 0.6) ** 2)
        canvas.line([(x, 0.02 - half), (x + 0.05, 0.02 + half)], DARK, 0.065)
    for t in (0.15, 0.4, 0.65, 0.9):
        canvas.line(
            [(0.14 + 0.4 * t, -0.12 - 0.62 * t), (0.46 + 0.25 * t, 0.0 - 0.7 * t)], DARK, 0.06
        )
    for x in (-0.55, -0.42, 0.2, 0.34):
        for y in (0.4, 0.58, 0.76):
            canvas.line([(x - 0.08, y), (x + 0.08, y)], DARK, 0.05)


@draws("elk", IN_FRONT)
def elk(canvas: Canvas) -> None:
    """Slender, with branching antlers and a pale rump."""
    rng = canvas.rng
    coat = pick(rng, [*BROWNS, (140, 120, 100)])
    canvas.shadow()
    legs(canvas, (-0.55, -0.42, 0.12, 0.26), 0.25, 0.065, shade(coat, 0.85))
    canvas.ellipse(-0.15, 0.15, 0.5, 0.25, color=coat)
    canvas.ellipse(-0.58, 0.1, 0.12, 0.16, color=mix(coat, (250, 240, 220), 0.7))
    canvas.polygon([(0.05, 0.05), (0.34, -0.4), (0.54, -0.3), (0.36, 0.3)], shade(coat, 0.8))
    canvas.smooth([(0.34, -0.42), (0.55, -0.44), (0.84, -0.22), (0.74, -0.12), (0.48, -0.2)], coat)
    horn = pick(rng, [(225, 205, 165), (150, 115, 80)])
    for base, lean in ((0.38, -0.42), (0.48, 0.32)):
        tip = base + lean
        canvas.line([(base, -0.42), (base + lean * 0.8, -0.65), (tip, -1.0)], horn, 0.075)
        for t in (0.35, 0.6, 0.85):
            x, y = base + lean * t, -0.45 - 0.4 * t
            canvas.line([(x, y), (x + lean * 0.55 + 0.06, y - 0.26)], horn, 0.055)
    eye(canvas, 0.58, -0.34, 0.04)
