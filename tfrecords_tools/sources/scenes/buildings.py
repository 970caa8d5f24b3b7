"""Buildings: single ones that stand on the horizon, and whole fronts of them."""

import numpy as np

from tfrecords_tools.sources.scenes.canvas import Canvas, Color, mix, pick, shade
from tfrecords_tools.sources.scenes.registry import IN_FRONT, ON_HORIZON, draws

STONES: list[Color] = [
    (185, 165, 140),
    (150, 145, 142),
    (170, 120, 95),
    (205, 190, 165),
    (120, 115, 120),
]
ROOFS: list[Color] = [(150, 70, 55), (85, 80, 88), (120, 85, 65), (70, 95, 90)]
GLASS: Color = (75, 92, 112)


def windows(
    canvas: Canvas,
    xs: np.ndarray,
    ys: np.ndarray,
    width: float,
    height: float,
    color: Color = GLASS,
) -> None:
    """Windows at all pairs of xs and ys, given their half width and height; some shine at night."""
    for y in ys:
        for x in xs:
            canvas.rectangle(x - width, y - height, x + width, y + height, color)
            if canvas.rng.random() < 0.6:
                canvas.light(x, y, max(width, height))


@draws("house", ON_HORIZON)
def house(canvas: Canvas) -> None:
    """One house: pitched roof, chimney, a door between two windows."""
    rng = canvas.rng
    wall = pick(
        rng, [(235, 225, 205), (200, 110, 85), (205, 210, 200), (170, 140, 110), (225, 205, 140)]
    )
    roof = pick(rng, ROOFS)
    canvas.rectangle(0.4, -0.85, 0.62, -0.2, shade(roof, 0.7))
    canvas.rectangle(-0.8, -0.1, 0.8, 1, wall)
    canvas.polygon([(-1, -0.02), (-0.55, -0.75), (0.55, -0.75), (1, -0.02)], roof)
    canvas.line([(-1, -0.02), (1, -0.02)], shade(roof, 0.7), 0.07)
    canvas.rectangle(-0.17, 0.3, 0.17, 1, pick(rng, [(110, 70, 50), (60, 90, 110), (150, 50, 45)]))
    canvas.ellipse(0.1, 0.68, 0.04, color=(240, 210, 110))
    for x in (-0.5, 0.5):
        canvas.rectangle(x - 0.21, 0.15, x + 0.21, 0.6, (245, 243, 238))
        windows(canvas, np.array([x - 0.085, x + 0.085]), np.array([0.27, 0.48]), 0.065, 0.085)


@draws("castle", ON_HORIZON)
def castle(canvas: Canvas) -> None:
    """A battlemented wall with a gate between round towers under cones."""
    rng = canvas.rng
    stone, roof = pick(rng, STONES), pick(rng, [(90, 85, 110), (140, 70, 60), (70, 80, 95)])

    def battlements(left: float, right: float, top: float, color: Color) -> None:
        canvas.rectangle(left, top, right, 1, color)
        for x in np.arange(left, right - 0.05, 0.2):
            canvas.rectangle(x, top - 0.13, x + 0.11, top + 0.01, color)

    battlements(-0.35, 0.38, -0.4, shade(stone, 0.85))
    battlements(-0.8, 0.82, 0.15, stone)
    for x, top in ((-0.75, -0.3), (0.75, -0.3), (0.0, -0.6)):
        canvas.rectangle(x - 0.2, top, x + 0.2, 1 if x else 0.2, shade(stone, 0.95))
        canvas.rectangle(x + 0.08, top, x + 0.2, 1 if x else 0.2, shade(stone, 0.75))
        canvas.polygon([(x - 0.27, top + 0.02), (x, top - 0.5), (x + 0.27, top + 0.02)], roof)
        canvas.rectangle(x - 0.05, top + 0.2, x + 0.05, top + 0.42, (50, 45, 48))
        canvas.light(x, top + 0.3, 0.1)
    canvas.smooth([(-0.2, 1), (-0.2, 0.6), (0, 0.42), (0.2, 0.6), (0.2, 1)], (60, 45, 38))
    canvas.rectangle(-0.2, 0.8, 0.2, 1, (60, 45, 38))


