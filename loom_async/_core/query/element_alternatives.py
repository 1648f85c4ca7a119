"""Conditions on plain values in arrays, in disjunctive normal form.

On plain values `$elemMatch` takes operators, but no `$and`, `$or` or `$nor`. An element meets
"a or b" if it meets a or meets b, so each alternative becomes an `$elemMatch` of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from .expressions import And, Comparison, Not, OperatorCondition, Or, Predicate, TextMatch

_OPPOSITES = {"eq": "ne", "ne": "eq", "in": "nin", "nin": "in"}


def is_plain(predicate: Predicate) -> bool:
    """Say whether a predicate tests the element itself, not fields of it."""
    match predicate:
        case And(operands) | Or(operands):
            return any(map(is_plain, operands))
        case Not(operand):
            return is_plain(operand)
        case Comparison(path=path) | TextMatch(path=path) | OperatorCondition(path=path):
            return not path
        case _:
            return False


def alternatives(predicate: Predicate) -> list[tuple[Predicate, ...]]:
    """Return the alternatives of a predicate: tuples of comparisons that must all be met."""
    return list(_alternatives(predicate, negated=False))


def _alternatives(predicate: Predicate, *, negated: bool) -> Iterator[tuple[Predicate, ...]]:
    match predicate:
        case Not(operand):
            yield from _alternatives(operand, negated=not negated)
        case And(operands) if not negated:
            yield from _all_of(operands, negated)
        case Or(operands) if negated:
            yield from _all_of(operands, negated)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _alternatives(operand, negated=negated)
        case Comparison(path, operator, value) if negated and operator in _OPPOSITES:
            yield (Comparison(path, _OPPOSITES[operator], value),)
        case _:
            yield (Not(predicate) if negated else predicate,)


def _all_of(operands: tuple[Predicate, ...], negated: bool) -> Iterator[tuple[Predicate, ...]]:
    choices = [list(_alternatives(operand, negated=negated)) for operand in operands]
    for choice in product(*choices):
        yield tuple(comparison for alternative in choice for comparison in alternative)
