"""From tags to a picture: what goes where, in which order, in which light."""

from collections.abc import Callable

import cv2
import numpy as np

from tfrecords_tools.sources.scenes import (  # noqa: F401  the drawings register themselves
    animals,
    backgrounds,
    buildings,
    city,
    hoofed,
    landscape,
    people,
    plants,
    sea_life,
    sports,
    things,
    vehicles,
    water,
)
from tfrecords_tools.sources.scenes.canvas import Canvas
from tfrecords_tools.sources.scenes.registry import (
    BANDS,
    BEHIND,
    IN_FRONT,
    IN_SKY,
    ON_HORIZON,
    PATHS,
    Draw,
)

Generators = Callable[[str], np.random.Generator]

OPEN_SKY = {"sky", "clouds", "sunset", "nighttime", "rainbow", "sun", "moon"}
#: Far to near; the order in which grounds follow each other down the picture.
BAND_ORDER = ["ocean", "lake", "water", "beach", "sand", "snow", "grass", "garden", "rocks"]
#: The widest first.
PATH_ORDER = ["street", "road", "railroad"]
BEHIND_ORDER = ["mountain", "valley", "glacier", "cityscape", "bridge", "harbor"]
#: A tag that nothing is drawn for, because these others, which in NUS-WIDE come with it in seven
#: cases of ten or more, show it already.
SHOWN_BY = {
    "animal": {"bear", "birds", "cat", "cow", "dog", "elk", "fish", "fox",
               "horses", "tiger", "zebra"},
    "person": {"dancing", "protest"},
    "buildings": {"cityscape"},
}  # fmt: skip


