"""Views: which fields of a model the class given to `into` has, and how documents become objects.

A field of the view is found by its name among the fields of the model; if the model has none of
that name, by its validation alias, which may be dotted. Nested models of a view are views of what
is nested in the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from ..errors import UnknownFieldError
from ..model.codecs import FamilyCodec
from ..model.hydration import first_invalid
from ..model.model_codec import ModelCodec
from ..model.patch_values import forms_of
from ..model.record_codec import RecordCodec
from ..type_guards import is_dict, is_list
from ..types import forms
from ..types.codec import Codec
from ..types.containers import ArrayCodec, MappingCodec
from ..types.forms import Shape
from ..types.sparse import Sparse
from .paths import join
from .view_fields import ViewField, has_fields, view_fields

T = TypeVar("T")
_MISSING = object()


class Whole(NamedTuple):
    """A value that is read as the model stores it."""

    codec: Codec

    def paths(self, prefix: str) -> Iterator[str]:
        """Yield the stored paths to load."""
        yield prefix

    def read(self, stored: Any) -> Any:
        """Return what pydantic validates."""
        return self.codec.decode(stored)


class Complete(NamedTuple):
    """A value that is read in part and loaded whole."""

    node: Node

    def paths(self, prefix: str) -> Iterator[str]:
        """Yield the stored paths to load."""
        yield prefix

    def read(self, stored: Any) -> Any:
        """Return what pydantic validates."""
        return self.node.read(stored)


class PartField(NamedTuple):
    """A field of a view.

    Parameters:
        path: The stored path.
        name: The name in the view.
        node: The value.
        none_if_missing: Whether None is the value of a field that is missing.
    """

    path: str
    name: str
    node: Node
    none_if_missing: bool


class Part(NamedTuple):
    """Some fields of a document."""

    fields: tuple[PartField, ...]

    def paths(self, prefix: str) -> Iterator[str]:
        """Yield the stored paths to load."""
        for field in self.fields:
            yield from field.node.paths(join(prefix, field.path))

    def read(self, stored: Any) -> Any:
        """Return the fields by their names in the view."""
        if not is_dict(stored):
            return stored
        found: dict[str, Any] = {}
        for path, name, node, none_if_missing in self.fields:
            value = _value_at(stored, path)
            if value is not _MISSING:
                found[name] = node.read(value)
            elif none_if_missing:
                found[name] = None
        return found


class Each(NamedTuple):
    """An array of views."""

    item: Node

    def paths(self, prefix: str) -> Iterator[str]:
        """Yield the stored paths to load."""
        return self.item.paths(prefix)

    def read(self, stored: Any) -> Any:
        """Return the items as pydantic validates them."""
        return [self.item.read(item) for item in stored] if is_list(stored) else stored


class EachValue(NamedTuple):
    """A dict of views, which is loaded whole."""

    value: Node

    def paths(self, prefix: str) -> Iterator[str]:
        """Yield the stored paths to load."""
        yield prefix

    def read(self, stored: Any) -> Any:
        """Return the values as pydantic validates them."""
        if not is_dict(stored):
            return stored
        return {key: self.value.read(value) for key, value in stored.items()}


Node = Whole | Complete | Part | Each | EachValue


class View(Generic[T]):
    """Makes objects of a class from the documents of a model.

    Parameters:
        kind: The class.
        codec: The codec of the model.
        source: The name of the model, for errors.
        sparse: What is left out of the documents; None if every field is stored.

    Raises:
        UnknownFieldError: The model lacks a field that the class requires.
        QueryError: The class has no fields.
    """

    def __init__(
        self, kind: type[T], codec: Codec, source: str, sparse: Sparse | None = None
    ) -> None:
        self.kind: type[T] = kind
        self._part = _part(kind, codec, source, (kind,))
        self._sparse = sparse
        many: TypeAdapter[Any] = TypeAdapter(list[kind])  # type: ignore[valid-type]
        self._validate = many.validate_python

    @property
    def paths(self) -> list[str]:
        """The stored paths to load."""
        return list(self._part.paths(""))

    def objects(self, documents: Sequence[dict[str, Any]]) -> list[T]:
        """Return the objects of decoded documents.

        Raises:
            InvalidDocument: A document does not fit the class.
        """
        if self._sparse is not None:
            documents = [*map(self._sparse.fill, documents)]
        rows = [self._part.read(document) for document in documents]
        try:
            objects: list[T] = self._validate(rows, strict=False, by_alias=True, by_name=True)
        except ValidationError as error:
            raise first_invalid(self.kind, documents, error) from error
        return objects


def projection_of(paths: Iterable[str]) -> dict[str, int]:
    """Return MongoDB's projection for some paths; it always has the `_id`, for errors."""
    wanted = {"_id", *(_without_index(path) for path in paths)}
    return {path: 1 for path in sorted(wanted) if not _has_parent(path, wanted)}


