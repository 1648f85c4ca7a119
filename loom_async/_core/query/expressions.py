"""Predicates: immutable trees of conditions, compiled to MongoDB filters by `filter_compiler`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from ..errors import QueryError
from .raw_values import encode_raw

_NO_TRUTH = "a condition of a query has no truth value in Python"
_NO_TRUTH_HINT = (
    "combine conditions with &, | and ~, each in parentheses: (fld['a'] > 1) & (fld['b'] < 2); "
    "`and`, `or`, `not`, `if`, `in` and chained comparisons such as 1 < x < 2 need a truth value"
)


class Combinable(ABC):
    """A condition, or a field as one, that `&`, `|` and `~` combine."""

    __slots__ = ()

    @abstractmethod
    def as_predicate(self) -> Predicate:
        """Return this as a predicate."""

    def __and__(self, other: object) -> Predicate:
        return And((self.as_predicate(), as_predicate(other)))

    def __rand__(self, other: object) -> Predicate:
        return And((as_predicate(other), self.as_predicate()))

    def __or__(self, other: object) -> Predicate:
        return Or((self.as_predicate(), as_predicate(other)))

    def __ror__(self, other: object) -> Predicate:
        return Or((as_predicate(other), self.as_predicate()))

    def __invert__(self) -> Predicate:
        return Not(self.as_predicate())

    def __bool__(self) -> NoReturn:
        raise QueryError(_NO_TRUTH, hint=_NO_TRUTH_HINT)


class Predicate(Combinable):
    """A condition of a query; `&`, `|` and `~` combine conditions."""

    __slots__ = ()

    def as_predicate(self) -> Predicate:
        """Return this predicate itself."""
        return self


def as_predicate(value: object) -> Predicate:
    """Return a value as a predicate.

    Raises:
        QueryError: It is not a condition.
    """
    if isinstance(value, Combinable):
        return value.as_predicate()
    if isinstance(value, Mapping):
        raise QueryError(
            f"{value!r} is a raw MongoDB filter, not a condition",
            hint="pass it as lm.raw({...}), and never build it from user input",
        )
    raise QueryError(
        f"{value!r} is not a condition",
        hint="write a comparison such as fld['age'] > 25, in parentheses when combined: "
        "& and | bind tighter than > and ==",
    )


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Predicate):
    """A field compared with a value; `operator` is MongoDB's name without its dollar sign."""

    path: str
    operator: str
    value: Any

    def __repr__(self) -> str:
        symbol = _SYMBOLS.get(self.operator)
        if symbol:
            return f"(fld[{self.path!r}] {symbol} {self.value!r})"
        return f"fld[{self.path!r}].{self.operator}({self.value!r})"


@dataclass(frozen=True, slots=True)
class TextMatch(Predicate):
    """A string that contains, begins or ends with a text; `{}` in `pattern` stands for the text."""

    path: str
    pattern: str
    text: str
    ignore_case: bool


@dataclass(frozen=True, slots=True)
class OperatorCondition(Predicate):
    """A field tested by operators whose operands are not values of the field, such as `$exists`."""

    path: str
    operators: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ElementMatch(Predicate):
    """An array in which one element meets the whole predicate."""

    path: str
    predicate: Predicate


@dataclass(frozen=True, slots=True, repr=False)
class And(Predicate):
    """All of the operands."""

    operands: tuple[Predicate, ...]

    def __repr__(self) -> str:
        return "(" + " & ".join(map(repr, self.operands)) + ")"


@dataclass(frozen=True, slots=True, repr=False)
class Or(Predicate):
    """Any of the operands."""

    operands: tuple[Predicate, ...]

    def __repr__(self) -> str:
        return "(" + " | ".join(map(repr, self.operands)) + ")"


@dataclass(frozen=True, slots=True, repr=False)
class Not(Predicate):
    """Not the operand."""

    operand: Predicate

    def __repr__(self) -> str:
        return f"~{self.operand!r}"


@dataclass(frozen=True, slots=True)
class Raw(Predicate):
    """A MongoDB filter as it is sent."""

    filter: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Text(Predicate):
    """A full-text search."""

    options: Mapping[str, Any]


_SYMBOLS = {"eq": "==", "ne": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def raw(filter: Mapping[str, Any]) -> Predicate:
    """Return a raw MongoDB filter as a condition; it is sent as it is.

    Parameters:
        filter: A MongoDB filter with stored field names. Values of all types are encoded as those
            of documents are, and not converted otherwise. Never build it from user input.

    Raises:
        QueryError: `filter` is not a mapping, or BSON has no form for a value in it.

    Example:
        >>> import loom_async as lm
        >>> lm.raw({"$expr": {"$gt": ["$spent", "$budget"]}})
        Raw(filter={'$expr': {'$gt': ['$spent', '$budget']}})
    """
    if not isinstance(filter, Mapping):
        raise QueryError(f"raw() takes a MongoDB filter, not {filter!r}")
    return Raw(encode_raw(filter, "raw()"))


def text(
    search: str,
    *,
    language: str | None = None,
    case_sensitive: bool = False,
    diacritic_sensitive: bool = False,
) -> Predicate:
    """Return a condition that searches the collection's text index for words.

    Parameters:
        search: The words, as MongoDB's `$text` reads them.
        language: The language whose stop words and stems are used.
        case_sensitive: Whether upper and lower case differ.
        diacritic_sensitive: Whether é and e differ.

    Raises:
        QueryError: `search` is not a string.

    Example:
        >>> import loom_async as lm
        >>> lm.text("coffee")
        Text(options={'$search': 'coffee'})
    """
    if not isinstance(search, str):
        raise QueryError(f"text() searches for a string, not {search!r}")
    options = {
        "$search": search,
        "$language": language,
        "$caseSensitive": case_sensitive or None,
        "$diacriticSensitive": diacritic_sensitive or None,
    }
    return Text({name: value for name, value in options.items() if value is not None})
