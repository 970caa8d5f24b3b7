"""A Griffe extension: docstrings have "Example:", as in Keras, but Griffe expects "Examples:"."""

import re

from griffe import Extension


class ExampleSections(Extension):
    """Renames the section, so that it is rendered as code."""

    def on_object(self, *, obj, **_):
        if obj.docstring:
            obj.docstring.value = re.sub(
                r"^Example:\n", "Examples:\n", obj.docstring.value, flags=re.MULTILINE
            )
