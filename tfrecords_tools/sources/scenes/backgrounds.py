"""What is behind everything: skies, haze, walls, and what hangs in the sky."""

import cv2
import numpy as np

from tfrecords_tools.sources.scenes.canvas import Canvas, Color, mix, pick, shade
from tfrecords_tools.sources.scenes.registry import IN_SKY, draws

SKIES: list[Color] = [
    (70, 130, 205),
    (100, 160, 220),
    (60, 110, 170),
    (120, 165, 195),
    (85, 150, 190),
]
WALLS: list[Color] = [
    (205, 190, 165), (170, 172, 178), (150, 170, 150), (190, 150, 140), (130, 155, 185),
    (95, 90, 95), (225, 220, 212), (150, 120, 95), (110, 130, 120),
]  # fmt: skip
HAZES: list[Color] = [
    (214, 214, 210),
    (196, 204, 208),
    (220, 208, 188),
    (176, 186, 172),
    (150, 150, 150),
]


def sky(canvas: Canvas) -> None:
    """Blue that grows paler towards the horizon."""
    top = pick(canvas.rng, SKIES, 14)
    canvas.gradient(0, 1, top, mix(top, (240, 240, 236), canvas.rng.uniform(0.5, 0.8)))


def sunset(canvas: Canvas, with_sky: bool) -> None:
    """Glowing low bands under a violet or a blue top."""
    rng = canvas.rng
    tops: list[Color] = (
        [(60, 70, 130), (90, 110, 165)] if with_sky else [(70, 35, 70), (120, 55, 60)]
    )
    middle = pick(rng, [(205, 95, 80), (215, 120, 95), (180, 80, 110)])
    low = pick(rng, [(250, 180, 90), (255, 205, 120), (245, 150, 80)])
    bend = rng.uniform(0.3, 0.45)
    canvas.gradient(0, bend, pick(rng, tops), middle)
    canvas.gradient(bend, 0.75, middle, low)
    canvas.gradient(0.75, 1, low, shade(low, 0.9))
    for _ in range(4):
        x, y = rng.random(), rng.uniform(0.2, 0.6)
        color = mix(middle, (255, 220, 160), 0.4)
        canvas.ellipse(x, y, rng.uniform(0.2, 0.5), 0.015, color=color, alpha=0.5)


def night(canvas: Canvas, with_sky: bool) -> None:
    """Dark; with a sky it is deep blue and full of stars."""
    rng = canvas.rng
    top: Color = (16, 24, 62) if with_sky else (18, 16, 22)
    canvas.gradient(0, 1, top, mix(top, (90, 80, 110), 0.5 if with_sky else 0.25))
    for _ in range(40 if with_sky else 12):
        x, y = rng.random(2) * (1, 0.6)
        canvas.light(x, y, 0.004)


def haze(canvas: Canvas) -> None:
    """Out of doors without a visible sky: even mist, or foliage out of focus."""
    base = pick(canvas.rng, HAZES)
    if canvas.rng.random() < 0.35:
        foliage(canvas)
        return
    canvas.gradient(0, 1, base, mix(base, (245, 236, 220), canvas.rng.uniform(0, 0.5)))
    canvas.texture(0, 1, (5, 5), 6)


def overcast(canvas: Canvas) -> None:
    """An even grey above, against which clouds can be seen."""
    base = pick(canvas.rng, [(128, 134, 142), (145, 146, 150), (120, 118, 122)])
    canvas.gradient(0, 1, base, mix(base, (225, 225, 222), 0.6))


def foliage(canvas: Canvas) -> None:
    """Blurred discs of green and brown, as behind a subject in focus."""
    rng = canvas.rng
    base = pick(
        rng, [(95, 120, 80), (140, 130, 95), (95, 115, 115), (165, 155, 135), (130, 145, 105)]
    )
    noise = np.array(base) + rng.normal(0, 20, (7, 7, 1)) + rng.normal(0, 5, (7, 7, 3))
    noise = noise.clip(0, 255).astype(np.uint8)
    canvas.pixels[:] = cv2.resize(noise, (canvas.side,) * 2, interpolation=cv2.INTER_CUBIC)
    for x, y in rng.random((8, 2)):
        color = shade(base, rng.uniform(1.1, 1.5))
        canvas.ellipse(x, y, rng.uniform(0.04, 0.1), color=color, alpha=0.4)


def wall(canvas: Canvas) -> None:
    """A room: plain, papered in stripes, or panelled, lit from one side, with a floor."""
    rng = canvas.rng
    base = pick(rng, WALLS)
    style = rng.choice(["plain", "stripes", "panels"], p=[0.6, 0.2, 0.2])
    canvas.pixels[:] = np.array(base)
    if style == "stripes":
        for x in np.arange(0, 1, 0.16):
            canvas.rectangle(x, 0, x + 0.08, 1, shade(base, 0.93))
    elif style == "panels":
        for y in np.arange(0, 1, 0.14):
            canvas.line([(0, y), (1, y)], shade(base, 0.85), 0.008)
    floor = rng.uniform(0.72, 0.88)
    if rng.random() < 0.7:
        color = mix(base, pick(rng, [(120, 90, 65), (90, 90, 95), (165, 150, 130)]), 0.7)
        canvas.gradient(floor, 1, shade(color, 0.85), color)
    light = np.linspace(1.12, 0.82, canvas.side)[:: 1 if rng.random() < 0.5 else -1]
    canvas.pixels[:] = np.clip(canvas.pixels * light[None, :, None], 0, 255)


