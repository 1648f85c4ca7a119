"""The `_id` and the accumulators of `group_by(...).acc(...)`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..errors import QueryError
from ..type_guards import is_mapping


@dataclass(frozen=True, slots=True)
class Accumulator:
    """What `group_by(...).acc(...)` gathers of a group: a MongoDB accumulator over a field."""

    operator: str
    path: str | None = None


def count() -> Accumulator:
    """Return the accumulator that counts the rows of a group.

    Example:
        >>> import loom_async as lm
        >>> lm.count()
        Accumulator(operator='$count', path=None)
    """
    return Accumulator("$count")


Accumulators: TypeAlias = Mapping[str, Accumulator | Mapping[str, Any]]


def group_key(paths: Sequence[str]) -> Any:
    """Return the `_id` of a group: none for the whole, a path, or a document of paths."""
    if not paths:
        return None
    if len(paths) == 1:
        return f"${paths[0]}"
    names = [path.replace(".", "_") for path in paths]
    if len(set(names)) < len(names):
        raise QueryError(
            f"group_by({', '.join(map(repr, paths))}): two of the keys would have the same name",
            hint="group by agg(AggregationStages().group(...)), which names the keys",
        )
    return {name: f"${path}" for name, path in zip(names, paths, strict=True)}


def compile_accumulators(
    accumulators: Accumulators, stored: Callable[[str], str]
) -> dict[str, dict[str, Any]]:
    """Return the accumulators of a `$group` stage.

    Parameters:
        accumulators: By name of the result.
        stored: Gives the stored path of a field, or raises `UnknownFieldError`.

    Raises:
        QueryError: Something is no accumulator.
    """
    if "_id" in accumulators:
        raise QueryError("acc(_id=…): the keys of a group are named by group_by")
    return {name: _compile(name, value, stored) for name, value in accumulators.items()}


def _compile(name: str, value: object, stored: Callable[[str], str]) -> dict[str, Any]:
    if isinstance(value, Accumulator):
        return {value.operator: f"${stored(value.path)}" if value.path is not None else {}}
    if is_mapping(value) and len(value) == 1 and str(next(iter(value))).startswith("$"):
        return deepcopy(dict(value))
    raise QueryError(
        f"acc({name}={value!r}) is no accumulator",
        hint='fld["age"].avg(), count() or {"$avg": "$age"}',
    )
