"""Encodes the values in raw filters, stages and expressions as those of documents are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import EncodingError, QueryError
from ..type_guards import is_mapping, is_sequence
from ..types.values import key_to_bson, to_bson


def encode_raw(value: Any, place: str, replace: Callable[[Any], Any] | None = None) -> Any:
    """Return a copy of a value of any depth that BSON can represent.

    Parameters:
        value: A filter, a stage, an expression or a part of one.
        place: Where it was given, for errors: `"raw()"`.
        replace: Returns what stands for an object of Loom's, such as a field; without it, such an
            object is refused.

    Raises:
        QueryError: BSON has no form for a value.

    Example:
        >>> from decimal import Decimal
        >>> encode_raw({"price": {"$in": {Decimal("1.50")}}}, "raw()")
        {'price': {'$in': [Decimal128('1.50')]}}
    """
    try:
        return _encoded(value, place, replace, "")
    except RecursionError:
        raise QueryError(f"{place}: a value contains itself, or is nested too deeply") from None


def _encoded(value: Any, place: str, replace: Callable[[Any], Any] | None, path: str) -> Any:
    if is_mapping(value):
        return {
            key_to_bson(key): _encoded(item, place, replace, _below(path, key))
            for key, item in value.items()
        }
    if is_sequence(value):
        return [
            _encoded(item, place, replace, _below(path, index)) for index, item in enumerate(value)
        ]
    if _is_of_the_query_language(value):
        if replace is None or (replaced := replace(value)) is value:
            raise QueryError(
                f"{_at(place, path)}: {value!r} is no value",
                hint="write fields as MongoDB does there: '$age' in an expression",
            )
        return replaced
    try:
        return to_bson(value)
    except EncodingError as error:
        raise QueryError(f"{_at(place, path)}: {error.reason}", hint=error.hint) from error


def encode_stage(stage: Mapping[str, Any], replace: Callable[[Any], Any]) -> dict[str, Any]:
    """Return a copy of a stage that BSON can represent; the parameters are as for `encode_raw`.

    Raises:
        QueryError: BSON has no form for a value.
    """
    return {name: encode_raw(operand, name, replace) for name, operand in stage.items()}


def _is_of_the_query_language(value: Any) -> bool:
    # A predicate is a dataclass, which would be encoded as a document.
    return type(value).__module__.startswith(f"{__package__}.")


def _below(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _at(place: str, path: str) -> str:
    return f"{place} at {path!r}" if path else place
