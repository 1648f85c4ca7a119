"""Makes objects of the rows of an aggregation, which may have the stored names of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from ..errors import InvalidDocument
from ..model.hydration import Validator
from ..type_guards import is_dict, is_list
from ..types import forms
from ..types.codec import Codec
from ..types.forms import Shape
from ..types.values import from_bson
from .view_fields import has_fields, view_fields


class Renamed(NamedTuple):
    """A field of the class whose name differs from the stored one, or has such fields inside.

    Parameters:
        names: The names that validation accepts.
        stored_name: The name in documents of the model.
        inside: The fields of a nested class.
    """

    names: tuple[str, ...]
    stored_name: str
    inside: tuple[Renamed, ...]


class RowValidator(Validator):
    """Turns the rows of an aggregation into objects of a class.

    A field of the class is read by its own names; if a row has none of them, by the stored name of
    the model's field of its name.

    Parameters:
        kind: The class.
        codec: The codec of the model.
    """

    def __init__(self, kind: type[Any], codec: Codec) -> None:
        super().__init__(kind)
        self._renamed = _renamed(kind, codec, (kind,)) if has_fields(kind) else ()

    def validated(self, documents: Sequence[dict[str, Any]]) -> list[Any]:
        """Return the objects of rows.

        Raises:
            InvalidDocument: A row does not fit the class.
        """
        rows = documents
        if self._renamed:
            rows = [_with_names(document, self._renamed) for document in documents]
        try:
            return super().validated(rows)
        except InvalidDocument as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
        # A number of another type than the class has may be a Decimal128, as that of an average.
        try:
            return super().validated([from_bson(row) for row in rows])
        except InvalidDocument as error:
            if error.id is None:
                error.id = documents[0].get("_id") if len(documents) == 1 else None
            raise


def _renamed(kind: Any, codec: Codec, outer: tuple[Any, ...]) -> tuple[Renamed, ...]:
    found: list[Renamed] = []
    for field in view_fields(kind):
        children = (codec.child(source) for source in field.sources if "." not in source)
        child = next((child for child in children if child is not None), None)
        if child is None:
            continue
        stored_name, inner = child
        inside = _inside(field.shape, inner, outer)
        if inside or stored_name not in field.sources:
            found.append(Renamed(field.sources, stored_name, inside))
    return tuple(found)


def _inside(shape: Shape, codec: Codec, outer: tuple[Any, ...]) -> tuple[Renamed, ...]:
    match shape.form:
        case forms.Model(kind) | forms.Record(kind) if kind not in outer and has_fields(kind):
            return _renamed(kind, codec, (*outer, kind))
        case forms.Items(items=(item,)):
            return _inside(item, codec, outer)
        case _:
            return ()


def _with_names(document: Any, fields: tuple[Renamed, ...]) -> Any:
    if is_list(document):
        return [_with_names(item, fields) for item in document]
    if not is_dict(document):
        return document
    row = dict(document)
    for names, stored_name, inside in fields:
        name = next((name for name in names if name in row), None)
        if name is None and stored_name in row:
            name = names[0]
            row[name] = row.pop(stored_name)
        if inside and name is not None:
            row[name] = _with_names(row[name], inside)
    return row
