"""Conditions on a field that the classes of a family store in different ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import EncodingError, QueryError
from .paths import ResolvedField

Filter = dict[str, Any]

# Documents whose field cannot have the value meet these.
_NEGATIVE = ("ne", "nin")


def by_class(
    field: ResolvedField, compile_one: Callable[[ResolvedField], Filter], operator: str
) -> Filter:
    """Return the filter of a condition, compiled for each class by itself where they differ.

    Parameters:
        field: A field with variants.
        compile_one: Returns the filter for a field without variants.
        operator: MongoDB's name of the operator without its dollar sign.

    Raises:
        QueryError: No class can store the value.
    """
    filters: list[Filter | None] = []
    refusal: QueryError | EncodingError | None = None
    for variant in field.variants:
        own = field._replace(
            encode=variant.encode, literal=variant.literal, codec=variant.codec, variants=()
        )
        try:
            filters.append(compile_one(own))
        except (QueryError, EncodingError) as error:
            refusal = refusal or error
            filters.append({} if operator in _NEGATIVE else None)
    if refusal is not None and not any(filters):
        raise refusal
    if all(repr(one) == repr(filters[0]) for one in filters):
        return dict(filters[0] or {})
    alternatives = [
        {"$and": [dict(variant.condition), one]} if one else dict(variant.condition)
        for variant, one in zip(field.variants, filters, strict=True)
        if one is not None
    ]
    return alternatives[0] if len(alternatives) == 1 else {"$or": alternatives}
