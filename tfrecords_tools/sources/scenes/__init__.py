"""Small painted scenes for the 81 tags of NUS-WIDE: the data set that needs no download.

Label sets are drawn from a tree fitted to the real ones (`tag_statistics`), and a renderer paints a
scene that shows them (`render`).
"""

from tfrecords_tools.sources.scenes.source import Scenes

__all__ = ["Scenes"]
