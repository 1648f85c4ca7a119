"""A griffe extension: the `Example:` sections of docstrings are rendered as code in the reference.

griffe's Google style reads `Examples:` as code, and any other title as an admonition.
"""

from __future__ import annotations

from typing import Any

import griffe


class DocstringExamples(griffe.Extension):
    """Renames the section for the reference; the docstrings in the code keep their title."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rename the section in the docstring of an object."""
        if obj.docstring is not None:
            text = obj.docstring.value
            obj.docstring.value = text.replace("\nExample:\n", "\nExamples:\n")
