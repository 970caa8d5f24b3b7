"""Objects of daily life."""

import numpy as np

from tfrecords_tools.sources.scenes.canvas import Canvas, Color, mix, pick, shade
from tfrecords_tools.sources.scenes.registry import IN_FRONT, draws

BRIGHT: list[Color] = [
    (205, 60, 60),
    (65, 110, 185),
    (245, 200, 70),
    (80, 155, 95),
    (235, 130, 60),
    (150, 95, 165),
]


@draws("book", IN_FRONT)
def book(canvas: Canvas) -> None:
    """An open book with lines of text, or a row of spines."""
    rng = canvas.rng
    if rng.random() < 0.5:
        x = -0.95
        while x < 0.85:
            width, height = rng.uniform(0.16, 0.3), rng.uniform(1.2, 1.75)
            color = pick(rng, BRIGHT, 25)
            canvas.rectangle(x, 1 - height, x + width, 1, color)
            canvas.rectangle(x + width - 0.04, 1 - height, x + width, 1, shade(color, 0.7))
            for y in (1 - height * 0.85, 1 - height * 0.2):
                canvas.line([(x + 0.02, y), (x + width - 0.04, y)], (240, 220, 160), 0.05)
            x += width + 0.01
        return
    cover = pick(rng, BRIGHT)
    canvas.shadow(0.95)
    canvas.polygon(
        [(-1.03, -0.5), (0, -0.32), (1.03, -0.5), (1.03, 0.85), (0, 1), (-1.03, 0.85)], cover
    )
    for side, tone in ((-1, 250), (1, 238)):
        page = [
            (0, -0.35),
            (side * 0.35, -0.6),
            (side * 0.95, -0.58),
            (side * 0.95, 0.7),
            (side * 0.35, 0.68),
            (0, 0.9),
        ]
        canvas.polygon(page, (tone, tone - 4, tone - 16))
        for y in np.arange(-0.38, 0.6, 0.18):
            canvas.line(
                [(side * 0.16, y + 0.06), (side * 0.38, y), (side * rng.uniform(0.65, 0.85), y)],
                (95, 92, 90),
                0.05,
            )
    canvas.line([(0, -0.35), (0, 0.9)], (160, 150, 135), 0.04)


@draws("computer", IN_FRONT)
def computer(canvas: Canvas) -> None:
    """A screen with windows of text over a keyboard."""
    rng = canvas.rng
    case = pick(rng, [(40, 42, 46), (205, 207, 210), (150, 152, 156)], 6)
    canvas.rectangle(-0.9, -0.95, 0.9, 0.35, case)
    screen = pick(rng, [(60, 110, 170), (35, 45, 60), (225, 232, 238), (70, 130, 120)])
    canvas.rectangle(-0.8, -0.85, 0.8, 0.22, screen)
    canvas.light(0, -0.3, 0.7)
    for x, y in ((-0.65, -0.7), (-0.1, -0.4)):
        canvas.rectangle(x, y, x + 0.75, y + 0.52, (245, 246, 248))
        canvas.rectangle(x, y, x + 0.75, y + 0.1, pick(rng, BRIGHT))
        for line in (0.2, 0.3, 0.4):
            canvas.line(
                [(x + 0.06, y + line), (x + rng.uniform(0.35, 0.68), y + line)],
                (110, 115, 122),
                0.04,
            )
    canvas.polygon([(-0.15, 0.35), (0.15, 0.35), (0.25, 0.56), (-0.25, 0.56)], shade(case, 0.8))
    canvas.polygon([(-0.85, 0.62), (0.85, 0.62), (1.0, 0.98), (-1.0, 0.98)], shade(case, 0.9))
    for row, y in enumerate((0.68, 0.78, 0.88)):
        for x in np.linspace(-0.75 - 0.04 * row, 0.75 + 0.04 * row, 9):
            canvas.rectangle(x - 0.06, y, x + 0.06, y + 0.06, mix(case, (128, 128, 128), 0.7))


