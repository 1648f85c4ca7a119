"""What a shape says of its values: their classes, the BSON types of their stored forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_origin

from pydantic import Secret
from typing_extensions import is_typeddict

from . import shapes
from .registry import STAND_INS, is_named_tuple
from .values import bson_type_of, to_bson


def bson_types(shape: shapes.Shape) -> frozenset[str] | None:
    """Return the BSON types of the stored values besides null; None if they may be of any type."""
    match shape.form:
        case shapes.Scalar(entry=entry) | shapes.Encoded(entry=entry):
            return frozenset(entry.bson)
        case shapes.JsonText():
            return frozenset({"string"})
        case shapes.Hidden(value=inner) | shapes.Chosen(stored=inner):
            return bson_types(inner)
        case shapes.Member(choices) | shapes.OneOf(choices):
            found = {bson_type_of(to_bson(choice)) or "" for choice in choices}
            return None if "" in found else frozenset(found)
        case shapes.AnyOf(options):
            return _joined([bson_types(option) for option in options])
        case shapes.Items():
            return frozenset({"array"})
        case shapes.Record(kind) if is_named_tuple(kind):
            return frozenset({"array"})
        case shapes.Model(model) if model.__pydantic_root_model__:
            root = model.model_fields["root"]
            return bson_types(shapes.shape_of(root.annotation, root.metadata))
        case shapes.Entries() | shapes.Record() | shapes.Model():
            return frozenset({"object"})
        case _:
            return None


def _joined(each: list[frozenset[str] | None]) -> frozenset[str] | None:
    known = [found for found in each if found is not None]
    return frozenset().union(*known) if len(known) == len(each) else None


def classes(shape: shapes.Shape) -> tuple[Any, ...]:
    """Return the classes of the values besides None; empty if they may be of any class."""
    match shape.form:
        case shapes.Scalar(annotation, entry):
            is_own = isinstance(annotation, type) and annotation not in STAND_INS
            return (annotation,) if is_own else entry.classes
        case shapes.Member(enum):
            return (enum,)
        case shapes.OneOf(values):
            return tuple({type(value) for value in values})
        case shapes.AnyOf(options):
            each = [classes(option) for option in options]
            return tuple(kind for found in each for kind in found) if all(each) else ()
        case shapes.Items(origin=kind) | shapes.Model(kind) | shapes.BsonValue(kind):
            return (kind,)
        case shapes.Record(kind):
            return (dict,) if is_typeddict(kind) else (kind,)
        case shapes.Hidden():
            return (Secret,)
        case shapes.Entries():
            kind = get_origin(shape.annotation) or shape.annotation
            return (kind if isinstance(kind, type) else Mapping,)
        case _:
            kind = get_origin(shape.annotation) or shape.annotation
            return (kind,) if isinstance(kind, type) and kind is not object else ()
