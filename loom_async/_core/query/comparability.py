"""Which comparisons and orders of a field are those of Python; others raise `QueryError`."""

from __future__ import annotations

from typing import Any

from ..errors import QueryError
from .expressions import Comparison
from .paths import ResolvedField

_ORDERS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def check_comparison(field: ResolvedField, comparison: Comparison) -> None:
    """Raise `QueryError` if MongoDB would not compare the stored values as Python compares values.

    Parameters:
        field: The field, as it is stored.
        comparison: A comparison with one value, or with several.
    """
    if not field.codec.is_deterministic and not _is_null(comparison.value):
        raise QueryError(
            f"{comparison!r}: equal values of {comparison.path!r} have different stored forms",
            hint="StoredAs(…, deterministic=False) allows is_null() and is_exists() alone",
        )
    sign = _ORDERS.get(comparison.operator)
    if sign is not None and not field.codec.is_ordered_with(comparison.value):
        raise QueryError(
            f"{comparison.path!r} {sign} {comparison.value!r}: MongoDB does not order the stored "
            "values as Python orders these",
            hint="compare with == or is_in(); the types with an order are listed in the guide "
            "on models",
        )


def check_sortable(field: ResolvedField, path: str) -> None:
    """Raise `QueryError` if MongoDB would not sort the stored values as Python sorts the values.

    Parameters:
        field: The field, as it is stored.
        path: The path as the caller has written it.
    """
    if not field.codec.is_sortable:
        raise QueryError(
            f"MongoDB does not sort the stored values of {path!r} as Python sorts the values",
            hint="sort the loaded objects, or choose an ordered stored form: "
            "lm.StoredAs(…, ordered=True)",
        )


def _is_null(value: Any) -> bool:
    return value is None or value == (None,)
