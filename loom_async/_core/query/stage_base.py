"""The immutable sequence behind `AggregationStages`."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from ..errors import QueryError
from ..type_guards import is_mapping, is_sequence
from .expressions import Predicate
from .filter_compiler import compile_predicate

Document = Mapping[str, Any]
_WRITING = {"$out": "out", "$merge": "merge_into"}


class StageSequence:
    """An immutable sequence of stages; every method returns a longer one."""

    __slots__ = ("_stages",)

    _stages: tuple[dict[str, Any], ...]

    def __init__(self, *stages: Document) -> None:
        for stage in stages:
            check_stage(stage)
        self._stages = tuple(copy.deepcopy(dict(stage)) for stage in stages)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.to_list())

    def __len__(self) -> int:
        return len(self._stages)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StageSequence) and repr(self) == repr(other)

    def __hash__(self) -> int:
        # By text: the order of keys is part of a stage, and dicts do not compare it.
        return hash(repr(self))

    def __add__(self, other: Self) -> Self:
        return self._extended(*other._stages)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._stages))})"

    def to_list(self) -> list[dict[str, Any]]:
        """Return the pipeline as MongoDB reads it; the caller may change it."""
        return copy.deepcopy(list(self._stages))

    def raw(self, stage: Document) -> Self:
        """Return the stages followed by one written as MongoDB reads it.

        Raises:
            QueryError: It is no stage, or one that writes: those are `out` and `merge_into`.
        """
        check_stage(stage)
        return self._extended(copy.deepcopy(dict(stage)))

    def _extended(self, *stages: dict[str, Any]) -> Self:
        longer = type(self)()
        longer._stages = (*self._stages, *stages)
        return longer

    def _then(self, name: str, operand: Any) -> Self:
        return self._extended({f"${name}": copy.deepcopy(operand)})

    def _then_options(self, name: str, **options: Any) -> Self:
        given = {key: value for key, value in options.items() if value is not None}
        return self._then(name, {key: pipeline_or_value(value) for key, value in given.items()})


def check_stage(stage: object) -> None:
    """Raise `QueryError` unless this is one stage that only reads."""
    if not is_mapping(stage) or len(stage) != 1:
        raise QueryError(f"{stage!r} is no stage", hint='a stage is {"$name": operand}')
    (name,) = stage
    if not isinstance(name, str) or not name.startswith("$"):
        raise QueryError(f"{name!r} is no stage", hint='a stage is {"$name": operand}')
    if name in _WRITING:
        raise QueryError(
            f"{name} writes to a collection and is not taken raw", hint=f"use {_WRITING[name]}(…)"
        )
    check_reading(stage[name])


def check_reading(operand: Any) -> None:
    """Raise `QueryError` if a pipeline inside an operand writes."""
    if is_mapping(operand):
        for value in operand.values():
            check_reading(value)
    elif is_sequence(operand):
        for item in operand:
            if is_mapping(item) and not _WRITING.keys().isdisjoint(item):
                check_stage({key: item[key] for key in item if key in _WRITING})
            check_reading(item)


def pipeline_or_value(value: Any) -> Any:
    """Return a sub-pipeline as a list, a condition as a filter, anything else as it is."""
    if isinstance(value, StageSequence):
        return value.to_list()
    if isinstance(value, Predicate):
        return compile_predicate(value, None)
    return value


def sub_pipeline(stages: StageSequence | Sequence[Document]) -> list[dict[str, Any]]:
    """Return the stages of a sub-pipeline as a list."""
    return StageSequence(*stages).to_list()
