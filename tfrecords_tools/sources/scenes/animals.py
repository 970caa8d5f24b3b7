"""Animals on paws, and birds, told apart by their build: coats come from overlapping colours."""

import numpy as np

from tfrecords_tools.sources.scenes.canvas import Canvas, Color, mix, pick, shade
from tfrecords_tools.sources.scenes.registry import IN_FRONT, IN_SKY, draws

BROWNS: list[Color] = [(120, 82, 55), (150, 105, 65), (90, 65, 50), (175, 130, 85)]
GREYS: list[Color] = [(60, 58, 60), (140, 135, 130), (215, 210, 202)]
RUSTS: list[Color] = [(200, 115, 50), (215, 135, 65), (180, 95, 50)]
COATS = [*BROWNS, *GREYS, *RUSTS]
DARK: Color = (28, 24, 24)


def legs(canvas: Canvas, places: tuple[float, ...], top: float, width: float, color: Color) -> None:
    """Tapering legs from `top` to the ground, the far ones darker."""
    for number, x in enumerate(places):
        tone = shade(color, 0.72 if number % 2 else 1.0)
        foot = x + canvas.rng.normal(0, 0.05)
        canvas.polygon(
            [(x - width, top), (x + width, top), (foot + width * 0.6, 1), (foot - width * 0.6, 1)],
            tone,
        )


def eye(canvas: Canvas, x: float, y: float, size: float = 0.05) -> None:
    """A dark eye."""
    canvas.ellipse(x, y, size, color=DARK)


@draws("cat", IN_FRONT)
def cat(canvas: Canvas) -> None:
    """Sits facing the viewer: pointed ears, whiskers, the tail around its side."""
    rng = canvas.rng
    coat = pick(rng, COATS)
    canvas.shadow(0.7)
    canvas.line([(0.4, 0.85), (0.8, 0.7), (0.9, 0.3), (0.75, 0.05)], shade(coat, 0.8), 0.15)
    canvas.smooth(
        [(-0.45, 0.98), (-0.42, 0.4), (-0.2, -0.1), (0.2, -0.1), (0.42, 0.4), (0.45, 0.98)], coat
    )
    canvas.smooth(
        [(-0.16, 0.9), (-0.14, 0.1), (0.14, 0.1), (0.16, 0.9)], mix(coat, (250, 245, 240), 0.5)
    )
    for side in (-1, 1):
        canvas.polygon([(side * 0.46, -0.4), (side * 0.5, -1), (side * 0.08, -0.7)], coat)
        canvas.polygon(
            [(side * 0.4, -0.55), (side * 0.44, -0.86), (side * 0.2, -0.7)], (225, 160, 155)
        )
    canvas.ellipse(0, -0.4, 0.52, 0.42, color=coat)
    if rng.random() < 0.5:
        for x in (-0.15, 0, 0.15):
            canvas.line([(x, -0.8), (x * 0.8, -0.62)], shade(coat, 0.6), 0.06)
    iris = pick(rng, [(150, 190, 70), (225, 180, 60), (110, 170, 200)])
    for side in (-1, 1):
        canvas.ellipse(side * 0.2, -0.45, 0.11, 0.1, color=iris)
        canvas.ellipse(side * 0.2, -0.45, 0.04, 0.1, color=DARK)
        for lift in (-0.08, 0.06):
            canvas.line([(side * 0.12, -0.24), (side * 0.62, -0.24 + lift)], (250, 248, 245), 0.02)
    canvas.polygon([(-0.06, -0.32), (0.06, -0.32), (0, -0.24)], (215, 120, 120))


@draws("dog", IN_FRONT)
def dog(canvas: Canvas) -> None:
    """Faces the viewer: hanging ears, a broad pale muzzle, the tongue out."""
    rng = canvas.rng
    coat = pick(rng, COATS)
    ears = shade(coat, 0.65) if rng.random() < 0.7 else pick(rng, BROWNS)
    pale = mix(coat, (252, 246, 238), 0.55)
    canvas.shadow(0.7)
    canvas.smooth([(-0.5, 0.98), (-0.5, 0.5), (-0.3, 0), (0.3, 0), (0.5, 0.5), (0.5, 0.98)], coat)
    canvas.smooth([(-0.22, 0.7), (-0.2, 0.1), (0.2, 0.1), (0.22, 0.7)], pale)
    for x in (-0.26, 0.26):
        canvas.rectangle(x - 0.13, 0.45, x + 0.13, 0.98, shade(coat, 1.08))
        canvas.ellipse(x, 0.96, 0.18, 0.08, color=pale)
    canvas.smooth(
        [(-0.42, -0.35), (-0.35, -0.85), (0, -0.95), (0.35, -0.85), (0.42, -0.35), (0, 0.05)], coat
    )
    for side in (-1, 1):
        canvas.smooth(
            [
                (side * 0.3, -0.9),
                (side * 0.62, -0.75),
                (side * 0.68, -0.1),
                (side * 0.45, 0),
                (side * 0.38, -0.5),
            ],
            ears,
        )
        eye(canvas, side * 0.18, -0.58, 0.07)
    canvas.ellipse(0, -0.2, 0.28, 0.25, color=pale)
    canvas.smooth([(-0.09, -0.05), (0.09, -0.05), (0.08, 0.2), (-0.08, 0.2)], (225, 100, 110))
    canvas.ellipse(0, -0.32, 0.12, 0.09, color=DARK)


