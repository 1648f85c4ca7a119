"""Applies patches to objects: dicts, or models of which the fields that were set count.

A patch is applied in place, field by field, so that nested objects stay the same objects. Each
value that is given is validated once; then the validators of the whole models see the result. An
error may leave the object half changed: the caller restores it.
"""

from __future__ import annotations

import dataclasses
from typing import Any, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails

from ..errors import UnknownFieldError
from ..picklable import deeply_copied
from ..types import forms
from ..types.forms import Shape
from .bson_equality import MISSING
from .patch_fields import entries_of, given_fields
from .patch_keys import matching_key
from .patch_validation import (
    Path,
    located_details,
    record_values,
    validated_field,
    validated_record,
    validated_whole,
)
from .patch_values import ANYTHING, entries_form, field_shape, forms_of, record_of, whole_value
from .settled import is_frozen, settled


def apply_patch(model: BaseModel, patch: object, *, partial: bool) -> None:
    """Change an object as a patch says, and validate the result.

    Parameters:
        model: The object; an error may leave it half changed.
        patch: A mapping or a model.
        partial: Whether nested values are merged, not replaced.

    Raises:
        ValidationError: A value does not fit, or a validator refuses the result.
        UnknownFieldError: The patch names a field that a model lacks.
        QueryError: The patch gives a field twice.
    """
    application = _Application(partial)
    application.change(model, patch, ())
    if application.failures:
        raise ValidationError.from_exception_data(
            type(model).__name__,
            application.failures,
            hide_input=bool(model.model_config.get("hide_input_in_errors")),
        )
    settled(model, validated_whole(model))


class _Application:
    """One application of a patch; `failures` has the reasons of the values that do not fit."""

    def __init__(self, partial: bool) -> None:
        self._partial = partial
        self.failures: list[InitErrorDetails] = []

    def change(self, model: BaseModel, patch: object, path: Path) -> None:
        """Change the fields of an object that a patch gives."""
        kind = type(model)
        values = vars(model)
        for name, given in given_fields(kind, patch, path):
            extra = model.__pydantic_extra__
            is_field = name in kind.model_fields
            place = values if is_field or extra is None else extra
            old, known = place.get(name, MISSING), len(self.failures)
            # Copied: objects that take the same patch share no values.
            given = deeply_copied(given, {})
            new = self._value(field_shape(kind, name), old, given, (*path, name))
            if len(self.failures) > known:
                continue
            try:
                new = validated_field(model, name, new)
            except ValidationError as error:
                self.failures.extend(located_details(error, path))
                continue
            place[name] = settled(old, new) if self._partial else new
            model.__pydantic_fields_set__.add(name)

    def _value(self, shape: Shape, old: Any, given: Any, path: Path) -> Any:
        """Return what is validated as the new value at a path."""
        if self._partial and entries_of(given) is not None:
            if isinstance(old, BaseModel) and _is_patch_of(shape, old, given):
                return self._changed(old, given, path)
            if isinstance(old, dict):
                return self._merged_entries(shape, dict(cast("Any", old)), given, path)
            if dataclasses.is_dataclass(old) and not isinstance(old, type):
                return self._merged_record(shape, old, given, path)
        return whole_value(shape, given, path)

    def _changed(self, model: BaseModel, patch: object, path: Path) -> BaseModel:
        target = model.model_copy() if is_frozen(model) else model
        self.change(target, patch, path)
        return target

    def _merged_entries(
        self, shape: Shape, present: dict[Any, Any], patch: object, path: Path
    ) -> dict[Any, Any]:
        typed_dict = record_of(shape)
        if typed_dict is not None:
            entries = dict(given_fields(typed_dict.kind, patch, path))
        else:
            entries = dict(entries_of(patch) or {})
        form = entries_form(shape)
        for key, value in entries.items():
            name, below = key, ANYTHING
            if typed_dict is not None:
                below = field_shape(typed_dict.annotation, key)
            elif form is not None:
                name = matching_key(form, present, key)
                below = form.value or ANYTHING
            present[name] = self._value(below, present.get(name, MISSING), value, (*path, key))
        return present

    def _merged_record(self, shape: Shape, record: Any, patch: object, path: Path) -> Any:
        kind: type[Any] = type(record)  # pyright: ignore[reportUnknownVariableType]
        form = record_of(shape, kind)
        annotation = kind if form is None else form.annotation
        values, known = record_values(record), len(self.failures)
        for name, given in given_fields(kind, patch, path):
            if name not in values:
                raise UnknownFieldError(name, where=kind.__name__, known=values)
            below = field_shape(annotation, name)
            values[name] = self._value(below, values[name], given, (*path, name))
        if len(self.failures) > known:
            return record
        try:
            return validated_record(annotation, values)
        except ValidationError as error:
            self.failures.extend(located_details(error, path))
            return record


def _is_patch_of(shape: Shape, old: BaseModel, given: object) -> bool:
    """Say whether a value changes an object, and does not replace it as another option of a union.

    The fields that are set on a model of any class change the object, but an object of another
    class that the field allows is a value of its own.
    """
    if old.__pydantic_root_model__:
        return False
    if not isinstance(given, BaseModel) or isinstance(given, type(old)):
        return True
    kinds = tuple(form.model for form in forms_of(shape) if isinstance(form, forms.Model))
    return isinstance(old, type(given)) or not isinstance(given, kinds)