def clouds(canvas: Canvas, horizon: float, tags: set[str]) -> None:
    """Heaps of soft discs with a darker underside, in the light of the hour."""
    rng = canvas.rng
    tone = pick(rng, [(246, 246, 248), (225, 228, 235)], 5)
    if "nighttime" in tags:
        tone = (120, 125, 150)
    elif "sunset" in tags:
        tone = pick(rng, [(255, 205, 180), (240, 175, 170)], 5)
    for _ in range(rng.integers(2, 5)):
        x, y = rng.uniform(0.05, 0.95), rng.uniform(0.08, max(0.2, horizon - 0.15))
        width = rng.uniform(0.14, 0.28)
        puffs = [(rng.uniform(-1, 1), rng.uniform(0.2, 0.42)) for _ in range(7)]
        for dx, radius in puffs:
            canvas.ellipse(
                x + dx * width, y + 0.02, radius * width, radius * width * 0.7,
                color=shade(tone, 0.86), alpha=0.75,
            )  # fmt: skip
        for dx, radius in puffs:
            canvas.ellipse(
                x + dx * width * 0.9, y - 0.012, radius * width * 0.9, radius * width * 0.65,
                color=tone, alpha=0.85,
            )  # fmt: skip


@draws("sun", IN_SKY)
def sun(canvas: Canvas) -> None:
    """A bright disc in a halo, with rays."""
    rng = canvas.rng
    color = pick(rng, [(255, 240, 180), (255, 220, 120), (255, 200, 110)], 5)
    for radius, alpha in ((0.95, 0.2), (0.75, 0.3)):
        canvas.ellipse(0, 0.1, radius, color=color, alpha=alpha)
    start = rng.uniform(0, 0.7)
    for angle in np.arange(start, start + 2 * np.pi - 0.1, np.pi / 5):
        tip = np.array([np.cos(angle), np.sin(angle)])
        side = np.array([-tip[1], tip[0]]) * 0.07
        canvas.polygon([tip * 0.5 + side, tip * 0.98, tip * 0.5 - side] + np.array([0, 0.1]), color)
    canvas.ellipse(0, 0.1, 0.48, color=mix(color, (255, 255, 240), 0.6))
    canvas.light(0, 0.1, 0.3)


@draws("moon", IN_SKY)
def moon(canvas: Canvas) -> None:
    """A crescent, or a full disc with dark seas."""
    rng = canvas.rng
    color = pick(rng, [(238, 234, 214), (220, 222, 230), (250, 225, 170)], 5)
    canvas.ellipse(0, 0.1, 0.85, color=color, alpha=0.12)
    if rng.random() < 0.5:
        canvas.ellipse(0, 0.1, 0.6, color=color)
        for x, y, radius in (
            (-0.2, -0.1, 0.17),
            (0.2, 0.15, 0.2),
            (-0.1, 0.4, 0.12),
            (0.25, -0.2, 0.1),
        ):
            canvas.ellipse(x, y, radius, color=shade(color, 0.78))
    else:
        angles = np.linspace(-np.pi / 2, np.pi / 2, 12)
        outer = np.stack([np.cos(angles), np.sin(angles)], axis=1) * 0.68
        inner = outer[::-1] * (0.35, 1)
        canvas.at(0, 0.1, 1, angle=rng.uniform(-0.6, 0.6)).polygon(np.vstack([outer, inner]), color)
    canvas.light(0, 0.1, 0.25)


def rainbow(canvas: Canvas, horizon: float) -> None:
    """Six bands of an arc from side to side."""
    rng = canvas.rng
    x, radius = rng.uniform(0.3, 0.7), rng.uniform(0.42, 0.55)
    angles = np.linspace(np.pi, 2 * np.pi, 24)
    arc = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    colors = [
        (225, 60, 60),
        (245, 150, 50),
        (250, 225, 80),
        (90, 190, 90),
        (70, 120, 215),
        (140, 80, 180),
    ]
    layer = canvas.pixels.copy()
    for band, color in enumerate(colors):
        points = canvas.to_pixels(arc * (radius - band * 0.024) + (x, horizon))
        width = max(1, round(0.026 * canvas.side))
        cv2.polylines(layer, [points.astype(np.int32)], False, color, width)
    canvas.blend(layer, 0.75)


def frost(canvas: Canvas) -> None:
    """Ice flowers that grow in from the edges of the pane, over everything."""
    rng = canvas.rng
    for x, y in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)):
        for radius in (0.42, 0.34, 0.26, 0.18):
            canvas.ellipse(x, y, radius, color=(232, 242, 250), alpha=0.28)
    for edge in range(12):
        along = rng.random()
        x, y = ((along, 0), (1, along), (along, 1), (0, along))[edge % 4]
        inward = np.arctan2(0.5 - y, 0.5 - x) + rng.normal(0, 0.3)
        fern = canvas.at(x, y, rng.uniform(0.22, 0.36), angle=inward)
        fern.line([(0, 0), (1, 0)], (248, 252, 255), 0.05)
        for t in np.linspace(0.15, 0.85, 5):
            for side in (-1, 1):
                fern.line([(t, 0), (t + 0.2, side * 0.36 * (1.1 - t))], (240, 247, 253), 0.035)
