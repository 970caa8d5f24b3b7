"""People, told apart by dress, pose and what they carry."""

import numpy as np

from tfrecords_tools.sources.scenes.canvas import Canvas, Color, mix, pick, shade
from tfrecords_tools.sources.scenes.registry import IN_FRONT, draws

SKINS: list[Color] = [(238, 200, 170), (222, 175, 140), (175, 125, 90), (120, 82, 60)]
HAIRS: list[Color] = [(40, 32, 30), (95, 62, 40), (200, 160, 95), (130, 125, 120), (150, 75, 45)]
CLOTHES: list[Color] = [
    (190, 70, 65), (70, 105, 165), (85, 140, 95), (225, 190, 90), (230, 228, 222),
    (70, 70, 78), (150, 95, 140), (205, 130, 90),
]  # fmt: skip

Limb = tuple[tuple[float, float], ...]
STANDING = (((-0.14, 0.25), (-0.16, 0.95)), ((0.14, 0.25), (0.16, 0.95)))
RUNNING = (((-0.08, 0.25), (-0.3, 0.5), (-0.7, 0.45)), ((0.1, 0.25), (0.42, 0.42), (0.4, 0.92)))


def figure(
    canvas: Canvas,
    *,
    arms: tuple[Limb, Limb] = (((-0.24, -0.4), (-0.36, 0.2)), ((0.24, -0.4), (0.36, 0.2))),
    legs: tuple[Limb, ...] = STANDING,
    top: Color | None = None,
    bottom: Color | None = None,
    hair: Color | None = None,
) -> Color:
    """A clothed figure from head to foot; returns the colour of the skin."""
    rng = canvas.rng
    skin = pick(rng, SKINS, 6)
    top, bottom = top or pick(rng, CLOTHES), bottom or pick(rng, CLOTHES)
    hair = hair or pick(rng, HAIRS, 6)
    canvas.shadow(0.5)
    for leg in legs:
        canvas.line(leg, bottom, 0.2)
        foot = leg[-1]
        canvas.ellipse(foot[0] + 0.05, foot[1] + 0.01, 0.13, 0.06, color=shade(bottom, 0.45))
    canvas.smooth([(-0.28, -0.5), (0.28, -0.5), (0.22, 0.3), (-0.22, 0.3)], top)
    for arm in arms:
        canvas.line(arm, shade(top, 0.85), 0.14)
        canvas.ellipse(*arm[-1], 0.085, color=skin)
    canvas.rectangle(-0.07, -0.62, 0.07, -0.48, shade(skin, 0.85))
    canvas.ellipse(0, -0.8, 0.22, 0.22, color=hair)
    canvas.ellipse(0.02, -0.74, 0.175, 0.19, color=skin)
    return skin


@draws("person", IN_FRONT)
def person(canvas: Canvas) -> None:
    """A portrait with face, hair and shoulders, or the whole figure."""
    rng = canvas.rng
    if rng.random() < 0.35:
        figure(canvas)
        return
    skin, hair, top = pick(rng, SKINS, 6), pick(rng, HAIRS, 6), pick(rng, CLOTHES)
    long_hair = rng.random() < 0.5
    if long_hair:
        canvas.smooth(
            [(-0.5, 0.35), (-0.52, -0.5), (0, -0.98), (0.52, -0.5), (0.5, 0.35)], shade(hair, 0.85)
        )
    canvas.smooth(
        [(-0.95, 1), (-0.8, 0.52), (-0.25, 0.3), (0.25, 0.3), (0.8, 0.52), (0.95, 1)], top
    )
    # Down out of the picture: a bust that ends in mid-air looks wrong.
    canvas.polygon([(-0.95, 2.5), (0.95, 2.5), (0.92, 0.85), (-0.92, 0.85)], top)
    canvas.smooth(
        [(-0.17, 0.1), (0.17, 0.1), (0.22, 0.4), (0, 0.52), (-0.22, 0.4)], shade(skin, 0.86)
    )
    canvas.ellipse(0, -0.22, 0.4, 0.5, color=skin)
    fringe = [
        (-0.43, -0.25),
        (-0.4, -0.7),
        (0, -0.9),
        (0.4, -0.7),
        (0.43, -0.25),
        (0.25, -0.5),
        (-0.2, -0.52),
    ]
    canvas.smooth(fringe, hair)
    for side in (-1, 1):
        canvas.ellipse(side * 0.16, -0.25, 0.065, 0.05, color=(250, 250, 250))
        canvas.ellipse(side * 0.16, -0.25, 0.04, color=(45, 35, 30))
        canvas.line([(side * 0.08, -0.37), (side * 0.25, -0.37)], shade(hair, 0.8), 0.035)
    canvas.line([(0.0, -0.2), (0.05, -0.05), (0, -0.04)], shade(skin, 0.75), 0.03)
    canvas.smooth([(-0.13, 0.08), (0, 0.1), (0.13, 0.08), (0, 0.17)], (190, 80, 80))


