"""Resolves the field names of a query by the annotations of a model."""

from __future__ import annotations

from typing import Any

from ..errors import UnknownFieldError
from ..model.codecs import model_codec
from ..types.codec import Codec
from .paths import ResolvedField


class ModelResolver:
    """Finds the stored path and the codec of a field by its dotted name.

    Parameters:
        model: A pydantic model.
    """

    def __init__(self, model: type[Any]) -> None:
        self._model = model
        self._codec = model_codec(model)

    def resolve(self, path: str) -> ResolvedField:
        """Return the field at a dotted path of Python or stored names.

        Raises:
            UnknownFieldError: The model has no such field; the error names the nearest.
        """
        codec: Codec = self._codec
        stored: list[str] = []
        for key in path.split("."):
            child = codec.child(key)
            if child is None:
                where = f"{self._model.__name__}{''.join('.' + part for part in stored)}"
                raise UnknownFieldError(path, where=where, known=codec.names())
            name, codec = child
            stored.append(name)
        return ResolvedField(".".join(stored), codec.literal, codec.item_forms, codec)