@draws("fire", IN_FRONT)
def fire(canvas: Canvas) -> None:
    """Tongues of flame, from red to white, with sparks and smoke over crossed logs."""
    rng = canvas.rng
    for x, y, radius in ((-0.3, -0.8, 0.3), (0.2, -0.9, 0.26), (0.45, -0.6, 0.22)):
        canvas.ellipse(x, y, radius, color=(70, 66, 66), alpha=0.4)
    canvas.ellipse(0, 0.4, 1.05, 0.75, color=(255, 140, 40), alpha=0.22)
    for scale, color in ((1.0, (215, 60, 25)), (0.72, (250, 140, 35)), (0.45, (255, 225, 110))):
        flame = canvas.at(0, 0.85, scale)
        left, middle, right = (
            rng.uniform(-1.2, -0.8),
            rng.uniform(-1.75, -1.5),
            rng.uniform(-1.25, -0.85),
        )
        tip = rng.normal(0, 0.08)
        flame.smooth(
            [
                (-0.5, 0.05), (-0.72, -0.45), (-0.5, left), (-0.28, -0.7), (tip, middle),
                (0.25, -0.75), (0.5, right), (0.72, -0.4), (0.5, 0.05),
            ],
            color,
        )  # fmt: skip
    for x, y in rng.uniform((-0.8, -1), (0.8, 0), (8, 2)):
        canvas.ellipse(x, y, 0.04, color=(255, 190, 80))
    canvas.line([(-0.75, 0.98), (0.6, 0.78)], (75, 50, 38), 0.17)
    canvas.line([(0.75, 0.98), (-0.6, 0.78)], (55, 38, 30), 0.17)
    canvas.light(0, 0.4, 0.9)


@draws("flags", IN_FRONT)
def flags(canvas: Canvas) -> None:
    """Waving flags of three stripes on tall poles."""
    rng = canvas.rng
    poles = (
        [(-0.7, -0.95, 1.4)] if rng.random() < 0.4 else [(-0.9, -0.95, 0.75), (0.08, -0.75, 0.75)]
    )
    for x, top, width in poles:
        canvas.line([(x, top - 0.03), (x, 1)], (205, 205, 208), 0.07)
        across = np.linspace(0, 1, 7)
        wave = 0.08 * np.sin(across * 6 + rng.uniform(0, 6))
        colors = [pick(rng, [*BRIGHT, (245, 245, 242), (40, 40, 45)]) for _ in range(3)]
        height = width * 0.24
        upright = rng.random() < 0.4
        for stripe, color in enumerate(colors):
            if upright:
                part = slice(stripe * 2, stripe * 2 + 3)
                upper = np.stack([x + across[part] * width, top + wave[part]], axis=1)
                lower = upper + (0, 3 * height)
            else:
                upper = np.stack([x + across * width, top + wave + stripe * height], axis=1)
                lower = upper + (0, height)
            canvas.polygon(np.vstack([upper, lower[::-1]]), color)


