"""Trees, leaves and flowers."""

import numpy as np

from tfrecords_tools.sources.scenes.canvas import Canvas, Color, mix, pick, shade
from tfrecords_tools.sources.scenes.registry import IN_FRONT, ON_HORIZON, draws

GREENS: list[Color] = [(70, 120, 55), (95, 140, 65), (60, 100, 70), (120, 150, 70)]


@draws("tree", ON_HORIZON)
def tree(canvas: Canvas) -> None:
    """A round crown, a conifer, or bare branches, on a trunk."""
    rng = canvas.rng
    bark = pick(rng, [(95, 70, 50), (80, 65, 55), (115, 95, 75)])
    kind = rng.choice(["round", "conifer", "bare"], p=[0.55, 0.25, 0.2])
    canvas.polygon([(-0.1, -0.2), (0.1, -0.2), (0.16, 1), (-0.16, 1)], bark)
    leaves = pick(rng, [*GREENS, (190, 120, 50), (200, 160, 60)])
    if kind == "round":
        for x, y in ((-0.4, -0.1), (0.42, -0.12), (-0.25, -0.5), (0.28, -0.52), (0, -0.2)):
            canvas.ellipse(
                x + rng.normal(0, 0.05), y, 0.46, 0.44, color=shade(leaves, rng.uniform(0.75, 0.95))
            )
        for x, y in rng.normal((-0.1, -0.4), (0.3, 0.2), (9, 2)):
            canvas.ellipse(x, y, 0.13, 0.1, color=shade(leaves, rng.uniform(1.0, 1.3)))
    elif kind == "conifer":
        for level, y in enumerate((0.6, 0.15, -0.25)):
            half = 0.72 - 0.17 * level
            canvas.polygon(
                [(-half, y), (0, y - 0.75), (half, y)], shade(leaves, 0.65 + 0.12 * level)
            )
    else:
        for angle in (-0.9, -0.45, 0.0, 0.5, 0.95):
            branch = canvas.at(0, 0, 1, angle=angle + rng.normal(0, 0.08))
            branch.line([(0, 0.1), (0, -0.9)], bark, 0.09)
            branch.line([(0, -0.35), (0.22, -0.75)], bark, 0.05)
            branch.line([(0, -0.5), (-0.2, -0.85)], bark, 0.05)


@draws("plants", IN_FRONT)
def plants(canvas: Canvas) -> None:
    """A tuft of long arching leaves, or a fern."""
    rng = canvas.rng
    green = pick(rng, GREENS)
    canvas.ellipse(0, 0.95, 0.7, 0.12, color=(70, 60, 50), alpha=0.6)
    fern = rng.random() < 0.4
    for angle in rng.permutation(np.linspace(-1.15, 1.15, 9)):
        stalk = canvas.at(0, 1, 1, angle=angle * 0.55)
        length, bend = rng.uniform(1.4, 1.9), angle * 0.55
        color = shade(green, rng.uniform(0.7, 1.35))
        if fern:
            stalk.line([(0, 0), (bend * 0.3, -length / 2), (bend, -length)], color, 0.05)
            for t in np.linspace(0.3, 1, 6):
                x, y, half = bend * t * t, -length * t, 0.26 * (1.15 - t) + 0.04
                stalk.polygon(
                    [(x - half, y - 0.1), (x, y + 0.09), (x + half, y - 0.1), (x, y - 0.04)], color
                )
        else:
            blade = [(-0.07, 0), (bend * 0.3 - 0.13, -length * 0.55), (bend, -length)]
            stalk.smooth([*blade, (bend * 0.3 + 0.13, -length * 0.5), (0.07, 0)], color)


@draws("leaf", IN_FRONT)
def leaf(canvas: Canvas) -> None:
    """One large leaf with its veins, green or in autumn colours, pointed or lobed."""
    rng = canvas.rng
    color = pick(rng, [(200, 90, 40), (215, 160, 50), (110, 150, 60), (160, 60, 45), (80, 130, 70)])
    turned = canvas.at(0, 0, 1, angle=rng.uniform(-0.8, 0.8))
    if rng.random() < 0.5:
        half = [(0, -1), (0.32, -0.62), (0.55, -0.1), (0.42, 0.4), (0, 0.78)]
        turned.smooth([*half, *[(-x, y) for x, y in half[-2:0:-1]]], color)
    else:
        half = [
            (0, -1), (0.16, -0.6), (0.4, -0.75), (0.4, -0.4), (0.85, -0.45), (0.6, -0.1),
            (0.9, 0.15), (0.45, 0.25), (0.5, 0.6), (0, 0.5),
        ]  # fmt: skip
        turned.polygon([*half, *[(-x, y) for x, y in half[-2:0:-1]]], color)
    vein = mix(color, (250, 235, 180), 0.5)
    turned.line([(0, -0.85), (0, 1)], vein, 0.06)
    for y in (-0.4, -0.1, 0.2):
        for side in (-1, 1):
            turned.line([(0, y + 0.2), (side * 0.36, y - 0.1)], vein, 0.035)


@draws("flowers", IN_FRONT)
def flowers(canvas: Canvas) -> None:
    """One large bloom or a bunch of three, seen from the front."""
    rng = canvas.rng
    color = pick(
        rng,
        [
            (225, 70, 90),
            (245, 200, 60),
            (245, 240, 240),
            (170, 100, 200),
            (240, 140, 170),
            (235, 120, 50),
        ],
    )
    heart = pick(rng, [(245, 205, 80), (110, 70, 40), (250, 235, 150)])
    heads = [(0.0, -0.2, 0.78)]
    if rng.random() < 0.5:
        heads = [(-0.48, -0.3, 0.45), (0.45, -0.5, 0.48), (0.05, 0.25, 0.5)]
    petals = int(rng.choice([5, 6, 8, 12]))
    for x, y, _ in heads:
        canvas.line([(x, y), (x * 0.3, 1)], (75, 120, 55), 0.08)
    canvas.smooth([(0, 0.95), (0.35, 0.6), (0.75, 0.6), (0.45, 0.85)], (85, 135, 60))
    for x, y, radius in heads:
        start = rng.uniform(0, 1)
        for angle in np.arange(petals) * 2 * np.pi / petals + start:
            dx, dy = np.cos(angle) * radius * 0.58, np.sin(angle) * radius * 0.58
            canvas.ellipse(
                x + dx, y + dy, radius * 0.46, radius * min(0.36, 1.9 / petals),
                angle=angle, color=shade(color, rng.uniform(0.82, 1.05)),
            )  # fmt: skip
        canvas.ellipse(x, y, radius * 0.3, color=heart)
        canvas.ellipse(x, y, radius * 0.17, color=shade(heart, 0.82))