@draws("tower", ON_HORIZON)
def tower(canvas: Canvas) -> None:
    """One slender tower: of lattice, with a clock, or with a ball on a mast."""
    rng = canvas.rng
    stone = pick(rng, STONES)
    kind = rng.choice(["lattice", "clock", "mast"])
    if kind == "lattice":
        dark = mix(stone, (80, 65, 55), 0.7)
        for side in (-1, 1):
            curve = [(side * 0.55, 1), (side * 0.28, 0.3), (side * 0.1, -0.5), (0, -1)]
            canvas.line(curve, dark, 0.11)
        for y, half in ((0.35, 0.33), (-0.1, 0.22), (-0.5, 0.13)):
            canvas.line([(-half, y), (half, y)], dark, 0.09)
        for (y0, w0), (y1, w1) in (
            ((1, 0.5), (0.35, 0.3)),
            ((0.35, 0.3), (-0.1, 0.18)),
            ((-0.1, 0.18), (-0.5, 0.1)),
        ):
            canvas.line([(-w0, y0), (w1, y1)], dark, 0.04)
            canvas.line([(w0, y0), (-w1, y1)], dark, 0.04)
    elif kind == "clock":
        canvas.rectangle(-0.26, -0.55, 0.26, 1, stone)
        canvas.rectangle(0.12, -0.55, 0.26, 1, shade(stone, 0.8))
        canvas.polygon([(-0.34, -0.52), (0, -1.05), (0.34, -0.52)], pick(rng, ROOFS))
        canvas.ellipse(0, -0.28, 0.19, color=(248, 245, 232))
        canvas.line([(0, -0.42), (0, -0.28), (0.1, -0.25)], (30, 28, 30), 0.04)
        canvas.light(0, -0.28, 0.2)
        windows(canvas, np.zeros(1), np.array([0.15, 0.5]), 0.06, 0.1)
    else:
        canvas.polygon([(-0.18, 1), (-0.07, -0.3), (0.07, -0.3), (0.18, 1)], shade(stone, 1.1))
        canvas.line([(0, -0.4), (0, -1.05)], shade(stone, 0.8), 0.06)
        canvas.smooth(
            [(-0.32, -0.3), (-0.2, -0.12), (0.2, -0.12), (0.32, -0.3), (0, -0.5)],
            shade(stone, 0.75),
        )
        canvas.line([(-0.3, -0.28), (0.3, -0.28)], GLASS, 0.07)
        canvas.light(0, -0.28, 0.15)


@draws("temple", ON_HORIZON)
def temple(canvas: Canvas) -> None:
    """A pagoda of three curved roofs, or columns under a gable."""
    rng = canvas.rng
    if rng.random() < 0.5:
        stone = pick(rng, [(230, 220, 200), (205, 190, 165), (215, 212, 208)], 6)
        canvas.rectangle(-1, 0.85, 1, 1, shade(stone, 0.8))
        canvas.rectangle(-0.88, 0.72, 0.88, 0.86, stone)
        canvas.rectangle(-0.8, -0.25, 0.8, 0.74, shade(stone, 0.45))
        for x in np.linspace(-0.72, 0.72, 6):
            canvas.rectangle(x - 0.075, -0.25, x + 0.075, 0.74, stone)
        canvas.rectangle(-0.9, -0.42, 0.9, -0.22, shade(stone, 0.92))
        canvas.polygon([(-0.98, -0.42), (0, -0.9), (0.98, -0.42)], stone)
        canvas.polygon([(-0.6, -0.47), (0, -0.77), (0.6, -0.47)], shade(stone, 0.7))
        return
    wall, roof = (
        pick(rng, [(170, 60, 50), (225, 205, 170), (140, 90, 65)]),
        pick(rng, [(70, 85, 80), (80, 70, 75), (200, 150, 60)]),
    )
    canvas.line([(0, -0.7), (0, -1.05)], (225, 190, 90), 0.06)
    for y, half in ((0.7, 0.62), (0.12, 0.48), (-0.42, 0.34)):
        canvas.rectangle(-half, y - 0.3, half, y + 0.3, wall)
        windows(
            canvas,
            np.linspace(-half * 0.6, half * 0.6, 3),
            np.array([y + 0.1]),
            half * 0.14,
            0.12,
            (70, 40, 35),
        )
        edge = [
            (-half - 0.38, y - 0.22),
            (-half, y - 0.18),
            (half, y - 0.18),
            (half + 0.38, y - 0.22),
        ]
        canvas.polygon([*edge, (half * 0.6, y - 0.42), (-half * 0.6, y - 0.42)], roof)


