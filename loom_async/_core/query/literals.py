"""Reads the literals of conditions as pydantic reads a field's values in lax mode.

`"18"` is 18 for an int, and the text that JSON has is the value: a UUID, a date, a URL. Constraints
such as `ge=0` do not apply: `fld["age"] > -1` is a condition, not an age.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Set
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

from bson import ObjectId
from pydantic import TypeAdapter, ValidationError

from ..errors import QueryError
from ..model.field_shapes import child_shape, field_shapes, item_shape
from ..model.fields import PyObjectId
from ..type_guards import is_collection, is_mapping
from ..types import forms
from ..types.forms import Shape
from ..types.numpy_scalars import to_python
from ..types.stored_type import Kind

_NUMBERS = (int, float, Decimal)


class _Unreadable(ValueError):
    """A literal cannot be read; the text says why."""


class Literal(NamedTuple):
    """How a literal is used.

    Parameters:
        path: The field's path, for errors.
        is_bound: Whether it bounds the values, as for `<`, and need not be one of them.
    """

    path: str
    is_bound: bool = False

    def read(self, shape: Shape | None, value: Any) -> Any:
        """Return a literal as a value of a shape, or one that is compared with such values.

        Parameters:
            shape: The shape of the field; None takes any value.
            value: The literal.

        Raises:
            QueryError: It cannot be read.
        """
        try:
            return _read(shape, value, self.is_bound)
        except _Unreadable as error:
            raise QueryError(
                f"{value!r} cannot be compared with the values of {self.path!r}: {error}",
                hint="use is_in(…) for several values, and lm.raw({…}) for another type"
                if is_collection(value)
                else "lm.raw({…}) compares a field with a value of another type",
            ) from None


def read_if_possible(shape: Shape | None, value: Any) -> Any:
    """Return a value that is given for a field as one of its shape; unchanged if it is no such."""
    try:
        return _read(shape, value, is_bound=False)
    except _Unreadable:
        return to_python(value)


def _read(shape: Shape | None, value: Any, is_bound: bool) -> Any:
    value = to_python(value)
    if is_mapping(value):
        return {key: _read_below(shape, key, item) for key, item in value.items()}
    if shape is None or _is_of_any_field(value):
        return value
    match shape.form:
        case forms.Chosen(marker):
            annotation: Any = Annotated[shape.annotation, marker]
            return _validated(annotation, value)
        case form:
            return _read_form(form, value, is_bound)


def _read_below(shape: Shape | None, key: Any, value: Any) -> Any:
    """Read a value inside a document, which may be compared with every field as it is."""
    return read_if_possible(child_shape(shape, key) if isinstance(key, str) else None, value)


def _is_of_any_field(value: Any) -> bool:
    """Say whether a literal is compared as it is with every field."""
    if value is None or isinstance(value, re.Pattern):
        return True
    return type(value).__module__.partition(".")[0] == "bson" and not isinstance(value, ObjectId)


def _read_form(form: forms.Form, value: Any, is_bound: bool) -> Any:
    match form:
        case forms.Scalar():
            return _read_scalar(form, value)
        case forms.Member(enum):
            return _read_member(enum, value, is_bound)
        case forms.OneOf(values):
            return _read_one_of(values, value, is_bound)
        case forms.AnyOf(options):
            return _read_any_of(options, value, is_bound)
        case forms.Items():
            return _read_items(form, value, is_bound)
        case forms.Model(model) if model.__pydantic_root_model__:
            return _read(field_shapes(model)["root"], getattr(value, "root", value), is_bound)
        case forms.Other(annotation):
            return _read_other(annotation, value, is_bound)
        case _:
            return value


def _read_scalar(form: forms.Scalar, value: Any) -> Any:
    if isinstance(value, Enum):
        value = value.value
    classes = form.entry.classes
    if not {int, float, Decimal}.isdisjoint(classes) and isinstance(value, _NUMBERS):
        # Numbers of all types are comparable: an int may be less than 2.5.
        return _number(int(value) if isinstance(value, bool) else value, classes)
    if not {dt.date, dt.datetime}.isdisjoint(classes) and isinstance(value, dt.date):
        return value
    if _is_of(form, value):
        return _encodable(value) if isinstance(value, str) else value
    read = _validated(PyObjectId if ObjectId in classes else form.annotation, value)
    return _number(read, classes) if isinstance(read, int) else read


def _is_of(form: forms.Scalar, value: Any) -> bool:
    return form.entry.kind is Kind.SCALAR and isinstance(value, form.entry.classes)


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _Unreadable("it is no valid Unicode") from None
    return text


def _number(value: Any, classes: tuple[type, ...]) -> Any:
    if not isinstance(value, int) or -(2**63) <= value < 2**63:
        return value
    if Decimal in classes:
        return Decimal(value)
    if float in classes and float(value) == value:
        return float(value)
    raise _Unreadable("MongoDB holds integers of 64 bits")


def _read_member(enum: type[Enum], value: Any, is_bound: bool) -> Any:
    if isinstance(value, Enum) and not isinstance(value, enum):
        value = value.value
    try:
        return _validated(enum, value)
    except _Unreadable:
        if is_bound and _is_like(value, [member.value for member in enum]):
            return value
        raise


def _read_one_of(values: tuple[Any, ...], value: Any, is_bound: bool) -> Any:
    given = value.value if isinstance(value, Enum) and value not in values else value
    for candidate in values:
        if candidate == given and isinstance(candidate, bool) == isinstance(given, bool):
            return candidate
    if is_bound and _is_like(given, values):
        return given
    raise _Unreadable(f"they are {', '.join(map(repr, values))}")


def _is_like(value: Any, others: Iterable[Any]) -> bool:
    """Say whether a value is of a type that others have, and can be compared with them."""
    return any(
        isinstance(value, _NUMBERS if isinstance(other, _NUMBERS) else type(other))
        for other in others
    )


def _read_any_of(options: tuple[Shape, ...], value: Any, is_bound: bool) -> Any:
    for option in options:
        if _is_native(option, value):
            return _read(option, value, is_bound)
    reasons: list[str] = []
    for option in options:
        try:
            return _read(option, value, is_bound)
        except _Unreadable as error:
            reasons.append(str(error))
    raise _Unreadable("; ".join(dict.fromkeys(reasons)))


def _is_native(shape: Shape, value: Any) -> bool:
    """Say whether a value is of a shape without a conversion."""
    match shape.form:
        case forms.Scalar() as form if form.entry.classes in ((int,), (float,), (Decimal,)):
            return isinstance(value, _NUMBERS) and not isinstance(value, bool)
        case forms.Scalar(annotation, entry):
            return isinstance(value, annotation if isinstance(annotation, type) else entry.classes)
        case forms.Member(enum):
            return isinstance(value, enum)
        case forms.OneOf(values):
            return value in values
        case forms.Items() as form:
            item = item_shape(form)
            return is_collection(value) or item is None or _is_native(item, value)
        case forms.AnyOf(options):
            return any(_is_native(option, value) for option in options)
        case forms.Model(model):
            return isinstance(value, model)
        case _:
            return False


def _read_items(form: forms.Items, value: Any, is_bound: bool) -> Any:
    """Read a whole array, or one item: a condition on an array also tests its items."""
    item = item_shape(form)
    if not is_collection(value):
        return _read(item, value, is_bound)
    read = [_read(item, each, is_bound) for each in value]
    return value if isinstance(value, Set) and item is None else _like(value, read)


def _like(value: Any, read: list[Any]) -> Any:
    try:
        return frozenset(read) if isinstance(value, Set) else read
    except TypeError:
        return read


def _read_other(annotation: Any, value: Any, is_bound: bool) -> Any:
    try:
        return _json_form(annotation, _validated(annotation, value))
    except _Unreadable:
        if is_bound and isinstance(value, str):  # such values are stored as text, as a rule
            return value
        raise


def _json_form(annotation: Any, value: Any) -> Any:
    adapter = _adapter(annotation)
    return value if adapter is None else adapter.dump_python(value, mode="json", round_trip=True)


def _validated(annotation: Any, value: Any) -> Any:
    adapter = _adapter(annotation)
    if adapter is None:
        return value
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise _Unreadable(error.errors(include_url=False)[0]["msg"]) from None


def _adapter(annotation: Any) -> TypeAdapter[Any] | None:
    try:
        return _cached_adapter(annotation)
    except TypeError:  # metadata that cannot be hashed
        return _new_adapter(annotation)


def _new_adapter(annotation: Any) -> TypeAdapter[Any] | None:
    try:
        return TypeAdapter(annotation)
    except Exception as error:  # pydantic's schema errors have no public base class
        if type(error).__module__.startswith("pydantic"):
            return None
        raise


_cached_adapter = lru_cache(maxsize=1_000)(_new_adapter)
