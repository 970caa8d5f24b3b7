"""A folder of your own photographs, with their tags in a table or in text files beside them."""

from tfrecords_tools.sources.folder.source import Folder

__all__ = ["Folder"]