@draws("food", IN_FRONT)
def food(canvas: Canvas) -> None:
    """A plate seen from above: a burger, fruit, or a pizza."""
    rng = canvas.rng
    canvas.ellipse(0, 0.1, 1.0, 0.9, color=(60, 55, 55), alpha=0.35)
    canvas.ellipse(
        0, 0.05, 0.98, 0.86, color=pick(rng, [(246, 244, 240), (225, 230, 235), (235, 215, 190)], 5)
    )
    canvas.ellipse(0, 0.05, 0.76, 0.66, color=(222, 220, 216))
    kind = rng.choice(["burger", "fruit", "pizza"])
    if kind == "pizza":
        canvas.ellipse(0, 0.05, 0.72, 0.62, color=(205, 150, 80))
        canvas.ellipse(0, 0.05, 0.62, 0.53, color=(245, 205, 95))
        for angle in np.arange(6) * 1.05 + rng.uniform(0, 1):
            canvas.ellipse(
                0.37 * np.cos(angle), 0.05 + 0.32 * np.sin(angle), 0.13, 0.11, color=(190, 55, 40)
            )
            canvas.ellipse(
                0.2 * np.cos(angle + 0.5),
                0.05 + 0.18 * np.sin(angle + 0.5),
                0.06,
                color=(90, 130, 60),
            )
    elif kind == "burger":
        canvas.smooth(
            [(-0.6, 0.5), (-0.62, 0.3), (0.62, 0.3), (0.6, 0.5), (0, 0.62)], (205, 150, 85)
        )
        canvas.line(
            [(-0.62, 0.2), (-0.3, 0.27), (0, 0.2), (0.3, 0.27), (0.62, 0.2)], (110, 165, 70), 0.14
        )
        canvas.rectangle(-0.62, 0.05, 0.62, 0.2, (100, 60, 42))
        canvas.line([(-0.6, 0.03), (0.6, 0.03)], (215, 60, 50), 0.09)
        canvas.smooth(
            [(-0.64, 0), (-0.5, -0.4), (0, -0.55), (0.5, -0.4), (0.64, 0)], (220, 165, 95)
        )
        for x, y in ((-0.3, -0.3), (0, -0.42), (0.28, -0.28), (0.05, -0.2)):
            canvas.ellipse(x, y, 0.05, 0.03, color=(250, 235, 190))
    else:
        for x, y, radius in ((-0.3, 0.15, 0.3), (0.3, 0.18, 0.28), (0.02, -0.22, 0.3)):
            color = pick(rng, [(200, 50, 50), (240, 150, 50), (150, 190, 70), (245, 215, 80)])
            canvas.ellipse(x, y, radius, color=color)
            canvas.ellipse(
                x - radius * 0.35,
                y - radius * 0.35,
                radius * 0.25,
                color=mix(color, (255, 255, 255), 0.6),
            )
            canvas.line([(x, y - radius * 0.8), (x + 0.06, y - radius * 1.3)], (90, 65, 40), 0.05)
        for x in (-0.5, -0.4, 0.45):
            canvas.ellipse(x, 0.42, 0.09, color=(110, 60, 120))


@draws("map", IN_FRONT)
def map_sheet(canvas: Canvas) -> None:
    """A folded sheet: land in a sea, a grid, a red route to a cross."""
    rng = canvas.rng
    sheet = canvas.at(0, 0, 1, angle=rng.uniform(-0.12, 0.12))
    sea = pick(rng, [(165, 205, 225), (235, 225, 195), (190, 215, 215)], 6)
    sheet.rectangle(-1.02, -0.82, 1.02, 0.82, (250, 248, 240))
    sheet.rectangle(-0.95, -0.75, 0.95, 0.75, sea)
    angles = np.arange(9) * 0.698
    for x, y, size in ((-0.42, -0.15, 0.45), (0.48, 0.2, 0.42)):
        radius = size * rng.uniform(0.65, 1.15, 9)
        coast = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)
        sheet.smooth(
            coast,
            pick(rng, [(190, 205, 130), (225, 195, 125), (170, 190, 140), (235, 180, 150)], 6),
        )
    for line in (-0.5, 0.0, 0.5):
        sheet.line([(line, -0.75), (line, 0.75)], (120, 135, 145), 0.02)
        sheet.line([(-0.95, line), (0.95, line)], (120, 135, 145), 0.02)
    route = [(-0.7, 0.4), (-0.45, -0.1), (-0.05, 0.12), (0.25, -0.2), (0.55, 0.1)]
    sheet.line(route, (205, 50, 50), 0.06)
    for side in (-1, 1):
        sheet.line([(0.45, 0.1 - side * 0.12), (0.65, 0.1 + side * 0.12)], (170, 30, 40), 0.07)


