"""Which function draws which tag, and where in the picture it belongs."""

from collections.abc import Callable

from tfrecords_tools.sources.scenes.canvas import Canvas

Draw = Callable[[Canvas], None]

#: One object in its own frame, high in the picture.
IN_SKY: dict[str, Draw] = {}
#: One object in its own frame that stands on the horizon.
ON_HORIZON: dict[str, Draw] = {}
#: One object in its own frame that stands in the foreground.
IN_FRONT: dict[str, Draw] = {}
#: Scenery over the whole width behind the horizon: draw(canvas, horizon).
BEHIND: dict[str, Callable[[Canvas, float], None]] = {}
#: Ground or water over the whole width: draw(canvas, top, bottom), far ones first.
BANDS: dict[str, Callable[[Canvas, float, float], None]] = {}
#: Paths that run from the foreground to the horizon: draw(canvas, horizon).
PATHS: dict[str, Callable[[Canvas, float], None]] = {}


def draws(tag: str, place: dict) -> Callable:
    """Decorator: this function draws `tag` at `place`."""

    def register(function: Callable) -> Callable:
        place[tag] = function
        return function

    return register
