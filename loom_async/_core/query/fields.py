"""`fld["age"]`: a field, with its operators, conditions and accumulators."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from ..argument_checks import check_count
from ..errors import QueryError
from . import geo
from .descending import Descending
from .expressions import (
    And,
    Combinable,
    Comparison,
    ElementMatch,
    Not,
    OperatorCondition,
    Predicate,
    TextMatch,
    as_predicate,
)
from .grouping import Accumulator
from .operands import bson_types, checked_string, flags_of, values_of
from .paths import check_path, join
from .recorder import Recorder, recorded_path
from .time_query import TimeQuery


class Field(Combinable):
    """A field of documents, whose operators and methods return conditions.

    The value of a comparison is never read as an operator: `fld["name"] == {"$ne": None}` matches
    that literal document. As in MongoDB, `== None` matches null and missing fields, and an array
    matches if one of its elements does. A field alone, as a condition, means `is_true()`.

    Parameters:
        path: The dotted name.
    """

    __slots__ = ("path",)

    path: str

    def __init__(self, path: str) -> None:
        self.path = path

    def __getitem__(self, key: str | int) -> Field:
        """Return the field below this one; a number is an index into an array."""
        return Field(join(self.path, check_path(str(key))))

    def __repr__(self) -> str:
        return f"fld[{self.path!r}]"

    def __hash__(self) -> int:
        return hash((Field, self.path))

    def __neg__(self) -> Descending:
        """Return a sort key: this field from large to small."""
        return Descending(self.path)

    def as_predicate(self) -> Predicate:
        """Return the condition that the field is True."""
        return self.is_true()

    def _compare(self, operator: str, value: Any) -> Predicate:
        if isinstance(value, Combinable | Descending):
            raise QueryError(
                f"{self!r} is compared with another field, not with a value",
                hint='use lm.raw({"$expr": {"$gt": ["$a", "$b"]}}) to compare fields',
            )
        return Comparison(self.path, operator, value)

    def __eq__(self, value: Any) -> Predicate:  # type: ignore[override]
        return self._compare("eq", value)

    def __ne__(self, value: Any) -> Predicate:  # type: ignore[override]
        return self._compare("ne", value)

    def __gt__(self, value: Any) -> Predicate:
        return self._compare("gt", value)

    def __ge__(self, value: Any) -> Predicate:
        return self._compare("gte", value)

    def __lt__(self, value: Any) -> Predicate:
        return self._compare("lt", value)

    def __le__(self, value: Any) -> Predicate:
        return self._compare("lte", value)

    def is_in(self, values: Iterable[Any]) -> Predicate:
        """The field equals one of the values; the iterable is consumed immediately."""
        return self._compare("in", values_of(values, "is_in"))

    def is_not_in(self, values: Iterable[Any]) -> Predicate:
        """The field equals none of the values, or is missing."""
        return self._compare("nin", values_of(values, "is_not_in"))

    def is_all(self, values: Iterable[Any]) -> Predicate:
        """The array has all of the values."""
        return self._compare("all", values_of(values, "is_all"))

    def is_not_all(self, values: Iterable[Any]) -> Predicate:
        """The array lacks one of the values, or the field is not an array."""
        return Not(self.is_all(values))

    def has_size(self, size: int) -> Predicate:
        """The array has exactly `size` elements."""
        check_count("has_size", size)
        return OperatorCondition(self.path, {"$size": size})

    def elem_match(self, condition: Any) -> Predicate:
        """One element of the array meets the whole condition.

        Parameters:
            condition: On fields of the element, or on `lm.element` if elements are plain values:
                `fld["scores"].elem_match((element >= 80) & (element < 90))`.
        """
        if not isinstance(condition, Combinable) and callable(condition):
            condition = condition(Recorder(None))
        return ElementMatch(self.path, as_predicate(condition))

    def is_null(self) -> Predicate:
        """The field is null or missing."""
        return self._compare("eq", None)

    def is_not_null(self) -> Predicate:
        """The field exists and is not null."""
        return self._compare("ne", None)

    def is_exists(self) -> Predicate:
        """The field exists, null or not."""
        return OperatorCondition(self.path, {"$exists": True})

    def is_not_exists(self) -> Predicate:
        """The field does not exist."""
        return OperatorCondition(self.path, {"$exists": False})

    def is_true(self) -> Predicate:
        """The field is True."""
        return self._compare("eq", True)

    def is_false(self) -> Predicate:
        """The field is False; a missing field does not match."""
        return self._compare("eq", False)

    def is_enum(self, values: type[Enum] | Enum) -> Predicate:
        """The field equals an Enum member, or any member of an Enum class."""
        if isinstance(values, Enum):
            return self._compare("eq", values)
        if isinstance(values, type) and issubclass(values, Enum):
            return self._compare("in", tuple(values))
        raise QueryError(f"is_enum() takes an Enum or one of its members, not {values!r}")

    def is_type(self, *types: str | int | type) -> Predicate:
        """The field has one of the BSON types, given as names, numbers or Python types."""
        if not types:
            raise QueryError("is_type() needs a type", hint="is_type('string')")
        return OperatorCondition(
            self.path, {"$type": [name for kind in types for name in bson_types(kind)]}
        )

    def matches(self, pattern: str | re.Pattern[str], flags: str = "") -> Predicate:
        """The string matches one of MongoDB's regular expressions (PCRE).

        Parameters:
            pattern: The expression, or a compiled one, whose flags apply.
            flags: Any of `i`, `m`, `s` and `x`.
        """
        if isinstance(pattern, re.Pattern):
            flags, pattern = flags_of(pattern), pattern.pattern
        checked_string(pattern, "matches")
        if set(flags) - set("imsx"):
            raise QueryError(f"the flags {flags!r} are not among i, m, s and x")
        return OperatorCondition(
            self.path, {"$regex": pattern, "$options": "".join(sorted(set(flags)))}
        )

    def contains(self, text: str, ignore_case: bool = False) -> Predicate:
        """The string contains the text, taken literally; for array elements use `==`."""
        return TextMatch(self.path, "{}", checked_string(text, "contains"), ignore_case)

    def starts_with(self, text: str, ignore_case: bool = False) -> Predicate:
        """The string begins with the text, taken literally."""
        return TextMatch(self.path, "^{}", checked_string(text, "starts_with"), ignore_case)

    def ends_with(self, text: str, ignore_case: bool = False) -> Predicate:
        """The string ends with the text, taken literally."""
        return TextMatch(self.path, r"{}\z", checked_string(text, "ends_with"), ignore_case)

    def is_within(self, span: TimeQuery) -> Predicate:
        """The time lies in the span."""
        if not isinstance(span, TimeQuery):
            raise QueryError(
                f"is_within() takes a TimeQuery, not {span!r}", hint="lm.TimeQuery.last(days=7)"
            )
        sides: list[Predicate] = []
        if span.start is not None:
            sides.append(self >= span.start)
        if span.end is not None:
            sides.append(self < span.end)
        return And(tuple(sides)) if sides else self.is_type("date")

    def near(
        self,
        point: tuple[float, float] | Mapping[str, Any],
        *,
        max_distance: float | None = None,
        min_distance: float | None = None,
    ) -> Predicate:
        """The location is near a point; results are sorted by distance. Needs a `2dsphere` index.

        Parameters:
            point: `(longitude, latitude)` in degrees, or a GeoJSON point.
            max_distance: The largest distance, in metres.
            min_distance: The smallest distance, in metres.
        """
        return OperatorCondition(self.path, {"$near": geo.near(point, max_distance, min_distance)})

    def within(
        self,
        area: Mapping[str, Any] | None = None,
        *,
        center: tuple[float, float] | None = None,
        radius: float | None = None,
    ) -> Predicate:
        """The location lies within an area or a circle.

        Parameters:
            area: A GeoJSON Polygon or MultiPolygon.
            center: The centre of a circle, in place of an area: `(longitude, latitude)` in degrees.
            radius: The circle's radius in metres.
        """
        return OperatorCondition(self.path, {"$geoWithin": geo.within(area, center, radius)})

    def sum(self) -> Accumulator:
        """The sum over a group."""
        return Accumulator("$sum", self.path)

    def avg(self) -> Accumulator:
        """The mean over a group."""
        return Accumulator("$avg", self.path)

    def min(self) -> Accumulator:
        """The smallest value of a group."""
        return Accumulator("$min", self.path)

    def max(self) -> Accumulator:
        """The largest value of a group."""
        return Accumulator("$max", self.path)

    def first(self) -> Accumulator:
        """The value of a group's first row."""
        return Accumulator("$first", self.path)

    def last(self) -> Accumulator:
        """The value of a group's last row."""
        return Accumulator("$last", self.path)

    def push(self) -> Accumulator:
        """All values of a group, as a list."""
        return Accumulator("$push", self.path)

    def add_to_set(self) -> Accumulator:
        """The distinct values of a group, as a list."""
        return Accumulator("$addToSet", self.path)


class FieldMaker:
    """The class of `fld`: `fld["age"]`, `fld("age")` and, in a lambda, `fld(u.age)` make fields."""

    __slots__ = ()

    def __getitem__(self, path: str) -> Field:
        return Field(check_path(path))

    def __call__(self, path: object) -> Field:
        if isinstance(path, Recorder):
            return Field(recorded_path(path))
        if isinstance(path, Field):
            return path
        return Field(check_path(path))  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return "fld"


fld: FieldMaker = FieldMaker()
"""Returns a field by its path, for conditions: `fld["age"] > 25`, `fld("address.city")`.

Example:
    >>> from loom_async import fld
    >>> fld["age"] > 25
    (fld['age'] > 25)
"""

element: Field = Field("")
"""The array element itself, for conditions of `elem_match` on elements that are plain values.

Example:
    >>> from loom_async import element, fld
    >>> high = fld["scores"].elem_match((element >= 80) & (element < 90))
"""
