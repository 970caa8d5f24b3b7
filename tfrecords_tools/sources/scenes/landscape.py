"""Land: what rises behind the horizon, the ground in bands, and the ways through it."""

import numpy as np

from tfrecords_tools.sources.scenes.canvas import Canvas, Color, mix, pick, ridge, shade
from tfrecords_tools.sources.scenes.registry import BANDS, BEHIND, IN_FRONT, PATHS, draws


def outline(profile: np.ndarray, base: float, height: float) -> np.ndarray:
    """A closed shape over the full width whose upper edge follows the profile."""
    across = np.linspace(-0.02, 1.02, len(profile))
    top = np.stack([across, base - profile * height], axis=1)
    return np.vstack([top, [(1.02, base + 0.02), (-0.02, base + 0.02)]])


@draws("mountain", BEHIND)
def mountain(canvas: Canvas, horizon: float) -> None:
    """Two or three pointed peaks with a bright and a shaded side, some under snow."""
    rng = canvas.rng
    color = pick(rng, [(105, 110, 130), (95, 105, 95), (130, 110, 95), (85, 95, 120)])
    centers = rng.permutation([0.15, 0.5, 0.85])[: rng.integers(2, 4)]
    snowy = rng.random() < 0.5
    for x in centers + rng.normal(0, 0.05, len(centers)):
        height, half = horizon * rng.uniform(0.45, 0.75), rng.uniform(0.28, 0.42)
        peak, foot = horizon - height, horizon + 0.02
        left = [(x - half, foot), (x - half * 0.5, peak + height * 0.55), (x, peak)]
        right = [(x, peak), (x + half * 0.45, peak + height * 0.45), (x + half, foot)]
        canvas.polygon([*left, (x + half * 0.1, foot)], color)
        canvas.polygon(
            [*right, (x + half * 0.1, foot), (x - half * 0.08, peak + height / 2)],
            shade(color, 0.75),
        )
        if snowy:
            cap = height * 0.3
            edge = [
                (x + half * 0.3, peak + cap), (x + half * 0.12, peak + cap * 0.75),
                (x, peak + cap * 1.15), (x - half * 0.12, peak + cap * 0.8),
                (x - half * 0.27, peak + cap),
            ]  # fmt: skip
            canvas.polygon([(x, peak), *edge], (238, 242, 248))


@draws("valley", BEHIND)
def valley(canvas: Canvas, horizon: float) -> None:
    """Slopes that come down from both sides and cross in the middle, paler with distance."""
    rng = canvas.rng
    color = pick(rng, [(90, 120, 75), (110, 110, 80), (80, 105, 95)])
    for depth in range(3):
        low = horizon + 0.02 - 0.04 * (2 - depth)
        height = horizon * (0.5 + 0.12 * depth)
        reach = 0.62 - 0.1 * depth
        tone = mix(color, (205, 212, 215), 0.5 - 0.22 * depth)
        for flip in (False, True):
            lift = rng.uniform(0.85, 1.1)
            slope = [(0, low - height * lift), (reach * 0.4, low - height * 0.55), (reach, low)]
            points = np.array([*slope, (reach, low + 0.1), (0, low + 0.1)])
            if flip:
                points[:, 0] = 1 - points[:, 0]
            canvas.smooth(np.vstack([[points[-1]], points]), shade(tone, 0.88 if flip else 1))


@draws("glacier", BEHIND)
def glacier(canvas: Canvas, horizon: float) -> None:
    """A wall of pale blue ice, broken by deep blue crevasses."""
    rng = canvas.rng
    color = pick(rng, [(200, 228, 240), (180, 215, 235), (215, 232, 238)], 6)
    height = horizon * rng.uniform(0.4, 0.6)
    profile = 0.6 + 0.4 * np.kron(rng.random(9), [1, 1, 0.8, 1])
    canvas.polygon(outline(profile, horizon, height), color)
    for x in rng.uniform(0, 1, 14):
        top = horizon - height * rng.uniform(0.4, 0.65)
        bend = x + rng.normal(0, 0.02)
        crack = [(x, top), (bend + 0.02, (top + horizon) / 2), (x + 0.01, horizon)]
        canvas.line(crack, pick(rng, [(90, 155, 200), (120, 180, 215)]), 0.014)


