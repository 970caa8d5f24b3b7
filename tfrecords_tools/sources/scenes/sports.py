"""People at sport, on land and in the water."""

import numpy as np

from tfrecords_tools.sources.scenes.canvas import Canvas, pick, shade
from tfrecords_tools.sources.scenes.people import CLOTHES, RUNNING, SKINS, figure
from tfrecords_tools.sources.scenes.registry import (
    IN_FRONT,
    draws,
)


@draws("sports", IN_FRONT)
def sports(canvas: Canvas) -> None:
    """A tennis player, or a basketball player under the hoop."""
    rng = canvas.rng
    if rng.random() < 0.5:
        arms = (((-0.24, -0.4), (-0.5, 0.0)), ((0.24, -0.4), (0.55, -0.5)))
        figure(canvas.at(-0.15, 0.05, 0.95), arms=arms, legs=RUNNING, top=(242, 242, 240))
        canvas.line([(0.37, -0.42), (0.62, -0.62)], (60, 50, 45), 0.07)
        frame = [
            (0.78 + 0.24 * np.cos(t), -0.76 + 0.28 * np.sin(t)) for t in np.linspace(0, 6.28, 14)
        ]
        canvas.polygon(frame, (225, 225, 215), 0.6)
        canvas.line(frame, (190, 60, 60), 0.06, closed=True)
        canvas.ellipse(0.85, 0.05, 0.12, color=(215, 230, 70))
        return
    canvas.rectangle(0.2, -1.0, 1.0, -0.45, (245, 245, 245))
    canvas.line(
        [(0.45, -0.8), (0.75, -0.8), (0.75, -0.6), (0.45, -0.6)], (200, 60, 50), 0.05, closed=True
    )
    canvas.polygon([(0.42, -0.5), (0.8, -0.5), (0.7, -0.2), (0.52, -0.2)], (235, 235, 235), 0.7)
    canvas.line([(0.4, -0.5), (0.82, -0.5)], (225, 95, 40), 0.07)
    arms = (((-0.24, -0.4), (-0.2, -0.85)), ((0.24, -0.4), (0.35, -0.9)))
    figure(canvas.at(-0.35, 0.12, 0.86), arms=arms, bottom=pick(rng, CLOTHES))
    canvas.ellipse(-0.15, -0.8, 0.2, color=(220, 120, 50))
    canvas.line([(-0.34, -0.8), (0.04, -0.8)], (70, 40, 25), 0.035)


@draws("soccer", IN_FRONT)
def soccer(canvas: Canvas) -> None:
    """A player who kicks a black and white ball, a goal behind."""
    canvas.line([(-0.95, 0.6), (-0.95, -0.7), (0.95, -0.7), (0.95, 0.6)], (248, 248, 248), 0.07)
    for x in np.linspace(-0.8, 0.8, 6):
        canvas.line([(x, -0.7), (x, 0.4)], (215, 218, 220), 0.015)
    for y in (-0.45, -0.15, 0.15):
        canvas.line([(-0.95, y), (0.95, y)], (215, 218, 220), 0.015)
    arms = (((-0.22, -0.4), (-0.55, -0.1)), ((0.22, -0.4), (0.5, -0.3)))
    legs = (((-0.1, 0.25), (-0.18, 0.95)), ((0.08, 0.25), (0.4, 0.5), (0.62, 0.75)))
    player = canvas.at(-0.25, 0.12, 0.86)
    figure(player, arms=arms, legs=legs, bottom=(240, 240, 240))
    for x in (-0.12, 0.12):
        player.line([(x, -0.45), (x, 0.22)], (245, 245, 245), 0.08)
    canvas.ellipse(0.66, 0.76, 0.25, color=(250, 250, 250))
    for x, y in ((0.66, 0.76), (0.5, 0.64), (0.82, 0.64), (0.54, 0.93), (0.8, 0.92)):
        canvas.ellipse(x, y, 0.07, color=(25, 25, 28))


@draws("swimmers", IN_FRONT)
def swimmers(canvas: Canvas) -> None:
    """Capped heads and bent arms in splashing water between lane ropes."""
    rng = canvas.rng
    water = pick(rng, [(80, 165, 200), (60, 135, 175), (90, 170, 185)])
    canvas.rectangle(-1.1, -0.6, 1.1, 1, water, 0.9)
    for y in (-0.5, 0.92):
        for part, x in enumerate(np.linspace(-1.05, 1.05, 12)):
            canvas.ellipse(x, y, 0.09, 0.06, color=(215, 60, 55) if part % 2 else (248, 248, 248))
    for x, y in ((-0.3, 0.0), (0.3, 0.62)):
        skin = pick(rng, SKINS, 6)
        canvas.line([(x - 0.5, y + 0.08), (x, y + 0.05)], shade(skin, 0.9), 0.2)
        canvas.line([(x - 0.1, y), (x + 0.12, y - 0.36), (x + 0.5, y - 0.05)], skin, 0.13)
        canvas.ellipse(x + 0.2, y, 0.18, color=skin)
        canvas.smooth(
            [(x + 0.02, y - 0.02), (x + 0.2, y - 0.22), (x + 0.38, y - 0.02), (x + 0.2, y - 0.07)],
            pick(rng, CLOTHES),
        )
        for dx in (-0.75, -0.6, -0.45, 0.5, 0.62):
            canvas.ellipse(x + dx, y + rng.normal(0.05, 0.05), 0.1, 0.07, color=(240, 248, 250))


@draws("surf", IN_FRONT)
def surf(canvas: Canvas) -> None:
    """A surfer on a board in the hollow of a curling wave."""
    rng = canvas.rng
    water = pick(rng, [(50, 125, 150), (70, 145, 160), (45, 105, 140)])
    canvas.smooth(
        [(-1.15, 1), (-1.1, -0.3), (-0.6, -0.95), (0.1, -0.9), (0.0, -0.2), (0.5, 0.55), (1.15, 1)],
        water,
    )
    canvas.smooth(
        [(-0.55, 0.8), (-0.6, -0.1), (-0.1, -0.7), (-0.1, -0.1), (0.4, 0.65)], shade(water, 0.72)
    )
    for x, y in (
        (-0.75, -0.85),
        (-0.5, -0.95),
        (-0.25, -0.97),
        (0, -0.92),
        (0.15, -0.8),
        (0.15, -0.62),
        (0.05, -0.5),
    ):
        canvas.ellipse(x, y, 0.16, 0.13, color=(245, 250, 250))
    for x in np.linspace(-1, 1, 9):
        canvas.ellipse(x, 0.95, 0.16, 0.09, color=(238, 246, 248))
    board = canvas.at(0.25, 0.3, 0.62, angle=0.25)
    board.ellipse(
        0, 1.0, 0.95, 0.14, color=pick(rng, [(245, 240, 225), (240, 200, 80), (220, 80, 70)])
    )
    arms = (((-0.24, -0.4), (-0.75, -0.3)), ((0.24, -0.4), (0.8, -0.45)))
    legs = (((-0.1, 0.25), (-0.4, 0.5), (-0.4, 0.92)), ((0.1, 0.25), (0.45, 0.5), (0.4, 0.92)))
    figure(board, arms=arms, legs=legs, top=(40, 42, 50), bottom=(40, 42, 50))