@draws("sign", IN_FRONT)
def sign(canvas: Canvas) -> None:
    """A traffic sign on a post: triangle, octagon, disc, or arrows."""
    rng = canvas.rng
    canvas.line([(0, -0.2), (0, 1)], (140, 142, 146), 0.13)
    board: Color = pick(rng, [(200, 45, 45), (50, 95, 170), (245, 200, 60), (55, 130, 85)], 6)
    kind = rng.choice(["triangle", "octagon", "disc", "arrow"])
    white: Color = (248, 248, 245)
    if kind == "triangle":
        canvas.polygon([(-0.8, 0.35), (0, -1.0), (0.8, 0.35)], board)
        canvas.polygon([(-0.52, 0.2), (0, -0.68), (0.52, 0.2)], white)
        canvas.rectangle(-0.07, -0.38, 0.07, -0.02, (25, 25, 28))
        canvas.ellipse(0, 0.1, 0.07, color=(25, 25, 28))
    elif kind == "arrow":
        for y, side in ((-0.75, 1), (-0.2, -1)):
            points = [(-0.75, -0.22), (0.6, -0.22), (0.95, 0), (0.6, 0.22), (-0.75, 0.22)]
            canvas.polygon([(x * side, y + dy) for x, dy in points], board)
            canvas.line([(-0.5, y), (0.45, y)], white, 0.12)
    else:
        steps = np.arange(8 if kind == "octagon" else 20) + 0.5
        angles = steps * 2 * np.pi / len(steps)
        edge = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        canvas.polygon(edge * 0.74 + (0, -0.3), white)
        canvas.polygon(edge * 0.67 + (0, -0.3), board)
        if kind == "octagon":
            for x in (-0.4, -0.14, 0.13, 0.4):
                canvas.line([(x, -0.45), (x, -0.15)], white, 0.12)
        else:
            canvas.rectangle(-0.45, -0.42, 0.45, -0.18, white)


@draws("toy", IN_FRONT)
def toy(canvas: Canvas) -> None:
    """A teddy bear with a bow, stacked blocks, or a rubber duck."""
    rng = canvas.rng
    canvas.shadow(0.8)
    kind = rng.choice(["teddy", "blocks", "duck"])
    if kind == "teddy":
        fur = pick(rng, [(190, 140, 85), (150, 100, 65), (225, 200, 165), (200, 130, 150)])
        for side in (-1, 1):
            canvas.ellipse(side * 0.45, 0.85, 0.28, 0.2, color=shade(fur, 0.9))
            canvas.ellipse(side * 0.45, 0.87, 0.14, 0.11, color=shade(fur, 1.25))
            canvas.ellipse(side * 0.58, 0.22, 0.17, 0.32, color=shade(fur, 0.85), angle=side * -0.5)
            canvas.ellipse(side * 0.42, -0.82, 0.2, color=fur)
            canvas.ellipse(side * 0.42, -0.82, 0.11, color=shade(fur, 1.25))
        canvas.ellipse(0, 0.42, 0.5, 0.52, color=fur)
        canvas.ellipse(0, 0.48, 0.3, 0.34, color=shade(fur, 1.25))
        canvas.ellipse(0, -0.42, 0.52, 0.46, color=fur)
        canvas.ellipse(0, -0.26, 0.24, 0.19, color=shade(fur, 1.25))
        canvas.ellipse(0, -0.33, 0.08, 0.06, color=(40, 30, 28))
        for side in (-1, 1):
            canvas.ellipse(side * 0.2, -0.52, 0.06, color=(35, 28, 26))
            canvas.polygon([(0, 0.05), (side * 0.3, -0.08), (side * 0.3, 0.2)], pick(rng, BRIGHT))
    elif kind == "blocks":
        for x, y in ((-0.5, 0.62), (0.28, 0.62), (-0.1, -0.14), (-0.05, -0.85)):
            color, block = pick(rng, BRIGHT), canvas.at(x, y, 0.38, angle=rng.normal(0, 0.1))
            block.rectangle(-1, -1, 1, 1, color)
            block.rectangle(-0.7, -0.7, 0.7, 0.7, mix(color, (255, 250, 235), 0.75))
            block.polygon([(-0.45, 0.5), (0, -0.55), (0.45, 0.5)], shade(color, 0.85))
    else:
        yellow = pick(rng, [(250, 210, 60), (245, 190, 70), (240, 150, 170)], 6)
        canvas.smooth(
            [(-1, 0.0), (-0.5, 0.35), (0.3, 0.15), (0.75, 0.4), (0.5, 0.95), (-0.5, 0.98)], yellow
        )
        canvas.smooth([(-0.55, 0.5), (0.05, 0.4), (0.2, 0.62), (-0.2, 0.78)], shade(yellow, 0.85))
        canvas.ellipse(0.32, -0.32, 0.48, color=yellow)
        canvas.polygon([(0.68, -0.4), (1.05, -0.25), (0.7, -0.1)], (235, 110, 45))
        canvas.ellipse(0.45, -0.45, 0.09, color=(30, 28, 30))