def render(tags: set[str], size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a scene that shows the tags.

    The layers are, from the back: sky or wall, scenery behind the horizon, grounds, buildings on
    the horizon, paths, objects in the foreground, then reflection, light, frost and grain. Each
    tag draws from a generator of its own, so that one more tag does not redraw the others.

    Args:
        tags: names of tags; may be empty.
        size: side of the picture in pixels.
        rng: the picture is a function of the tags, the size and this generator's state.

    Returns:
        RGB picture, uint8 (size, size, 3).

    Example:
        >>> picture = render({"sky", "dog", "grass"}, 64, np.random.default_rng(0))
        >>> picture.shape, picture.dtype
        ((64, 64, 3), dtype('uint8'))
    """
    seed = int(rng.integers(2**32))
    canvas = Canvas(size, rng)

    def own(tag: str) -> np.random.Generator:
        return np.random.default_rng([seed, *tag.encode()])

    drawn = {tag for tag in tags if not SHOWN_BY.get(tag, set()) & tags}
    bands = [tag for tag in BAND_ORDER if tag in drawn]
    behind = [tag for tag in BEHIND_ORDER if tag in drawn]
    paths = [tag for tag in PATH_ORDER if tag in drawn]
    high = sorted(drawn & IN_SKY.keys())
    far = sorted(drawn & ON_HORIZON.keys())
    near = sorted(drawn & IN_FRONT.keys())
    open_sky = bool(OPEN_SKY & tags)
    outdoors = open_sky or bool(bands or behind or paths or high or far)
    framed = outdoors and "window" in near
    if framed:
        near.remove("window")
    if not (open_sky or far or behind or high):
        horizon = rng.uniform(0.25, 0.4)
    elif bands or paths or near:
        horizon = rng.uniform(0.52, 0.66)
    else:
        horizon = rng.uniform(0.7, 0.86)
    _backdrop(canvas.at(0, 0, 1, rng=own("backdrop")), tags, outdoors)
    if "clouds" in tags:
        backgrounds.clouds(canvas.at(0, 0, 1, rng=own("clouds")), horizon, tags)
    if "rainbow" in tags:
        backgrounds.rainbow(canvas.at(0, 0, 1, rng=own("rainbow")), horizon)
    for tag, x, width in _slots(high, rng):
        half = min(0.2 if near or far else 0.28, width * 0.5) * rng.uniform(0.85, 1.1)
        top = max(half + 0.02, min(0.26, horizon * 0.4) * rng.uniform(0.6, 1.1))
        _object(canvas, IN_SKY[tag], x, top, half, own(tag))
    for tag in behind:
        BEHIND[tag](canvas.at(0, 0, 1, rng=own(tag)), horizon)
    if bands:
        _grounds(canvas, bands, horizon, own)
    elif outdoors:
        landscape.ground(canvas.at(0, 0, 1, rng=own("ground")), horizon, 1)
    for tag in paths:
        PATHS[tag](canvas.at(0, 0, 1, rng=own(tag)), horizon)
    _standing(canvas, far, near, horizon if outdoors else None, own)
    if "reflection" in tags:
        water.reflect(canvas.at(0, 0, 1, rng=own("reflection")), rng.uniform(0.58, 0.68))
    _light(canvas, tags)
    if framed:
        buildings.window_frame(canvas.at(0, 0, 1, rng=own("window")))
    if "frost" in tags:
        backgrounds.frost(canvas.at(0, 0, 1, rng=own("frost")))
    return _develop(canvas, size)


def _backdrop(canvas: Canvas, tags: set[str], outdoors: bool) -> None:
    if "nighttime" in tags:
        backgrounds.night(canvas, "sky" in tags)
    elif "sunset" in tags:
        backgrounds.sunset(canvas, "sky" in tags)
    elif "sky" in tags:
        backgrounds.sky(canvas)
    elif "clouds" in tags:
        backgrounds.overcast(canvas)
    elif outdoors:
        backgrounds.haze(canvas)
    elif canvas.rng.random() < 0.35:
        backgrounds.foliage(canvas)
    else:
        backgrounds.wall(canvas)


def _slots(tags: list[str], rng: np.random.Generator) -> list[tuple[str, float, float]]:
    """(tag, centre, width) of equal shares of the width in random order."""
    width = 1 / max(len(tags), 1)
    order = rng.permutation(len(tags))
    centers = (order + 0.5 + rng.uniform(-0.14, 0.14, len(tags))) * width
    return [(tag, float(x), width) for tag, x in zip(tags, centers, strict=True)]


def _grounds(canvas: Canvas, bands: list[str], horizon: float, own: Generators) -> None:
    shares = canvas.rng.uniform(0.8, 1.2, len(bands)) * np.linspace(0.8, 1.2, len(bands))
    edges = horizon + (1 - horizon) * np.concatenate([[0], np.cumsum(shares) / shares.sum()])
    for tag, top, bottom in zip(bands, edges[:-1], edges[1:], strict=True):
        BANDS[tag](canvas.at(0, 0, 1, rng=own(tag)), float(top), float(bottom))


def _standing(
    canvas: Canvas, far: list[str], near: list[str], horizon: float | None, own: Generators
) -> None:
    """Far and near objects share the width, so that none hides another; the nearer in front.

    In a room (no horizon) a single object comes closer: there is no scenery to leave in view.
    """
    rng = canvas.rng
    largest = 0.42 if horizon is None else 0.33
    horizon = 0.7 if horizon is None else horizon
    crowded = len(far) + len(near) > 4
    together = _slots([*far, *near], rng)
    if crowded:
        together = [*_slots(far, rng), *_slots(near, rng)]
    for tag, x, width in together[: len(far)]:
        half = min(0.36, max(0.62 * width, 0.13)) * rng.uniform(0.85, 1.05)
        half = min(half, (horizon + 0.05) / 2)
        if crowded:
            half = min(half, 0.2)
        x = float(np.clip(x, half * 0.8, 1 - half * 0.8))
        _object(canvas, ON_HORIZON[tag], x, horizon + 0.06 - half, half, own(tag))
    for tag, x, width in together[len(far) :]:
        half = min(largest, max(0.6 * width, 0.13)) * rng.uniform(0.78, 1.05)
        x = float(np.clip(x, half * 0.85, 1 - half * 0.85))
        foot = rng.uniform(max(horizon + 0.15, 0.84), 0.99)
        _object(canvas, IN_FRONT[tag], x, max(foot - half, half * 0.95), half, own(tag))


def _object(
    canvas: Canvas, draw: Draw, x: float, y: float, half: float, rng: np.random.Generator
) -> None:
    flip = bool(rng.random() < 0.5)
    draw(canvas.at(x, y, half, flip=flip, angle=rng.normal(0, 0.03), rng=rng))


def _light(canvas: Canvas, tags: set[str]) -> None:
    """Tint by the hour; lamps shine at night only."""
    tint = np.ones(3)
    if "nighttime" in tags:
        tint = np.array([0.6, 0.64, 0.82])
    elif "sunset" in tags:
        tint = np.array([1.0, 0.84, 0.74])
    tint = tint * canvas.rng.uniform(0.88, 1.08) * canvas.rng.normal(1, 0.025, 3)
    canvas.pixels[:] = np.clip(canvas.pixels * tint.astype(np.float32), 0, 255)
    if "nighttime" in tags:
        for x, y, radius in canvas.lights:
            center = (round(x), round(y))
            cv2.circle(canvas.pixels, center, max(1, round(radius * 0.7)), (255, 226, 150), -1)


def _develop(canvas: Canvas, size: int) -> np.ndarray:
    picture = cv2.resize(canvas.pixels, (size, size), interpolation=cv2.INTER_AREA)
    # The picture's grain is made of bytes: quicker than normal variates by a factor of five.
    grain = np.frombuffer(canvas.rng.bytes(picture.size), np.int8).reshape(picture.shape) // 24
    return cv2.add(picture, grain.astype(np.int16), dtype=cv2.CV_8U)