@draws("fox", IN_FRONT)
def fox(canvas: Canvas) -> None:
    """Stands sideways: a thin muzzle, large ears, a thick tail with a pale tip."""
    rng = canvas.rng
    coat = pick(rng, [*RUSTS, *RUSTS, (150, 105, 65), (140, 135, 130), (225, 222, 218)])
    canvas.shadow()
    legs(canvas, (-0.38, -0.22, 0.28, 0.42), 0.4, 0.09, shade(coat, 0.55))
    canvas.smooth([(-0.35, 0.2), (-0.7, 0.35), (-1, 0.2), (-0.95, 0.6), (-0.6, 0.65)], coat)
    canvas.smooth([(-0.9, 0.2), (-1.02, 0.22), (-0.95, 0.6), (-0.82, 0.55)], (248, 244, 238))
    canvas.smooth(
        [(-0.5, 0.2), (0, 0.14), (0.45, 0.0), (0.5, 0.45), (0, 0.52), (-0.48, 0.55)], coat
    )
    canvas.polygon([(0.3, 0.1), (0.42, -0.35), (0.66, -0.2), (0.55, 0.35)], coat)
    for x in (0.36, 0.58):
        canvas.polygon([(x - 0.1, -0.3), (x, -0.82), (x + 0.14, -0.3)], shade(coat, 0.8))
    canvas.smooth(
        [(0.3, -0.3), (0.5, -0.45), (0.7, -0.3), (1.02, -0.06), (0.7, 0.06), (0.4, 0.02)], coat
    )
    canvas.polygon([(0.5, 0.02), (1.0, -0.06), (0.7, 0.1), (0.52, 0.4)], (248, 244, 238))
    canvas.ellipse(1.0, -0.07, 0.06, color=DARK)
    eye(canvas, 0.64, -0.22)


@draws("tiger", IN_FRONT)
def tiger(canvas: Canvas) -> None:
    """Long and low with dark stripes, a round head and a ringed tail."""
    rng = canvas.rng
    coat = pick(rng, [*RUSTS, (225, 160, 85), (232, 228, 220)])
    canvas.shadow()
    canvas.line([(-0.7, 0.15), (-0.95, 0.0), (-1.0, -0.4)], coat, 0.12)
    canvas.line([(-0.98, -0.2), (-1.0, -0.42)], DARK, 0.12)
    legs(canvas, (-0.6, -0.42, 0.25, 0.42), 0.3, 0.13, coat)
    canvas.ellipse(-0.1, 0.22, 0.72, 0.33, color=coat)
    for x in np.linspace(-0.68, 0.45, 8):
        half = 0.31 * np.sqrt(1 - ((x + 0.1) / 0.74) ** 2)
        tip = 0.22 + half * rng.uniform(-0.1, 0.5)
        canvas.polygon([(x - 0.055, 0.22 - half), (x + 0.055, 0.22 - half), (x + 0.03, tip)], DARK)
    for x in (0.42, 0.86):
        canvas.ellipse(x, -0.42, 0.12, color=shade(coat, 0.8))
    canvas.ellipse(0.64, -0.1, 0.35, 0.36, color=coat)
    for x in (0.5, 0.64, 0.78):
        canvas.line([(x, -0.42), (x, -0.28)], DARK, 0.05)
    for side in (-1, 1):
        canvas.line([(0.64 + side * 0.34, -0.1), (0.64 + side * 0.18, -0.04)], DARK, 0.06)
        eye(canvas, 0.64 + side * 0.13, -0.16)
    canvas.ellipse(0.64, 0.08, 0.2, 0.15, color=(248, 244, 238))
    canvas.ellipse(0.64, 0.02, 0.07, 0.05, color=(190, 100, 95))


@draws("bear", IN_FRONT)
def bear(canvas: Canvas) -> None:
    """Heavy, with a hump, thick legs, no tail, small round ears."""
    rng = canvas.rng
    coat = pick(rng, [*BROWNS, (45, 40, 42), (228, 224, 214)])
    canvas.shadow(0.95)
    legs(canvas, (-0.6, -0.35, 0.2, 0.42), 0.3, 0.19, coat)
    canvas.smooth(
        [
            (-0.85, 0.35),
            (-0.75, -0.3),
            (-0.3, -0.42),
            (0.2, -0.68),
            (0.55, -0.35),
            (0.55, 0.4),
            (0, 0.58),
            (-0.6, 0.6),
        ],
        coat,
    )
    for x in (0.5, 0.78):
        canvas.ellipse(x, -0.52, 0.12, color=shade(coat, 0.75))
    canvas.ellipse(0.65, -0.22, 0.32, 0.33, color=shade(coat, 1.06))
    canvas.ellipse(0.88, -0.08, 0.2, 0.15, color=mix(coat, (215, 180, 140), 0.45))
    canvas.ellipse(1.02, -0.12, 0.07, color=DARK)
    eye(canvas, 0.74, -0.3)