def ground(canvas: Canvas, top: float, bottom: float) -> None:
    """Bare soil, when no tag says what the ground is."""
    color = pick(canvas.rng, [(120, 112, 100), (100, 100, 92), (135, 122, 105), (90, 92, 88)])
    canvas.gradient(top, bottom, mix(color, (190, 190, 185), 0.25), color)
    canvas.texture(top, bottom, (20, 8), 5)


@draws("beach", BANDS)
def beach(canvas: Canvas, top: float, bottom: float) -> None:
    """A curved shore: wet edge and foam, a parasol and its shadow."""
    rng = canvas.rng
    color = pick(rng, [(226, 204, 158), (214, 188, 146), (232, 216, 182)])
    canvas.gradient(top, bottom, shade(color, 0.92), color)
    depth = bottom - top
    shore = [(x, top + depth * (0.16 + 0.1 * np.sin(4 * x + 1))) for x in np.linspace(0, 1, 9)]
    canvas.polygon([(0, top), *shore, (1, top)], (110, 165, 185))
    canvas.line(shore, (245, 248, 248), 0.022)
    x, y = rng.uniform(0.15, 0.85), top + depth * 0.55
    shape = canvas.at(x, y - 0.1, 0.13)
    shape.line([(0, -0.6), (0.15, 1)], (110, 80, 60), 0.08)
    stripe = pick(rng, [(210, 60, 60), (60, 110, 190), (240, 190, 60)])
    angles = np.linspace(np.pi, 2 * np.pi, 7)
    for part, (start, end) in enumerate(zip(angles[:-1], angles[1:], strict=True)):
        wedge = [(0, -0.75), (np.cos(start), np.sin(start) * 0.8), (np.cos(end), np.sin(end) * 0.8)]
        wedge[0] = (0, 0)
        shape.polygon(wedge, stripe if part % 2 else (245, 240, 230))


@draws("sand", BANDS)
def sand(canvas: Canvas, top: float, bottom: float) -> None:
    """Dunes with wind ripples."""
    rng = canvas.rng
    color = pick(rng, [(222, 190, 135), (205, 165, 110), (230, 205, 160)])
    canvas.gradient(top, bottom, mix(color, (240, 225, 195), 0.3), color)
    phase = rng.uniform(0, 6)
    across = np.linspace(0, 1, 17)
    for y in np.linspace(top, bottom, 9)[1:]:
        wave = y + 0.012 * np.sin(across * 13 + phase + y * 20)
        canvas.line(np.stack([across, wave], axis=1), shade(color, 0.82), 0.01)


@draws("snow", BANDS)
def snow(canvas: Canvas, top: float, bottom: float) -> None:
    """White drifts with blue shadows, and flakes in the air."""
    rng = canvas.rng
    canvas.gradient(top, bottom, (222, 230, 242), (248, 250, 253))
    for y in np.linspace(top, bottom, 4)[1:]:
        drift = outline(ridge(rng, 9, 0.3), y + 0.02, 0.06)
        canvas.smooth(drift, mix((205, 216, 236), (246, 248, 252), rng.random()), alpha=0.6)
    for x, y in rng.random((22, 2)):
        canvas.ellipse(x, y, rng.uniform(0.008, 0.018), color=(252, 252, 255), alpha=0.85)


@draws("grass", BANDS)
def grass(canvas: Canvas, top: float, bottom: float) -> None:
    """Green, with blades that grow towards the viewer."""
    rng = canvas.rng
    color = pick(rng, [(95, 150, 65), (120, 155, 70), (80, 125, 65), (150, 160, 85)])
    canvas.gradient(top, bottom, mix(color, (190, 200, 150), 0.3), shade(color, 0.85))
    for depth, x in zip(np.sort(rng.random(46)), rng.random(46), strict=True):
        y = top + (bottom - top) * depth
        size = 0.025 + 0.06 * depth
        tip = (x + rng.normal(0, 0.3) * size, y - size * 0.6)
        blade = [(x - size * 0.14, y + size * 0.4), tip, (x + size * 0.14, y + size * 0.4)]
        canvas.polygon(blade, shade(color, rng.uniform(0.65, 1.25)))


