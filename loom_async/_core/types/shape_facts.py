"""What a shape says of its values: their classes, the BSON types of their stored forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_origin

from pydantic import Secret
from typing_extensions import is_typeddict

from . import forms
from .registry import STAND_INS, is_named_tuple
from .shapes import shape_of
from .values import bson_type_of, to_bson


def bson_types(shape: forms.Shape) -> frozenset[str] | None:
    """Return the BSON types of the stored values besides null; None if they may be of any type."""
    match shape.form:
        case forms.Scalar(entry=entry) | forms.Encoded(entry=entry):
            return frozenset(entry.bson)
        case forms.JsonText():
            return frozenset({"string"})
        case forms.Hidden(value=inner) | forms.Chosen(stored=inner):
            return bson_types(inner)
        case forms.Member(choices) | forms.OneOf(choices):
            found = {bson_type_of(to_bson(choice)) or "" for choice in choices}
            return None if "" in found else frozenset(found)
        case forms.AnyOf(options):
            return _joined([bson_types(option) for option in options])
        case forms.Items():
            return frozenset({"array"})
        case forms.Record(kind) if is_named_tuple(kind):
            return frozenset({"array"})
        case forms.Model(model) if model.__pydantic_root_model__:
            root = model.model_fields["root"]
            return bson_types(shape_of(root.annotation, root.metadata))
        case forms.Entries() | forms.Record() | forms.Model():
            return frozenset({"object"})
        case _:
            return None


def _joined(each: list[frozenset[str] | None]) -> frozenset[str] | None:
    known = [found for found in each if found is not None]
    return frozenset[str]().union(*known) if len(known) == len(each) else None


def classes(shape: forms.Shape) -> tuple[Any, ...]:
    """Return the classes of the values besides None; empty if they may be of any class."""
    match shape.form:
        case forms.Scalar(annotation, entry):
            is_own = isinstance(annotation, type) and annotation not in STAND_INS
            return (annotation,) if is_own else entry.classes
        case forms.Member(enum):
            return (enum,)
        case forms.OneOf(values):
            return tuple({type(value) for value in values})
        case forms.AnyOf(options):
            each = [classes(option) for option in options]
            return tuple(kind for found in each for kind in found) if all(each) else ()
        case forms.Items(origin=kind) | forms.Model(kind) | forms.BsonValue(kind):
            return (kind,)
        case forms.Record(kind):
            return (dict,) if is_typeddict(kind) else (kind,)
        case forms.Hidden():
            return (Secret,)
        case forms.Entries():
            kind = get_origin(shape.annotation) or shape.annotation
            return (kind if isinstance(kind, type) else Mapping,)
        case _:
            kind = get_origin(shape.annotation) or shape.annotation
            return (kind,) if isinstance(kind, type) and kind not in (object, Any) else ()
