"""Conditions over plain array elements, in the only form `$elemMatch` takes there.

Over values `$elemMatch` knows operators but no `$and`, `$or` or `$nor`. One element that meets
"a or b" is one that meets a, or one that meets b: so a condition is brought into alternatives of
comparisons, each of which is an `$elemMatch` of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from .expressions import And, Comparison, Not, OperatorCondition, Or, Predicate, TextMatch

_OPPOSITES = {"eq": "ne", "ne": "eq", "in": "nin", "nin": "in"}


def is_plain(predicate: Predicate) -> bool:
    """Say whether a predicate is about the element itself, not about fields of it."""
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
    """Return the alternatives of a predicate, each of comparisons that must all be met."""
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
        yield tuple(leaf for part in choice for leaf in part)