@draws("dancing", IN_FRONT)
def dancing(canvas: Canvas) -> None:
    """Arms thrown up, one leg lifted, a wide skirt in half of the cases."""
    rng = canvas.rng
    top = pick(rng, CLOTHES)
    swing = canvas.at(0, 0.02, 1, angle=rng.uniform(-0.15, 0.15))
    arms = (
        ((-0.24, -0.42), (-0.55, -0.62), (-0.5, -1.0)),
        ((0.24, -0.42), (0.6, -0.5), (0.8, -0.85)),
    )
    legs = (((-0.06, 0.25), (-0.08, 0.95)), ((0.1, 0.25), (0.5, 0.4), (0.75, 0.75)))
    skirt = rng.random() < 0.6
    skin = figure(swing, arms=arms, legs=legs, top=top)
    if skirt:
        swing.smooth(
            [(-0.2, 0.0), (0.2, 0.0), (0.75, 0.5), (0, 0.62), (-0.7, 0.5)], shade(top, 0.9)
        )
        swing.line([(-0.65, 0.5), (0, 0.6), (0.7, 0.5)], mix(top, skin, 0.7), 0.06)


@draws("running", IN_FRONT)
def running(canvas: Canvas) -> None:
    """Leans forward with bent arms and a long stride, a number on the chest."""
    lean = canvas.at(0, 0, 1, angle=0.18)
    arms = (
        ((-0.2, -0.4), (-0.5, -0.15), (-0.62, -0.4)),
        ((0.2, -0.4), (0.42, -0.1), (0.72, -0.25)),
    )
    figure(
        lean,
        arms=arms,
        legs=RUNNING,
        bottom=pick(canvas.rng, [(50, 50, 58), (170, 60, 60), (60, 90, 150)]),
    )
    lean.rectangle(-0.14, -0.3, 0.16, -0.06, (248, 248, 245))
    lean.line([(-0.06, -0.18), (0.09, -0.18)], (30, 30, 30), 0.07)
    for y in (-0.45, 0.05, 0.5):
        canvas.line([(-1.05, y), (-0.75, y)], (240, 240, 240), 0.04)


@draws("police", IN_FRONT)
def police(canvas: Canvas) -> None:
    """Dark uniform, peaked cap, a badge; beside a beacon."""
    rng = canvas.rng
    uniform = pick(rng, [(35, 45, 80), (30, 32, 40), (55, 65, 100)], 5)
    figure(canvas, top=uniform, bottom=shade(uniform, 0.8), hair=uniform)
    canvas.smooth([(-0.3, -0.86), (-0.26, -1.02), (0.26, -1.02), (0.3, -0.86)], uniform)
    canvas.polygon([(-0.22, -0.88), (0.3, -0.88), (0.36, -0.8), (-0.2, -0.82)], (15, 15, 18))
    canvas.ellipse(0, -0.94, 0.06, color=(240, 205, 90))
    canvas.ellipse(-0.12, -0.28, 0.07, color=(240, 205, 90))
    canvas.line([(-0.24, 0.2), (0.24, 0.2)], (225, 225, 225), 0.06)
    canvas.rectangle(0.5, 0.55, 0.98, 0.95, (245, 245, 245))
    canvas.rectangle(0.5, 0.66, 0.98, 0.8, (40, 70, 170))
    canvas.ellipse(0.74, 0.5, 0.14, color=(60, 110, 250))
    canvas.light(0.74, 0.5, 0.3)