def _has_parent(path: str, paths: set[str]) -> bool:
    keys = path.split(".")
    return any(".".join(keys[:end]) in paths for end in range(1, len(keys)))


def _without_index(path: str) -> str:
    """Return the part of a path before the index of an array, which a projection does not take."""
    keys = path.split(".")
    end = next((index for index, key in enumerate(keys) if key.isdigit()), len(keys))
    return ".".join(keys[:end])


def _part(view: Any, codec: Codec, where: str, outer: tuple[Any, ...]) -> Part:
    fields: list[PartField] = []
    for field in view_fields(view):
        found = _source_of(field, codec)
        if found is not None:
            path, inner = found
            node = _node(field.shape, inner, f"{where}.{path}", outer)
            fields.append(_part_field(field, path, node))
        elif field.is_required:
            raise UnknownFieldError(field.name, where=where, known=codec.names())
    return Part(tuple(fields))


def _part_field(field: ViewField, path: str, node: Node) -> PartField:
    # A projection of nested fields leaves out a parent that is null.
    is_lost = isinstance(node, Part) and field.shape.is_optional
    if is_lost and not field.is_required and not field.is_none_by_default:
        return PartField(path, field.name, Complete(node), none_if_missing=False)
    return PartField(path, field.name, node, none_if_missing=is_lost and field.is_required)


def _source_of(field: ViewField, codec: Codec) -> tuple[str, Codec] | None:
    """Return the stored path and the codec of the model's field for a field of the view."""
    for source in field.sources:
        stored: list[str] = []
        inner: Codec | None = codec
        for key in source.split("."):
            child = None if inner is None else inner.child(key)
            inner = None
            if child is None:
                break
            stored.append(child[0])
            inner = child[1]
        if inner is not None:
            return ".".join(stored), inner
    return None


def _node(shape: Shape, codec: Codec, where: str, outer: tuple[Any, ...]) -> Node:
    match shape.form:
        case forms.Model(kind) | forms.Record(kind):
            if _is_own(kind, codec) or kind in outer:  # a view that contains itself is loaded whole
                return _whole(shape, codec)
            return _part(kind, codec, where, (*outer, kind))
        case forms.Items(items=(item,)) if isinstance(codec, ArrayCodec):
            node = _node(item, codec.item, where, outer)
            if node == Whole(codec.item):
                return Whole(codec)
            # A projection of nested fields leaves out the items that are null.
            return Complete(Each(node)) if item.is_optional else Each(node)
        case forms.Entries(value=Shape() as value) if isinstance(codec, MappingCodec):
            node = _node(value, codec.value, where, outer)
            return Whole(codec) if node == Whole(codec.value) else EachValue(node)
        case _:
            return _whole(shape, codec)


def _whole(shape: Shape, codec: Codec) -> Whole:
    """Return a value that is read as the model stores it: a record as its fields, if need be."""
    if not isinstance(codec, RecordCodec):
        return Whole(codec)
    kinds = [form.kind for form in forms_of(shape) if isinstance(form, forms.Record)]
    return Whole(codec if codec.kind in kinds else codec.of_rows)


def _is_own(kind: Any, codec: Codec) -> bool:
    """Say whether a class of the view reads the stored value itself, not fields of a model's."""
    if isinstance(codec, ModelCodec):
        return codec.model is kind or bool(codec.model.__pydantic_root_model__)
    if isinstance(codec, RecordCodec):
        return codec.kind is kind or not has_fields(kind)
    return not isinstance(codec, FamilyCodec) or codec.model is kind


def _value_at(document: Any, path: str) -> Any:
    """Return the value at a stored path; of an array without an index, those of its items."""
    value = document
    keys = path.split(".")
    for index, key in enumerate(keys):
        if is_dict(value):
            value = value.get(key, _MISSING)
        elif is_list(value) and key.isdigit():
            value = value[int(key)] if int(key) < len(value) else _MISSING
        elif is_list(value):
            found = (_value_at(item, ".".join(keys[index:])) for item in value)
            return [item for item in found if item is not _MISSING]
        else:
            return _MISSING
    return value
