"""Resolves the field names of a query by the annotations of a model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ..errors import EncodingError, UnknownFieldError, too_deep
from ..model.codecs import FamilyCodec, model_codec
from ..model.family_fields import SharedFieldCodec, members_of
from ..model.field_shapes import child_shape, field_shapes
from ..model.polymorphism import Family, family_of, leaves_out_none
from ..types.codec import Codec
from ..types.forms import Model, Shape
from ..types.sparse import Sparse
from .family_scope import class_condition
from .left_out import thinned
from .literals import Literal, read_if_possible
from .paths import ResolvedField, Variant, check_path
from .stored_literals import Checks, stored_literals

# A model has few paths, except through its dicts, whose keys may come from anywhere.
_MOST_PATHS = 500


class ModelResolver:
    """Finds the stored path and the codec of a field by its dotted name.

    A base class also has the fields of the subclasses in its family.

    Parameters:
        model: A pydantic model.
    """

    def __init__(self, model: type[Any]) -> None:
        self._model = model
        self._family: Family | None = family_of(model)
        family = self._family
        self.codec: Codec = model_codec(model) if family is None else FamilyCodec(model, family)
        #: What is left out of the documents; None if every field is stored.
        self.sparse: Sparse | None = self.codec.sparse if leaves_out_none(model) else None
        self._resolved: dict[str, ResolvedField] = {}

    def resolve(self, path: str) -> ResolvedField:
        """Return the field at a dotted path of Python or stored names.

        Raises:
            UnknownFieldError: The model has no such field; the error names the nearest.
            QueryError: The path is no string.
        """
        found = self._resolved.get(path) if type(path) is str else None
        if found is None:
            found = self._found(path)
            # A later subclass may add fields to a family.
            if self._family is None and type(path) is str:
                if len(self._resolved) >= _MOST_PATHS:
                    self._resolved.clear()
                self._resolved[path] = found
        return found

    def _found(self, path: str) -> ResolvedField:
        if not isinstance(path, str):
            check_path(path)
        root = Shape(Model(self._model))
        stored, codec, shape = self._walk(self.codec, root, path, self._model.__name__)
        field = ResolvedField(
            stored,
            partial(_encoded, codec, shape, path),
            codec.item_forms,
            partial(_literal, codec, shape, path, stored_literals(codec, shape)),
            codec,
            self._variants(path),
        )
        return field if self.sparse is None else thinned(field, self.sparse)

    def codec_at(self, path: str) -> tuple[str, Codec]:
        """Return the stored path and the codec of the field at a dotted path.

        Raises:
            UnknownFieldError: As `resolve`.
        """
        stored, codec, _ = self._walk(self.codec, None, path, self._model.__name__)
        return stored, codec

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
            is_root = codec is self.codec
            name, codec = child
            shape = self._field_shape(codec, key) if is_root else child_shape(shape, key)
            stored.append(name)
        return ".".join(stored), codec, shape

    def _child(self, codec: Codec, key: str, path: str) -> tuple[str, Codec] | None:
        """Return the stored name and the codec of one key of a path; None if there is no such."""
        return codec.child(key)

    def _field_shape(self, codec: Codec, key: str) -> Shape | None:
        """Return the shape of a field of the model, or of a subclass in its family."""
        if isinstance(codec, SharedFieldCodec):
            return None
        members = [self._model] if self._family is None else members_of(self._model, self._family)
        found = (field_shapes(member).get(key) for member in members)
        return next((shape for shape in found if shape is not None), None)

    def _variants(self, path: str) -> tuple[Variant, ...]:
        """Return how each class stores a field that classes declare with different types."""
        first, *keys = path.split(".")
        child = None if self._family is None else self.codec.child(first)
        if self._family is None or child is None or not isinstance(child[1], SharedFieldCodec):
            return ()
        members = members_of(self._model, self._family)
        declaring = {model for option in child[1].options for model in option.models}
        variants: list[Variant] = []
        for index, option in enumerate(child[1].options):
            models = list(option.models)
            if index == 0:  # with the documents that lack the field
                models += [member for member in members if member not in declaring]
            condition = class_condition(self._family, models, members)
            codec, shape = _below(option.codec, field_shapes(option.models[0]).get(first), keys)
            if codec is not None:
                encode = partial(_encoded, codec, shape, path)
                literal = partial(_literal, codec, shape, path, stored_literals(codec, shape))
                variants.append(Variant(condition, encode, literal, codec))
        return tuple(variants) if len(variants) > 1 else ()


# By the model, and by whether its documents leave out None: it may be declared later.
_resolvers: dict[tuple[type[Any], bool], ModelResolver] = {}


def model_resolver(model: type[Any]) -> ModelResolver:
    """Return the resolver of a model; without a family it is made once for each declaration."""
    if family_of(model) is not None:
        return ModelResolver(model)
    key = model, leaves_out_none(model)
    found = _resolvers.get(key)
    if found is None:
        found = _resolvers[key] = ModelResolver(model)
    return found


def _below(
    codec: Codec, shape: Shape | None, keys: Sequence[str]
) -> tuple[Codec | None, Shape | None]:
    """Return the codec and the shape of a value below another one; None if it has no such key."""
    for key in keys:
        child = codec.child(key)
        if child is None:
            return None, None
        codec, shape = child[1], child_shape(shape, key)
    return codec, shape


def _literal(
    codec: Codec, shape: Shape | None, path: str, stored: Checks, value: Any, is_bound: bool
) -> Any:
    is_stored = stored.get(type(value))  # pyright: ignore[reportUnknownArgumentType]
    if is_stored is not None and is_stored(value):
        return value
    return codec.literal(Literal(path, is_bound).read(shape, value))


def _encoded(codec: Codec, shape: Shape | None, path: str, value: Any) -> Any:
    try:
        return codec.literal(read_if_possible(shape, value))
    except RecursionError:
        raise too_deep(path) from None
    except EncodingError as error:
        below = f"{path}.{error.path}" if error.path else path
        raise EncodingError(error.reason, path=below, hint=error.hint) from error