@draws("military", IN_FRONT)
def military(canvas: Canvas) -> None:
    """A soldier in camouflage with a helmet and a rifle, or a tank."""
    rng = canvas.rng
    green = pick(rng, [(95, 105, 70), (125, 115, 80), (85, 95, 85)], 6)
    if rng.random() < 0.5:
        canvas.shadow(0.95)
        canvas.smooth(
            [(-1, 0.65), (-0.8, 0.4), (0.8, 0.4), (1, 0.65), (0.75, 0.98), (-0.75, 0.98)],
            (50, 48, 44),
        )
        for x in np.linspace(-0.7, 0.7, 5):
            canvas.ellipse(x, 0.72, 0.15, color=shade(green, 0.8))
        canvas.polygon([(-0.95, 0.45), (-0.75, 0.1), (0.75, 0.1), (0.95, 0.45)], green)
        canvas.smooth([(-0.5, 0.12), (-0.4, -0.3), (0.3, -0.3), (0.42, 0.12)], shade(green, 0.85))
        canvas.line([(0.3, -0.1), (1.05, -0.25)], shade(green, 0.65), 0.1)
        patches = rng.uniform((-0.7, -0.2), (0.6, 0.4), (8, 2))
    else:
        figure(canvas, top=green, bottom=shade(green, 0.9), hair=green)
        canvas.smooth(
            [(-0.3, -0.78), (-0.22, -1.03), (0.22, -1.03), (0.3, -0.78)], shade(green, 0.8)
        )
        canvas.line([(-0.5, 0.25), (0.55, -0.55)], (35, 33, 30), 0.1)
        canvas.line([(-0.15, -0.05), (-0.05, 0.15)], (35, 33, 30), 0.08)
        patches = np.vstack(
            [
                rng.uniform((-0.2, -0.45), (0.2, 0.2), (6, 2)),
                rng.uniform((-0.2, 0.4), (0.2, 0.8), (4, 2)),
            ]
        )
    for x, y in patches:
        canvas.ellipse(x, y, 0.1, 0.06, color=shade(green, rng.choice([0.5, 1.4])))


@draws("protest", IN_FRONT)
def protest(canvas: Canvas) -> None:
    """A crowd, close together, under raised placards."""
    rng = canvas.rng
    for x in (-0.7, 0.0, 0.65):
        x, y = x + rng.normal(0, 0.06), rng.uniform(-0.85, -0.6)
        canvas.line([(x, y), (x + 0.05, 0.5)], (150, 115, 80), 0.06)
        board = canvas.at(x, y, 1, angle=rng.normal(0, 0.15))
        board.rectangle(
            -0.29, -0.2, 0.29, 0.24, pick(rng, [(245, 243, 235), (240, 215, 90), (200, 60, 55)])
        )
        for level in (-0.08, 0.06):
            board.line([(-0.2, level), (rng.uniform(0.05, 0.2), level)], (40, 35, 35), 0.07)
    for y, row in ((0.15, (-0.75, -0.25, 0.25, 0.75)), (0.5, (-0.95, -0.5, 0, 0.5, 0.95))):
        for x in row:
            skin = pick(rng, SKINS, 6)
            canvas.smooth(
                [(x - 0.3, 1), (x - 0.24, y + 0.22), (x + 0.24, y + 0.22), (x + 0.3, 1)],
                pick(rng, CLOTHES),
            )
            canvas.ellipse(x, y, 0.19, color=pick(rng, HAIRS, 6))
            canvas.ellipse(x, y + 0.06, 0.145, color=skin)


