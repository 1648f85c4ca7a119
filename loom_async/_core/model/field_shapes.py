"""The shapes of a model's fields, and of what is below them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..types.forms import AnyOf, Entries, Items, Model, Record, Shape
from ..types.record_fields import record_fields
from ..types.shapes import shape_of
from ..types.type_arguments import annotation_key
from .codecs import stored_name

_shapes: dict[type[Any], Mapping[str, Shape]] = {}
_of_records: dict[Any, Mapping[str, Shape]] = {}


def field_shapes(model: type[Any]) -> Mapping[str, Shape]:
    """Return the shapes of a model's fields by their names and by their stored names."""
    known = _shapes.get(model)
    if known is None:
        known = _shapes[model] = _shapes_of_model(model)
    return known


def _record_shapes(annotation: Any) -> Mapping[str, Shape]:
    key = annotation_key(annotation)
    known = _of_records.get(key)
    if known is None:
        fields = [(field, shape_of(field.annotation)) for field in record_fields(annotation)]
        by_stored_name = {field.stored_name: shape for field, shape in fields}
        known = by_stored_name | {field.name: shape for field, shape in fields}
        _of_records[key] = known
    return known


def _shapes_of_model(model: type[Any]) -> dict[str, Shape]:
    by_stored_name: dict[str, Shape] = {}
    by_name: dict[str, Shape] = {}
    for name, info in model.model_fields.items():
        shape = shape_of(info.annotation, info.metadata)
        by_stored_name[stored_name(name, info)] = shape
        by_name[name] = shape
    return by_stored_name | by_name


def child_shape(shape: Shape | None, key: str) -> Shape | None:
    """Return the shape of a key of a value; None if that may be anything.

    Parameters:
        shape: The shape of the value.
        key: A name, or the position in an array.
    """
    match None if shape is None else shape.form:
        case Model(model) if model.__pydantic_root_model__:
            return child_shape(field_shapes(model)["root"], key)
        case Model(model):
            return field_shapes(model).get(key)
        case Record(annotation=annotation):
            return _record_shapes(annotation).get(key)
        case Items(items=items, is_fixed=True) if key.isdigit() and int(key) < len(items):
            return items[int(key)]
        case Items() as form:
            item = item_shape(form)
            return item if key.isdigit() or key.startswith("$") else child_shape(item, key)
        case Entries(value=value):
            return value
        case AnyOf(options):
            found = [child_shape(option, key) for option in options if _has_keys(option)]
            known = tuple(child for child in found if child is not None)
            return _any_of(known) if len(known) == len(found) else None
        case _:
            return None


def item_shape(form: Items) -> Shape | None:
    """Return the shape of the items of an array; None if they may be anything."""
    return _any_of(form.items)


def _any_of(options: tuple[Shape, ...]) -> Shape | None:
    if len(options) == 1:
        return options[0]
    return Shape(AnyOf(options)) if options else None


def _has_keys(shape: Shape) -> bool:
    return isinstance(shape.form, Model | Record | Items | Entries | AnyOf)