@draws("statue", IN_FRONT)
def statue(canvas: Canvas) -> None:
    """A figure of one colour, arm raised, on a stepped pedestal."""
    rng = canvas.rng
    metal = pick(
        rng, [(110, 135, 120), (150, 148, 145), (95, 75, 55), (200, 195, 185), (190, 155, 80)]
    )
    canvas.shadow(0.7)
    stone = pick(rng, [(150, 145, 140), (185, 175, 160)])
    canvas.rectangle(-0.65, 0.85, 0.65, 1, shade(stone, 0.75))
    canvas.rectangle(-0.48, 0.35, 0.48, 0.87, stone)
    canvas.rectangle(-0.56, 0.28, 0.56, 0.38, shade(stone, 1.12))
    canvas.rectangle(-0.22, 0.5, 0.22, 0.68, shade(stone, 0.6))
    canvas.smooth([(-0.35, 0.3), (-0.2, -0.35), (0.2, -0.35), (0.35, 0.3)], metal)
    canvas.line([(0.12, -0.3), (0.45, -0.5), (0.5, -0.98)], metal, 0.13)
    canvas.line([(-0.15, -0.3), (-0.38, 0.0), (-0.15, 0.08)], shade(metal, 0.8), 0.12)
    canvas.line([(-0.05, -0.1), (-0.12, 0.28)], shade(metal, 0.7), 0.05)
    canvas.line([(0.1, -0.2), (0.12, 0.28)], shade(metal, 1.25), 0.05)
    canvas.ellipse(0, -0.52, 0.16, 0.19, color=metal)


@draws("window", IN_FRONT)
def window(canvas: Canvas) -> None:
    """A tall window with a cross of bars, a sill and bright panes; shutters or a curtain."""
    rng = canvas.rng
    frame = pick(rng, [(240, 238, 232), (110, 78, 55), (70, 90, 85), (60, 60, 66)])
    canvas.rectangle(-0.7, -1, 0.7, 0.9, frame)
    canvas.rectangle(-0.8, 0.86, 0.8, 1, shade(frame, 0.75))
    pane = pick(rng, [(190, 212, 225), (140, 165, 185), (235, 225, 190), (80, 95, 110)])
    for left, top in ((-0.6, -0.9), (0.06, -0.9), (-0.6, 0.04), (0.06, 0.04)):
        canvas.rectangle(left, top, left + 0.54, top + 0.78, pane)
        glint = [
            (left + 0.08, top + 0.5),
            (left + 0.4, top + 0.1),
            (left + 0.5, top + 0.1),
            (left + 0.18, top + 0.6),
        ]
        canvas.polygon(glint, mix(pane, (255, 255, 255), 0.55))
        canvas.light(left + 0.27, top + 0.4, 0.3)
    style = rng.random()
    if style < 0.35:
        color = pick(rng, [(85, 120, 100), (120, 60, 50), (90, 110, 140)])
        for side in (-1, 1):
            canvas.rectangle(side * 0.72, -1, side * 1.05, 0.86, color)
            for y in np.arange(-0.85, 0.8, 0.2):
                canvas.line([(side * 0.76, y), (side * 1.01, y)], shade(color, 0.75), 0.05)
    elif style < 0.65:
        color = pick(rng, [(190, 90, 80), (225, 215, 195), (120, 130, 155)])
        for side in (-1, 1):
            canvas.rectangle(side * 0.42, -1, side * 0.95, 0.92, color)
            for x in (0.55, 0.68, 0.82):
                canvas.line([(side * x, -0.9), (side * x, 0.9)], shade(color, 0.82), 0.05)
        canvas.rectangle(-1.0, -1.05, 1.0, -0.92, shade(color, 0.65))


def window_frame(canvas: Canvas) -> None:
    """The whole picture seen through a window: frame, bars and sill."""
    rng = canvas.rng
    frame = pick(rng, [(60, 52, 48), (225, 222, 215), (110, 80, 58)])
    across, down = rng.uniform(0.36, 0.64), rng.uniform(0.3, 0.42)
    for width, color in ((0.11, shade(frame, 0.8)), (0.08, frame)):
        canvas.line([(0, 0), (1, 0), (1, 1), (0, 1)], color, width * 2, closed=True)
    canvas.rectangle(across - 0.022, 0, across + 0.022, 1, frame)
    canvas.rectangle(0, down - 0.018, 1, down + 0.018, frame)
    canvas.rectangle(0, 0.9, 1, 0.94, shade(frame, 1.15))