@draws("wedding", IN_FRONT)
def wedding(canvas: Canvas) -> None:
    """The bride in a wide white dress and veil beside the groom in a dark suit."""
    rng = canvas.rng
    suit = pick(rng, [(35, 35, 42), (70, 72, 85), (50, 45, 60)], 5)
    groom = canvas.at(0.45, 0.02, (0.85, 0.98))
    figure(groom, top=suit, bottom=suit)
    groom.polygon([(-0.1, -0.48), (0.1, -0.48), (0, -0.1)], (248, 248, 248))
    groom.polygon([(-0.06, -0.45), (0.06, -0.45), (0, -0.2)], (150, 40, 50))
    bride = canvas.at(-0.4, 0.06, (0.85, 0.94))
    bride.smooth([(-0.28, -0.9), (0.2, -0.9), (0.3, 0.2), (-0.6, 0.4)], (248, 248, 250), 0.75)
    skin, hair = pick(rng, SKINS, 6), pick(rng, HAIRS, 6)
    white = pick(rng, [(252, 250, 246), (246, 238, 228)], 3)
    bride.line([(-0.2, -0.4), (-0.3, -0.05), (0.0, 0.05)], skin, 0.12)
    bride.smooth(
        [
            (-0.2, -0.5),
            (0.2, -0.5),
            (0.16, -0.05),
            (0.62, 0.98),
            (0, 1.0),
            (-0.7, 0.98),
            (-0.18, -0.05),
        ],
        white,
    )
    for x in (-0.3, 0, 0.28):
        bride.line([(x * 0.4, 0.1), (x, 0.92)], shade(white, 0.87), 0.03)
    bride.ellipse(0, -0.76, 0.21, color=hair)
    bride.ellipse(0.04, -0.72, 0.16, 0.18, color=skin)
    for x, y in ((-0.02, 0.05), (0.1, 0.0), (0.04, 0.14)):
        bride.ellipse(x, y, 0.09, color=pick(rng, [(230, 110, 130), (245, 200, 210)]))


@draws("tattoo", IN_FRONT)
def tattoo(canvas: Canvas) -> None:
    """A bare back or an upper arm with a dark pattern of curls and a heart."""
    rng = canvas.rng
    skin = pick(rng, SKINS[:3], 6)
    if rng.random() < 0.5:
        canvas.smooth(
            [
                (-0.9, 1),
                (-1.0, -0.1),
                (-0.75, -0.6),
                (-0.2, -0.8),
                (0.2, -0.8),
                (0.75, -0.6),
                (1.0, -0.1),
                (0.9, 1),
            ],
            skin,
        )
        canvas.ellipse(0, -0.9, 0.22, color=pick(rng, HAIRS, 6))
        canvas.line([(0, -0.5), (0, 0.9)], shade(skin, 0.85), 0.05)
    else:
        canvas.at(0, 0, 1, angle=rng.uniform(-0.4, 0.4)).smooth(
            [(-0.5, 1.05), (-0.62, 0.1), (-0.45, -0.95), (0.45, -0.95), (0.62, 0.1), (0.5, 1.05)],
            skin,
        )
    ink = pick(rng, [(35, 45, 70), (30, 30, 34), (45, 70, 65)], 5)
    for side in (-1, 1):
        for x, y, reach in ((0.12, -0.35, 0.4), (0.12, -0.05, 0.45), (0.1, 0.3, 0.35)):
            turn = np.linspace(0, 5, 10)
            radius = reach * np.exp(-turn / 3.2)
            curl = np.stack(
                [
                    side * (x + reach * 0.5 - radius * np.cos(turn) * 0.5),
                    y - radius * np.sin(turn) * 0.6,
                ],
                axis=1,
            )
            canvas.line(curl, ink, 0.065)
    red = pick(rng, [(190, 50, 60), (60, 120, 130)], 6)
    canvas.smooth(
        [(0, -0.12), (0.17, -0.3), (0.25, -0.08), (0, 0.25), (-0.25, -0.08), (-0.17, -0.3)], red
    )
