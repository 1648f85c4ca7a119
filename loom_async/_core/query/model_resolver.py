"""Resolves the field names of a query by the annotations of a model."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..errors import EncodingError, UnknownFieldError, too_deep
from ..model.codecs import model_codec
from ..model.field_shapes import child_shape
from ..types.codec import Codec
from ..types.forms import Model, Shape
from .literals import Literal, read_if_possible
from .paths import ResolvedField, check_path


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
            QueryError: The path is no string.
        """
        if not isinstance(path, str):
            check_path(path)
        stored, codec, shape = self._walk(
            self._codec, Shape(Model(self._model)), path, self._model.__name__
        )
        return ResolvedField(
            stored,
            partial(_encoded, codec, shape, path),
            codec.item_forms,
            partial(_literal, codec, shape, path),
            codec,
        )

    def _walk(
        self, codec: Codec, shape: Shape | None, path: str, where: str
    ) -> tuple[str, Codec, Shape | None]:
        """Return the stored path, the codec and the shape of what a path leads to.

        Parameters:
            codec: The codec of the value at which the path starts.
            shape: The shape of that value; None if it may be anything.
            path: The dotted path.
            where: What that value is, for errors.
        """
        stored: list[str] = []
        for key in path.split("."):
            child = self._child(codec, key, path)
            if child is None:
                holder = f"{where}{''.join('.' + part for part in stored)}"
                raise UnknownFieldError(path, where=holder, known=codec.names(), key=key)
            name, codec = child
            shape = child_shape(shape, key)
            stored.append(name)
        return ".".join(stored), codec, shape

    def _child(self, codec: Codec, key: str, path: str) -> tuple[str, Codec] | None:
        """Return the stored name and the codec of one key of a path; None if there is no such."""
        return codec.child(key)


def _literal(codec: Codec, shape: Shape | None, path: str, value: Any, is_bound: bool) -> Any:
    return codec.literal(Literal(path, is_bound).read(shape, value))


def _encoded(codec: Codec, shape: Shape | None, path: str, value: Any) -> Any:
    try:
        return codec.literal(read_if_possible(shape, value))
    except RecursionError:
        raise too_deep(path) from None
    except EncodingError as error:
        below = f"{path}.{error.path}" if error.path else path
        raise EncodingError(error.reason, path=below, hint=error.hint) from error
