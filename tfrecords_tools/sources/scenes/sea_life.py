"""What lives in the sea, shown with a piece of it."""

import numpy as np

from tfrecords_tools.sources.scenes.canvas import Canvas, pick, shade
from tfrecords_tools.sources.scenes.registry import (
    IN_FRONT,
    draws,
)


@draws("fish", IN_FRONT)
def fish(canvas: Canvas) -> None:
    """A fish with fins, gills and a forked tail, in blue water with bubbles."""
    rng = canvas.rng
    color = pick(
        rng, [(240, 140, 50), (245, 205, 70), (110, 150, 190), (200, 80, 80), (190, 195, 200)]
    )
    canvas.ellipse(0, 0, 1.2, 1.0, color=(40, 105, 145), alpha=0.6)
    canvas.polygon([(-0.55, 0), (-1, -0.45), (-0.85, 0), (-1, 0.45)], shade(color, 0.8))
    canvas.smooth([(-0.3, -0.3), (0.1, -0.75), (0.35, -0.3)], shade(color, 0.75))
    canvas.smooth([(-0.2, 0.3), (0.0, 0.7), (0.25, 0.3)], shade(color, 0.75))
    canvas.smooth(
        [(-0.65, 0), (-0.2, -0.42), (0.5, -0.38), (0.98, 0.02), (0.5, 0.4), (-0.2, 0.42)], color
    )
    if rng.random() < 0.5:
        for x in (-0.25, 0.1, 0.4):
            canvas.line([(x, -0.36), (x + 0.04, 0.36)], (245, 245, 240), 0.12)
    canvas.line([(0.48, -0.3), (0.4, 0), (0.48, 0.3)], shade(color, 0.6), 0.05)
    canvas.ellipse(0.7, -0.08, 0.11, color=(250, 250, 250))
    canvas.ellipse(0.73, -0.08, 0.06, color=(20, 20, 25))
    for x, y in ((0.95, -0.4), (0.85, -0.65), (1.0, -0.85)):
        canvas.ellipse(x, y, 0.08, color=(205, 232, 242))


@draws("coral", IN_FRONT)
def coral(canvas: Canvas) -> None:
    """Branching coral, a brain coral and a sponge on the sea floor."""
    rng = canvas.rng
    canvas.ellipse(0, 0.1, 1.25, 1.05, color=(30, 100, 140), alpha=0.6)
    color = pick(rng, [(230, 90, 110), (240, 150, 80), (190, 90, 180), (235, 200, 120)])
    for x, y, angle in ((-0.35, 0.9, 0.0), (-0.35, 0.9, -0.55), (-0.35, 0.9, 0.5)):
        branch = canvas.at(x, y, 1, angle=angle)
        branch.line([(0, 0), (0, -1.5)], color, 0.16)
        for level in (-0.5, -0.85, -1.15):
            branch.line([(0, level), (-0.22, level - 0.3)], color, 0.1)
            branch.line([(0, level), (0.22, level - 0.3)], color, 0.1)
    other = pick(rng, [(120, 190, 140), (240, 190, 90), (160, 120, 200)])
    canvas.ellipse(0.5, 0.75, 0.45, 0.4, color=other)
    for x in (0.25, 0.42, 0.58, 0.75):
        wave = [(x, 0.5), (x + 0.06, 0.65), (x, 0.8), (x + 0.06, 0.95)]
        canvas.line(wave, shade(other, 0.65), 0.07)
    canvas.ellipse(0, 1.02, 1.1, 0.14, color=(200, 185, 150))


@draws("whales", IN_FRONT)
def whales(canvas: Canvas) -> None:
    """A whale's back and spout, or its flukes, out of a ring of foam."""
    rng = canvas.rng
    color = pick(rng, [(45, 55, 70), (70, 80, 95), (35, 38, 45)])
    canvas.ellipse(0, 0.8, 1.1, 0.22, color=(75, 120, 150))
    if rng.random() < 0.5:
        canvas.smooth([(-1, 0.85), (-0.6, 0.2), (0, 0.0), (0.6, 0.2), (0.95, 0.85)], color)
        canvas.polygon([(-0.5, 0.2), (-0.62, -0.15), (-0.2, 0.08)], color)
        for bend in (-0.35, -0.15, 0.15, 0.35):
            canvas.line(
                [(0.45, 0.1), (0.45 + bend * 0.5, -0.6), (0.45 + bend * 1.6, -0.75)],
                (236, 244, 248),
                0.09,
            )
    else:
        stem = [(-0.16, 0.85), (-0.1, 0.1), (-0.35, -0.15), (-0.95, -0.4), (-0.85, -0.62)]
        fluke = [*stem, (-0.3, -0.5), (0, -0.28)]
        mirrored = [(-x, y) for x, y in reversed(fluke[:-1])]
        canvas.polygon([*fluke, *mirrored], color)
    for x in np.linspace(-0.85, 0.85, 8):
        canvas.ellipse(x, 0.86 + rng.normal(0, 0.03), 0.16, 0.09, color=(238, 245, 248))