@draws("garden", BANDS)
def garden(canvas: Canvas, top: float, bottom: float) -> None:
    """Clipped hedges and round beds on both sides of a pale path."""
    rng = canvas.rng
    color = pick(rng, [(90, 140, 70), (105, 145, 80), (75, 120, 70)])
    canvas.gradient(top, bottom, shade(color, 1.1), color)
    middle = rng.uniform(0.4, 0.6)
    path = [
        (middle - 0.03, top),
        (middle + 0.03, top),
        (middle + 0.2, bottom),
        (middle - 0.2, bottom),
    ]
    canvas.polygon(path, (208, 196, 172))
    bloom = pick(rng, [(215, 80, 100), (240, 200, 80), (190, 110, 190), (240, 235, 235)])
    for depth in (0.15, 0.5, 0.9):
        y, size = top + (bottom - top) * depth, 0.05 + 0.09 * depth
        for side in (-1, 1):
            x = middle + side * (0.14 + 0.25 * depth)
            canvas.ellipse(x, y - size * 0.5, size * 1.3, size, color=shade(color, 0.6))
            canvas.ellipse(x, y - size * 0.65, size * 1.1, size * 0.75, color=shade(color, 0.8))
            for dx, dy in rng.uniform(-0.8, 0.8, (6, 2)):
                canvas.ellipse(x + dx * size, y - size * (0.6 + dy * 0.6), size * 0.16, color=bloom)


@draws("rocks", BANDS)
def rocks(canvas: Canvas, top: float, bottom: float) -> None:
    """Boulders with a lit top, piled towards the viewer."""
    rng = canvas.rng
    color = pick(rng, [(125, 120, 115), (145, 115, 95), (100, 105, 110), (165, 150, 130)])
    canvas.gradient(top, bottom, shade(color, 0.75), shade(color, 0.6))
    for depth in np.sort(rng.random(13)):
        x, y = rng.random(), top + (bottom - top) * depth
        size = rng.uniform(0.06, 0.1) * (0.7 + depth)
        angles = np.sort(rng.uniform(0, 2 * np.pi, 7))
        shape = np.stack([np.cos(angles) * 1.2, np.sin(angles) * 0.8], axis=1) * size
        tone = shade(color, rng.uniform(0.7, 1.15))
        canvas.polygon(shape + (x, y), shade(tone, 0.65))
        canvas.polygon(shape * 0.8 + (x - size * 0.1, y - size * 0.2), tone)


@draws("earthquake", IN_FRONT)
def earthquake(canvas: Canvas) -> None:
    """A leaning, broken wall over a crack in the ground, among rubble."""
    rng = canvas.rng
    color = pick(rng, [(165, 150, 135), (150, 120, 105), (140, 140, 140)])
    lean = canvas.at(0, 0.5, 0.8, angle=rng.choice([-1, 1]) * rng.uniform(0.2, 0.35))
    lean.polygon(
        [
            (-0.8, 0.4),
            (-0.8, -1.3),
            (-0.4, -1.0),
            (-0.2, -1.35),
            (0.1, -0.7),
            (0.4, -0.85),
            (0.7, 0.4),
        ],
        color,
    )
    for x, y in ((-0.6, -0.9), (-0.15, -0.8), (-0.6, -0.3), (-0.1, -0.3), (0.3, -0.3)):
        lean.rectangle(x, y, x + 0.22, y + 0.32, (45, 42, 45))
    for x in rng.uniform(-1, 1, 14):
        y, size = rng.uniform(0.6, 0.9), rng.uniform(0.08, 0.2)
        stone = rng.uniform(-1, 1, (4, 2)) * size + (x, y)
        canvas.polygon(stone[[0, 2, 1, 3]], shade(color, rng.uniform(0.5, 1.1)))
    crack = [(-1.2, 0.85), (-0.6, 0.95), (-0.3, 0.78), (0.2, 0.98), (0.6, 0.85), (1.2, 1.0)]
    canvas.line(crack, (25, 20, 20), 0.11)


