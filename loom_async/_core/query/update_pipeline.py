"""Compiles an update that is an aggregation pipeline: its stages set and unset fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import QueryError
from ..type_guards import is_mapping, is_sequence
from .fields import Field
from .paths import FieldResolver
from .raw_values import encode_raw

_SETTING = ("$set", "$addFields")
_HINT = 'update([{"$set": {"total": {"$add": ["$price", "$tax"]}}}, {"$unset": "note"}])'


def compile_pipeline(
    resolver: FieldResolver,
    stages: Sequence[Any],
    *,
    auto_values: Mapping[str, Any],
    revision: str | None = None,
) -> list[dict[str, Any]]:
    """Return the pipeline of an update; the parameters are as for `compile_update`.

    The fields that a stage sets or unsets are names of the model; expressions are MongoDB's, with
    stored names.

    Raises:
        UnknownFieldError: The model lacks a field.
        QueryError: There is nothing to update, or a stage does more than set and unset fields.
    """
    if not stages:
        raise QueryError("there is nothing to update", hint=_HINT)
    pipeline = [_compiled(resolver, stage, revision) for stage in stages]
    updated = {path for stage in pipeline for path in _paths(stage)}
    missing = {path: {"$literal": v} for path, v in auto_values.items() if path not in updated}
    if revision is not None:
        missing[revision] = {"$add": [{"$ifNull": [f"${revision}", 0]}, 1]}
    return [*pipeline, {"$set": missing}] if missing else pipeline


def _compiled(resolver: FieldResolver, stage: Any, revision: str | None) -> dict[str, Any]:
    if not is_mapping(stage) or len(stage) != 1:
        raise QueryError(f"{stage!r} is not a stage of an update", hint=_HINT)
    ((name, operand),) = stage.items()
    if name in _SETTING and is_mapping(operand):
        return {
            "$set": {
                _path(resolver, field, revision): _expression(resolver, field, value)
                for field, value in operand.items()
            }
        }
    if name == "$unset":
        fields = operand if is_sequence(operand) else [operand]
        return {"$unset": [_path(resolver, field, revision) for field in fields]}
    raise QueryError(
        f"{stage!r} is not a stage of an update, which can be $set, $addFields and $unset",
        hint=_HINT,
    )


def _path(resolver: FieldResolver, field: Any, revision: str | None) -> str:
    path = resolver.resolve(field.path if isinstance(field, Field) else field).path
    if path == "_id":
        raise QueryError("the id of a document never changes", hint="insert a new document")
    if path == revision:
        raise QueryError(f"{revision} counts the writes and cannot be set", hint="leave it out")
    return path


def _expression(resolver: FieldResolver, field: str, value: Any) -> Any:
    """Return an expression: the value of a field as one, or MongoDB's with encoded values."""

    def as_path(part: Any) -> Any:
        return f"${resolver.resolve(part.path).path}" if isinstance(part, Field) else part

    if _is_expression(value):
        return encode_raw(value, f"the expression of {field!r}", as_path)
    found = resolver.resolve(field)
    if value is None and found.is_left_out:
        return "$$REMOVE"
    return {"$literal": found.encode(value)}


def _is_expression(value: Any) -> bool:
    """Say whether a value is computed by the server: a path, an operator, or an array with one."""
    if is_sequence(value):
        return any(map(_is_expression, value))
    is_path = isinstance(value, str) and value.startswith("$")
    return is_path or is_mapping(value) or isinstance(value, Field)


def _paths(stage: Mapping[str, Any]) -> list[str]:
    (operand,) = stage.values()
    return list(operand)