@draws("animal", IN_FRONT)
def animal(canvas: Canvas) -> None:
    """An animal without a tag of its own: an elephant, a rabbit, or a tortoise."""
    rng = canvas.rng
    coat = pick(rng, COATS)
    canvas.shadow()
    kind = rng.choice(["elephant", "rabbit", "tortoise"])
    if kind == "elephant":
        coat = mix(coat, (130, 128, 130), 0.6)
        legs(canvas, (-0.6, -0.4, 0.1, 0.3), 0.2, 0.16, coat)
        canvas.ellipse(-0.15, 0.0, 0.65, 0.5, color=coat)
        canvas.ellipse(0.55, -0.25, 0.36, 0.38, color=shade(coat, 1.08))
        canvas.line([(0.78, -0.15), (0.9, 0.3), (0.82, 0.75)], shade(coat, 1.08), 0.19)
        canvas.ellipse(0.32, -0.25, 0.28, 0.4, color=shade(coat, 0.8))
        canvas.line([(0.75, 0.05), (1.02, 0.2)], (250, 246, 235), 0.08)
        eye(canvas, 0.68, -0.32)
    elif kind == "rabbit":
        canvas.ellipse(-0.7, 0.6, 0.17, color=(245, 242, 238))
        canvas.ellipse(-0.15, 0.5, 0.6, 0.48, color=coat)
        canvas.ellipse(-0.2, 0.9, 0.35, 0.1, color=shade(coat, 0.85))
        for angle in (-0.35, 0.1):
            canvas.at(0.4, -0.15, 1, angle=angle).ellipse(
                0, -0.45, 0.12, 0.42, color=shade(coat, 0.9)
            )
        canvas.ellipse(0.5, 0.1, 0.34, 0.32, color=shade(coat, 1.08))
        canvas.ellipse(0.82, 0.14, 0.07, color=(225, 140, 140))
        eye(canvas, 0.58, 0.0, 0.06)
    else:
        skin = mix(coat, (120, 140, 80), 0.6)
        for x in (-0.55, 0.4):
            canvas.ellipse(x, 0.82, 0.18, 0.2, color=skin)
        canvas.ellipse(0.82, 0.35, 0.22, 0.2, color=skin)
        canvas.smooth([(-0.85, 0.75), (-0.6, 0.0), (0, -0.2), (0.6, 0.1), (0.75, 0.75)], coat)
        for x, y in ((-0.4, 0.35), (0.0, 0.15), (0.35, 0.4), (-0.05, 0.55)):
            canvas.ellipse(x, y, 0.17, 0.15, color=shade(coat, 0.65))
        eye(canvas, 0.9, 0.28, 0.05)


@draws("birds", IN_SKY)
def birds(canvas: Canvas) -> None:
    """A flock on the wing, or one large bird with a beak and spread wings."""
    rng = canvas.rng
    color = pick(rng, [(45, 45, 52), (235, 235, 235), (120, 95, 75), (190, 60, 50), (70, 110, 160)])
    if rng.random() < 0.4:
        for x, y in ((-0.6, -0.3), (0.1, -0.65), (0.55, -0.1), (-0.2, 0.3), (0.65, 0.55)):
            size = rng.uniform(0.3, 0.42)
            wing = [
                (-1, -0.3),
                (-0.45, -0.55),
                (0, 0),
                (0.45, -0.55),
                (1, -0.3),
                (0.4, -0.3),
                (0, 0.25),
                (-0.4, -0.3),
            ]
            canvas.at(x, y, size).polygon(wing, color)
        return
    bird = canvas.at(0, 0, 1, angle=rng.uniform(-0.3, 0.2))
    bird.polygon([(-0.5, 0.05), (-1, -0.1), (-0.95, 0.3), (-0.4, 0.25)], shade(color, 0.75))
    bird.smooth([(-0.1, 0), (-0.5, -0.9), (-0.1, -0.85), (0.3, 0)], shade(color, 0.8))
    bird.smooth([(-0.6, 0.15), (0, -0.12), (0.5, -0.05), (0.55, 0.2), (0, 0.4)], color)
    bird.smooth([(0.0, 0.1), (-0.35, 0.8), (0.05, 0.75), (0.3, 0.15)], shade(color, 0.65))
    bird.ellipse(0.6, -0.05, 0.2, color=color)
    bird.polygon([(0.75, -0.12), (1.05, 0.0), (0.75, 0.08)], (240, 170, 50))
    eye(bird, 0.65, -0.1, 0.045)
