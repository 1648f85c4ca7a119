"""An immutable sequence of aggregation stages, and checks of stages."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from ..errors import QueryError
from ..type_guards import is_mapping, is_sequence
from .expressions import Predicate
from .fields import Field
from .filter_compiler import compile_predicate
from .raw_values import encode_stage

Document = Mapping[str, Any]
_WRITING_METHODS = {"$out": "out", "$merge": "merge_into"}


class StageSequence:
    """An immutable sequence of stages; a method that adds a stage returns a new one."""

    __slots__ = ("_stages",)

    _stages: tuple[dict[str, Any], ...]

    def __init__(self, *stages: Document) -> None:
        self._stages = tuple(map(_checked_stage, stages))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.to_list())

    def __len__(self) -> int:
        return len(self._stages)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StageSequence) and repr(self) == repr(other)

    def __hash__(self) -> int:
        # By text: the order of keys matters in a stage, and dicts do not compare it.
        return hash(repr(self))

    def __add__(self, other: Self) -> Self:
        return self._with_stages(*other._stages)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._stages))})"

    def to_list(self) -> list[dict[str, Any]]:
        """Return the stages as a list of dicts, a copy that the caller may change."""
        return copy.deepcopy(list(self._stages))

    def raw(self, stage: Document) -> Self:
        """Add a stage given as a dict.

        Raises:
            QueryError: It is not a stage, or BSON has no form for a value in it; or it is a stage
                that writes: use `out` or `merge_into` for those.
        """
        return self._with_stages(_checked_stage(stage))

    def _with_stages(self, *stages: dict[str, Any]) -> Self:
        longer = type(self)()
        longer._stages = (*self._stages, *stages)
        return longer

    def _then(self, name: str, operand: Any) -> Self:
        return self._with_stages(encode_stage({f"${name}": operand}, _in_stage))

    def _then_options(self, name: str, **options: Any) -> Self:
        present = {key: value for key, value in options.items() if value is not None}
        return self._then(name, {key: compiled_option(value) for key, value in present.items()})


def _checked_stage(stage: Document) -> dict[str, Any]:
    check_stage(stage)
    return encode_stage(stage, _in_stage)


def _in_stage(value: Any) -> Any:
    """Return what stands in a stage for an object of the query language: stages, a field."""
    if isinstance(value, StageSequence):
        return sub_pipeline(value)
    return f"${value.path}" if isinstance(value, Field) else value


def check_stage(stage: object) -> None:
    """Raise `QueryError` unless the value is one stage, and does not write."""
    if not is_mapping(stage) or len(stage) != 1:
        raise QueryError(f"{stage!r} is not a stage", hint='a stage is {"$name": operand}')
    (name,) = stage
    if not isinstance(name, str) or not name.startswith("$"):
        raise QueryError(f"{name!r} is not a stage", hint='a stage is {"$name": operand}')
    if name in _WRITING_METHODS:
        raise QueryError(
            f"{name} writes to a collection, and is refused as a dict and inside other stages",
            hint=f"use {_WRITING_METHODS[name]}(…) at the end of the pipeline",
        )
    _check_operand(stage[name])


def _check_operand(operand: Any) -> None:
    """Raise `QueryError` if a pipeline inside an operand writes."""
    if is_mapping(operand):
        for value in operand.values():
            _check_operand(value)
    elif is_sequence(operand):
        for item in operand:
            if is_mapping(item) and not _WRITING_METHODS.keys().isdisjoint(item):
                check_stage({key: item[key] for key in item if key in _WRITING_METHODS})
            _check_operand(item)


def compiled_option(value: Any) -> Any:
    """Return an option of a stage: stages as a list, a predicate as a filter, others unchanged."""
    if isinstance(value, StageSequence):
        return value.to_list()
    if isinstance(value, Predicate):
        return compile_predicate(value, None)
    return value


def sub_pipeline(stages: StageSequence | Sequence[Document]) -> list[dict[str, Any]]:
    """Return the stages of a sub-pipeline as a list."""
    return StageSequence(*stages).to_list()
