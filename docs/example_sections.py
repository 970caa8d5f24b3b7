"""For the API reference: docstrings say "Example:", as Keras's do, Griffe expects "Examples:"."""

import re

from griffe import Extension


class ExampleSections(Extension):
    """Shows the section as the code that it is."""

    def on_object(self, *, obj, **_):
        if obj.docstring:
            obj.docstring.value = re.sub(
                r"^Example:\n", "Examples:\n", obj.docstring.value, flags=re.MULTILINE
            )
