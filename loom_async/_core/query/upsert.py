"""What an upsert inserts: the values of its filter and its update, defaults, times and the tag.

MongoDB makes the new document of the filter's equalities and of the update. `$setOnInsert` gives it
all else that an inserted object has, so that it can be loaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bson import Regex
from pydantic import BaseModel, ValidationError

from ..errors import QueryError
from ..model.auto_fields import stored_auto_value
from ..model.bson_equality import MISSING
from ..model.codecs import FamilyCodec, model_codec
from ..model.defaults import encoded_default, is_required
from ..model.field_validators import column_validator
from ..model.model_codec import ModelCodec, StoredField
from ..model.polymorphism import tag_of
from ..model.update_document import is_dotted
from ..type_guards import is_mapping
from ..types.codec import Codec
from .paths import join

Update = dict[str, dict[str, Any]]

# Operators that give a new document no value.
_REMOVING = frozenset({"$unset", "$pull", "$pullAll", "$pop", "$rename"})


def equalities(filter: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that MongoDB puts into a new document, by stored path.

    Parameters:
        filter: A compiled MongoDB filter.

    Example:
        >>> equalities({"$and": [{"email": {"$eq": "a@x"}}, {"age": {"$gt": 3}}]})
        {'email': 'a@x'}
    """
    found: dict[str, Any] = {}
    for key, operand in filter.items():
        if key == "$and" or (key == "$or" and len(operand) == 1):
            for part in operand:
                found |= equalities(part)
        elif not key.startswith("$"):
            for value in _equal_values(operand):
                found[key] = value
    return found


def _equal_values(operand: Any) -> list[Any]:
    """Return the value that a condition on a field demands; none if it demands no single one."""
    is_operators = is_mapping(operand) and str(next(iter(operand), "")).startswith("$")
    if not is_operators:
        return [] if isinstance(operand, re.Pattern | Regex) else [operand]
    values = [operand["$eq"]] if "$eq" in operand else []
    for name in ("$in", "$all"):
        given = operand.get(name, ())
        if len(given) == 1 and not isinstance(given[0], re.Pattern | Regex):
            values.append(given[0])
    return values


def add_insertion_values(
    model: type[BaseModel], update: Update, filter: Mapping[str, Any], now: datetime
) -> None:
    """Add to an update what a document needs that it inserts, as `$setOnInsert`.

    Parameters:
        model: The model of the document.
        update: The compiled update; it is changed.
        filter: The compiled filter of the query.
        now: The time of the operation.

    Raises:
        QueryError: A required field would be missing, or a value of the filter cannot be that of
            its field.
    """
    fixed = equalities(filter)
    insertion = _Insertion(update, fixed, now)
    _check_tag(model, fixed)
    insertion.add(model_codec(model), "", {})
    if insertion.missing:
        names = ", ".join(insertion.missing)
        raise QueryError(
            f"an upsert may insert a {model.__name__}, which would lack {names}: the field is "
            "required",
            hint='give it a value in the filter, fld["x"] == …, or by {"$setOnInsert": {"x": …}}',
        )
    if insertion.values:
        update["$setOnInsert"] = update.get("$setOnInsert", {}) | insertion.values


def _check_tag(model: type[BaseModel], fixed: Mapping[str, Any]) -> None:
    tag = tag_of(model)
    if tag is not None and fixed.get(tag[0], tag[1]) != tag[1]:
        raise QueryError(
            f"an upsert by {model.__name__} cannot insert a document with the tag "
            f"{fixed[tag[0]]!r}",
            hint="upsert by the filter() of the class that has this tag",
        )


class _Insertion:
    """The values that a new document still needs, and the required fields that have none."""

    def __init__(self, update: Update, fixed: Mapping[str, Any], now: datetime) -> None:
        self.values: dict[str, Any] = {}
        self.missing: list[str] = []
        self._now = now
        removed = {path for name in _REMOVING for path in update.get(name, ())}
        removed |= {str(path) for path in update.get("$rename", {}).values()}
        given = {path for operands in update.values() for path in operands} - removed
        self._updated = given
        self._fixed = {path: value for path, value in fixed.items() if path not in given}
        self._given = given | fixed.keys()
        self._absent = (removed - fixed.keys()) | update.get("$unset", {}).keys()

    def add(self, codec: ModelCodec, prefix: str, outer: Mapping[str, Any]) -> None:
        """Add the values of the fields of a document.

        Parameters:
            codec: The codec of the document.
            prefix: Its path; "" for the whole document.
            outer: The default of the field that holds it, encoded.
        """
        for field in codec.fields:
            path = join(prefix, field.stored_name)
            if path in self._absent:
                if is_required(codec.model, field):
                    self.missing.append(path)
            elif path in self._given:
                self._check(codec.model, field, path)
            elif self._has_below(path):
                self._add_below(codec.model, field, path, outer)
            elif prefix == "" and (field.on_insert or field.on_write):
                self.values[path] = stored_auto_value(field, self._now)
            else:
                self._add_default(codec.model, field, path, outer)
        tag = tag_of(codec.model)
        if tag is not None and (path := join(prefix, tag[0])) not in self._updated:
            self.values[path] = tag[1]

    def _has_below(self, path: str) -> bool:
        return any(one.startswith(f"{path}.") for one in self._given | self._absent)

    def _check(self, model: type[BaseModel], field: StoredField, path: str) -> None:
        """Raise an error if the filter gives a field a value that the model refuses."""
        if path not in self._fixed:
            return
        value = field.codec.decode(self._fixed[path])
        try:
            column_validator(model, field.name).validate_python(
                [value], strict=False, by_alias=True, by_name=True
            )
        except ValidationError as error:
            raise QueryError(
                f"an upsert would store {self._fixed[path]!r}, a value of the filter, as "
                f"{path}: {error.errors(include_url=False)[0]['msg']}",
                hint="MongoDB puts the values that a filter compares by == into the new document",
            ) from error

    def _add_below(
        self, model: type[BaseModel], field: StoredField, path: str, outer: Mapping[str, Any]
    ) -> None:
        """Add the values of a field of which the filter or the update has a part."""
        if field.codec.holds_items and any(one.startswith(f"{path}.") for one in self._fixed):
            raise QueryError(
                f"an upsert would store a condition on the elements of {path} as the array itself",
                hint='write it by elem_match, and give the array by {"$setOnInsert": …}',
            )
        default = self._default(model, field, outer)
        inner = _model_of(field.codec)
        if inner is not None:
            self.add(inner, path, default if is_mapping(default) else {})
        elif is_mapping(default):
            for key, value in default.items():
                below = join(path, key)
                is_given = below in self._given | self._absent or self._has_below(below)
                if not is_given and is_dotted((key,)):
                    self.values[below] = value

    def _add_default(
        self, model: type[BaseModel], field: StoredField, path: str, outer: Mapping[str, Any]
    ) -> None:
        default = self._default(model, field, outer)
        if default is not MISSING:
            self.values[path] = default
        elif is_required(model, field):
            self.missing.append(path)

    def _default(self, model: type[BaseModel], field: StoredField, outer: Mapping[str, Any]) -> Any:
        name = field.stored_name
        return outer[name] if name in outer else encoded_default(model, field)


def _model_of(codec: Codec) -> ModelCodec | None:
    if isinstance(codec, FamilyCodec):
        return model_codec(codec.model)
    return codec if isinstance(codec, ModelCodec) else None
