"""The `_id` and the accumulators of `group_by(...).acc(...)`; `count()` is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..errors import QueryError
from ..type_guards import is_mapping
from .raw_values import encode_raw


@dataclass(frozen=True, slots=True)
class Accumulator:
    """A MongoDB accumulator over a field, for `group_by(...).acc(...)`."""

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
    """Return the `_id` of a `$group` stage: None, one path, or a document of several."""
    if not paths:
        return None
    if len(paths) == 1:
        return f"${paths[0]}"
    names = [path.replace(".", "_") for path in paths]
    if len(set(names)) < len(names):
        raise QueryError(
            f"group_by({', '.join(map(repr, paths))}): two keys would have the same name",
            hint="use agg(AggregationStages().group(...)), where you name the keys",
        )
    return {name: f"${path}" for name, path in zip(names, paths, strict=True)}


def compile_accumulators(
    accumulators: Accumulators,
    stored_path: Callable[[str], str],
    as_expression: Callable[[Any], Any],
) -> dict[str, dict[str, Any]]:
    """Return the accumulators of a `$group` stage.

    Parameters:
        accumulators: The accumulators by the name of their result.
        stored_path: Returns the stored path of a field, or raises `UnknownFieldError`.
        as_expression: Returns the expression of a field inside an accumulator of MongoDB's.

    Raises:
        QueryError: A value is not an accumulator.
    """
    if "_id" in accumulators:
        raise QueryError("acc(_id=…): _id holds the keys given to group_by")
    compiled: dict[str, dict[str, Any]] = {}
    for name, value in accumulators.items():
        if isinstance(value, Accumulator):
            operand: Any = {} if value.path is None else f"${stored_path(value.path)}"
            compiled[name] = {value.operator: operand}
        else:
            compiled[name] = encode_raw(_checked(name, value), f"acc({name}=…)", as_expression)
    return compiled


def _checked(name: str, value: object) -> Mapping[str, Any]:
    if is_mapping(value) and len(value) == 1 and str(next(iter(value))).startswith("$"):
        return value
    raise QueryError(
        f"acc({name}={value!r}) is not an accumulator",
        hint='write fld["age"].avg(), count() or {"$avg": "$age"}',
    )
