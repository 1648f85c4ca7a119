"""The values of a patch that replace others as a whole, as pydantic can validate them.

A model of another class than the field's becomes a dict of the fields that were set on it, and
names that no field has are refused: pydantic would ignore them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_origin

from pydantic import BaseModel

from ..type_guards import is_mapping, is_sequence
from ..types import forms
from ..types.forms import Shape
from ..types.registry import is_named_tuple, is_record
from ..types.shapes import shape_of
from .field_shapes import child_shape
from .patch_fields import (
    entries_of,
    field_names,
    given_fields,
    has_before_validator,
    reads_input,
)

ANYTHING = Shape(forms.Anything())


def field_shape(annotation: Any, name: str) -> Shape:
    """Return the shape of a field of a model, a dataclass or a `TypedDict`.

    Parameters:
        annotation: The class, with the type arguments that a record has.
        name: The name of the field.
    """
    kind: Any = get_origin(annotation) or annotation
    info = field_names(kind).fields.get(name)
    if info is None or reads_input(kind, name, info):
        return ANYTHING
    if is_record(kind):
        return child_shape(Shape(forms.Record(kind, annotation)), name) or ANYTHING
    return shape_of(info.annotation, info.metadata)


def forms_of(shape: Shape) -> tuple[forms.Form, ...]:
    """Return the forms that a shape allows: those of a union's options, or its only one."""
    if isinstance(shape.form, forms.AnyOf):
        return tuple(form for option in shape.form.options for form in forms_of(option))
    return (shape.form,)


def entries_form(shape: Shape) -> forms.Entries | None:
    """Return the form of the dicts that a shape allows, if there is just one."""
    found = [form for form in forms_of(shape) if isinstance(form, forms.Entries)]
    return found[0] if len(found) == 1 else None


def record_of(shape: Shape, kind: type[Any] | None = None) -> forms.Record | None:
    """Return the form of the dataclass or `TypedDict` that a shape allows, if there is just one.

    Parameters:
        shape: The shape.
        kind: The class; None for any.
    """
    found = [
        form
        for form in forms_of(shape)
        if isinstance(form, forms.Record) and kind in (None, form.kind)
    ]
    return found[0] if len(found) == 1 and not is_named_tuple(found[0].kind) else None


def whole_value(shape: Shape, value: Any, path: tuple[Any, ...]) -> Any:
    """Return what pydantic validates for a value that replaces another one.

    Parameters:
        shape: What the field allows.
        value: The value in the patch.
        path: Its path, for errors.

    Raises:
        UnknownFieldError: A dict in it names a field that the model at this place lacks.
    """
    allowed = forms_of(shape)
    if isinstance(value, BaseModel):
        kinds = tuple(form.model for form in allowed if isinstance(form, forms.Model))
        entries = entries_of(value)
        takes_any = any(isinstance(form, forms.Anything | forms.Other) for form in allowed)
        if entries is None or takes_any or isinstance(value, kinds):
            return value
        value = entries
    if is_mapping(value):
        return _whole_mapping(allowed, value, path)
    items = [form for form in allowed if isinstance(form, forms.Items)]
    if type(value) in (list, tuple) and is_sequence(value) and len(items) == 1:
        shape = items[0].items[0] if len(items[0].items) == 1 else ANYTHING
        return type(value)(whole_value(shape, v, (*path, n)) for n, v in enumerate(value))
    return value


def _whole_mapping(
    allowed: tuple[forms.Form, ...], value: Mapping[Any, Any], path: tuple[Any, ...]
) -> Any:
    readers = [f for f in allowed if isinstance(f, forms.Model | forms.Record | forms.Entries)]
    if len(readers) != 1:
        return value  # the validator of the union decides which option it is
    match readers[0]:
        case forms.Entries(value=Shape() as shape):
            return {key: whole_value(shape, one, (*path, key)) for key, one in value.items()}
        case forms.Model(kind as annotation) | forms.Record(kind, annotation) if not is_named_tuple(
            kind
        ):
            if has_before_validator(kind) or getattr(kind, "__pydantic_root_model__", False):
                return value
            return {
                name: whole_value(field_shape(annotation, name), one, (*path, name))
                for name, one in given_fields(kind, value, path)
            }
        case _:
            return value