def _way(
    canvas: Canvas, horizon: float, near: float, far: float, color: Color
) -> tuple[float, float]:
    end, start = canvas.rng.uniform(0.35, 0.65), canvas.rng.uniform(0.4, 0.6)
    points = [
        (end - far, horizon),
        (end + far, horizon),
        (start + near, 1.02),
        (start - near, 1.02),
    ]
    canvas.polygon(points, color)
    return start, end


@draws("road", PATHS)
def road(canvas: Canvas, horizon: float) -> None:
    """Asphalt to the horizon with a dashed line."""
    color = pick(canvas.rng, [(88, 88, 94), (110, 106, 104), (72, 74, 80)], 6)
    start, end = _way(canvas, horizon, canvas.rng.uniform(0.35, 0.5), 0.04, color)
    for near, far in ((0.0, 0.12), (0.25, 0.4), (0.52, 0.64), (0.74, 0.82)):
        ends = [(start + (end - start) * t, 1.0 + (horizon - 1.0) * t) for t in (near, far)]
        (x0, y0), (x1, y1) = ends
        w0, w1 = 0.028 * (1 - near) + 0.004, 0.028 * (1 - far) + 0.004
        canvas.polygon(
            [(x0 - w0, y0), (x0 + w0, y0), (x1 + w1, y1), (x1 - w1, y1)], (240, 225, 150)
        )


@draws("street", PATHS)
def street(canvas: Canvas, horizon: float) -> None:
    """A street between pavements and house fronts, with lamps and a crossing."""
    rng = canvas.rng
    color = pick(rng, [(105, 103, 104), (125, 118, 112)], 6)
    front = pick(rng, [(165, 130, 105), (150, 150, 150), (180, 160, 130), (130, 105, 100)])
    top = max(horizon - 0.42, 0.02)
    for side in (0, 1):
        wall = np.array([(0, top - 0.1), (0.3, horizon - 0.14), (0.3, horizon), (0, 1.0)])
        wall[:, 0] = np.abs(side - wall[:, 0])
        canvas.polygon(wall, shade(front, 0.8 if side else 1))
        for x in (0.05, 0.15, 0.23):
            reach = 1 - x / 0.3
            y = horizon - 0.12 - (horizon - top) * 0.42 * reach
            box = np.array([(x, y), (x + 0.05, y + 0.015), (x + 0.05, y + 0.09), (x, y + 0.1)])
            box[:, 0] = np.abs(side - box[:, 0])
            canvas.polygon(box, (70, 78, 90))
            canvas.light(abs(side - x - 0.025), y + 0.05, 0.02)
    _way(canvas, horizon, 0.62, 0.2, (185, 180, 172))
    _way(canvas, horizon, 0.42, 0.15, color)
    for x in np.linspace(0.18, 0.78, 6):
        canvas.polygon(
            [(x, 0.93), (x + 0.06, 0.93), (x + 0.055, 0.84), (x + 0.01, 0.84)], (235, 235, 230)
        )


@draws("railroad", PATHS)
def railroad(canvas: Canvas, horizon: float) -> None:
    """Two bright rails on dark sleepers in grey ballast."""
    rng = canvas.rng
    start, end = _way(canvas, horizon, 0.42, 0.04, pick(rng, [(140, 130, 122), (120, 116, 114)]))
    for t in 1 - np.linspace(0, 1, 10) ** 1.8:
        x, y = end + (start - end) * t, horizon + (1 - horizon) * t
        half = 0.03 + 0.27 * t
        canvas.rectangle(x - half, y - 0.018 * t, x + half, y + 0.018 * t, (75, 58, 48))
    for side in (-1, 1):
        far, near = end + side * 0.018, start + side * 0.19
        canvas.polygon(
            [(far, horizon), (near - 0.018, 1.02), (near + 0.018, 1.02)], (205, 208, 214)
        )
