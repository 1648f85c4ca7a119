"""Compiles predicates to MongoDB filters, in which no value is read as an operator."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeGuard

from bson.regex import Regex

from ..errors import QueryError
from ..type_guards import is_dict, is_mapping
from ..types.values import to_bson
from .class_variants import by_class
from .comparability import check_comparison
from .element_alternatives import alternatives, is_plain
from .expressions import (
    And,
    Comparison,
    ElementMatch,
    Not,
    OperatorCondition,
    Or,
    Predicate,
    Raw,
    Text,
    TextMatch,
)
from .paths import FieldResolver, ResolvedField, join
from .raw_values import encode_raw

Filter = dict[str, Any]

_ORDERINGS = frozenset({"gt", "gte", "lt", "lte"})


def compile_predicate(predicate: Predicate, resolver: FieldResolver | None) -> Filter:
    """Return the MongoDB filter of a predicate.

    Parameters:
        predicate: The condition on documents.
        resolver: The model's fields; None accepts any name.

    Raises:
        UnknownFieldError: The predicate names a field that the model lacks.
        QueryError: MongoDB cannot express it.

    Example:
        >>> from loom_async._core.query.fields import fld
        >>> compile_predicate((fld["age"] > 25) & (fld["age"] < 60), None)
        {'age': {'$gt': 25, '$lt': 60}}
    """
    return _Compiler(resolver).compile(predicate)


def compile_element(
    predicate: Predicate, resolver: FieldResolver | None, path: str
) -> list[Filter]:
    """Return the operands of `$elemMatch`; an element must meet one of them.

    Parameters:
        predicate: The condition on elements.
        resolver: The model's fields; None accepts any name.
        path: The path of the array.

    Raises:
        UnknownFieldError: The predicate names a field that the elements lack.
        QueryError: MongoDB cannot express it.
    """
    return _Compiler(resolver, path).element(predicate)


class _Compiler(NamedTuple):
    """Compiles conditions on documents or, with a prefix, on the elements of the array there."""

    resolver: FieldResolver | None
    prefix: str = ""

    def compile(self, predicate: Predicate) -> Filter:
        match predicate:
            case Comparison():
                return self._comparison(predicate)
            case TextMatch():
                return self._text_match(predicate)
            case OperatorCondition(path, operators):
                return _at(self._resolve(path).path, encode_raw(operators, path))
            case ElementMatch():
                return self._element_match(predicate)
            case And(operands):
                return _all_of([self.compile(operand) for operand in _flat(operands, And)])
            case Or(operands):
                return _any_of([self.compile(operand) for operand in _flat(operands, Or)])
            case Not(operand):
                return _none_of([self.compile(operand)])
            case Raw(filter):
                return dict(filter)
            case Text(options):
                return {"$text": dict(options)}
            case _:
                raise QueryError(f"{predicate!r} is not a condition")

    def _resolve(self, path: str) -> ResolvedField:
        full = join(self.prefix, path)
        if not full:
            raise QueryError(
                "a condition outside elem_match needs a field", hint='fld["age"] > 25, u.age > 25'
            )
        if self.resolver is None:
            return ResolvedField(path, to_bson)
        field = self.resolver.resolve(full)
        if not self.prefix:
            return field
        array = self.resolver.resolve(self.prefix).path
        return field._replace(path=field.path.removeprefix(array).removeprefix("."))

    def _comparison(self, comparison: Comparison) -> Filter:
        field = self._resolve(comparison.path)
        if field.variants:
            compile_one = partial(_compared_by_class, comparison)
            return by_class(field, compile_one, comparison.operator)
        return _compared(comparison, field)

    def _text_match(self, match: TextMatch) -> Filter:
        field = self._resolve(match.path)
        if field.variants:
            return by_class(field, partial(_matched, match), "regex")
        return _matched(match, field)

    def _element_match(self, match: ElementMatch) -> Filter:
        array = self._resolve(match.path).path
        path = join(self.prefix, match.path)
        operands = compile_element(match.predicate, self.resolver, path)
        return _any_of([_at(array, {"$elemMatch": operand}) for operand in operands])

    def element(self, predicate: Predicate) -> list[Filter]:
        """Return the alternatives of a condition on the elements of the array at `prefix`."""
        if not is_plain(predicate):
            return [self.compile(predicate)]
        return [
            _merged_operators(map(self._element_comparison, comparisons), predicate)
            for comparisons in alternatives(_expanded(predicate))
        ]

    def _element_comparison(self, comparison: Predicate) -> Filter:
        if isinstance(comparison, Not):
            return {"$not": self.compile(comparison.operand)}
        return self.compile(comparison)


def _compared(comparison: Comparison, field: ResolvedField) -> Filter:
    check_comparison(field, comparison)
    if comparison.operator in ("in", "nin", "all"):
        values = [field.compared(value) for value in comparison.value]
        return _membership(field.path, comparison.operator, values)
    value = field.compared(comparison.value, is_bound=comparison.operator in _ORDERINGS)
    if comparison.operator == "ne" and _is_pattern(value):
        return _at(field.path, {"$not": {"$eq": value}})
    return _at(field.path, {f"${comparison.operator}": value})


def _compared_by_class(comparison: Comparison, field: ResolvedField) -> Filter:
    """Compile a comparison for some classes of a family, whose field may not have all values."""
    if comparison.operator not in ("in", "nin"):
        return _compared(comparison, field)
    readable: list[Any] = []
    refusal: QueryError | None = None
    for value in comparison.value:
        try:
            field.compared(value)
        except QueryError as error:
            refusal = refusal or error
        else:
            readable.append(value)
    if refusal is not None and not readable:
        raise refusal
    return _compared(Comparison(comparison.path, comparison.operator, tuple(readable)), field)


def _matched(match: TextMatch, field: ResolvedField) -> Filter:
    encoded = field.encode(match.text)
    literal = encoded if isinstance(encoded, str) else match.text
    if "\0" in literal:
        raise QueryError(f"{match.text!r} has a NUL character, which a pattern cannot contain")
    operators = {"$regex": match.pattern.format(re.escape(literal))}
    if match.ignore_case:
        operators["$options"] = "i"
    return _at(field.path, operators)


def _expanded(predicate: Predicate) -> Predicate:
    """Return a predicate with `$in` and `$nin` as equalities where they would misread a value."""
    match predicate:
        case Comparison(path, "in" | "nin" as operator, values) if any(
            map(_is_misread, map(to_bson, values))
        ):
            each = tuple(Comparison(path, "eq", value) for value in values)
            return Or(each) if operator == "in" else Not(Or(each))
        case And(operands):
            return And(tuple(map(_expanded, operands)))
        case Or(operands):
            return Or(tuple(map(_expanded, operands)))
        case Not(operand):
            return Not(_expanded(operand))
        case _:
            return predicate


def _merged_operators(parts: Iterable[Filter], predicate: Predicate) -> Filter:
    merged: Filter = {}
    for part in parts:
        for operator, operand in part.items():
            if not operator.startswith("$") or (operator in merged and operator != "$ne"):
                raise QueryError(
                    f"one $elemMatch cannot express {predicate!r}",
                    hint="over plain values, use each operator once and name no fields",
                )
            if operator == "$ne" and "$ne" in merged:
                merged["$nin"] = [*merged.get("$nin", []), merged.pop("$ne")]
            merged[operator] = operand
    return merged


def _at(path: str, operators: Filter) -> Filter:
    return {path: operators} if path else operators


def _membership(path: str, operator: str, values: Sequence[Any]) -> Filter:
    if not any(map(_is_misread, values)):
        return _at(path, {f"${operator}": list(values)})
    each = [_at(path, {"$eq": value}) for value in values]
    if operator == "in":
        return _any_of(each)
    return _none_of(each) if operator == "nin" else _all_of(each)


def _is_misread(value: Any) -> bool:
    """Say whether `$in`, `$nin` and `$all` read a value as an operator or a pattern."""
    if is_mapping(value):
        return str(next(iter(value), "")).startswith("$")
    return _is_pattern(value)


def _is_pattern(value: Any) -> bool:
    return isinstance(value, re.Pattern | Regex)


def _flat(operands: Iterable[Predicate], kind: type[And] | type[Or]) -> list[Predicate]:
    flat: list[Predicate] = []
    for operand in operands:
        flat.extend(_flat(operand.operands, kind) if isinstance(operand, kind) else [operand])
    return flat


def _any_of(filters: Sequence[Filter]) -> Filter:
    return filters[0] if len(filters) == 1 else {"$or": list(filters)}


def _none_of(filters: Sequence[Filter]) -> Filter:
    return {"$nor": list(filters)}


def _all_of(filters: Sequence[Filter]) -> Filter:
    merged: Filter = {}
    for part in filters:
        if not _merge(merged, part):
            return {"$and": [part for part in filters if part]}
    return merged


def _merge(merged: Filter, part: Filter) -> bool:
    """Add a filter to another in place; return False if they have operators in common."""
    for key, value in part.items():
        present = merged.get(key)
        if key not in merged:
            merged[key] = dict(value) if _is_operators(value) else value
        elif key.startswith("$"):  # an operator such as $expr has an operand, not operators
            return False
        elif _is_operators(present) and _is_operators(value) and present.keys().isdisjoint(value):
            present.update(value)
        else:
            return False
    return True


def _is_operators(value: object) -> TypeGuard[Filter]:
    return is_dict(value) and bool(value) and all(key.startswith("$") for key in value)
