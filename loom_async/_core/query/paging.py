"""Keyset pagination: a page begins after the sort values of the last document of the page before.

A token holds these values. MongoDB sorts values of different types in a fixed order (its manual,
"Comparison/Sort Order"), but its comparison operators match values of one type only, so the filter
of a page also names the types that come later.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bson import DBRef, Decimal128, Regex
from bson.datetime_ms import DatetimeMS
from bson.errors import BSONError

from ..bson_codec import decode_bson, encode_bson
from ..errors import QueryError
from ..model.document_encoding import encode_document
from ..type_guards import is_dict, is_list
from ..types.values import bson_type_of
from .query_spec import QuerySpec, SortKeys

T = TypeVar("T")

# BSON types in sort order; the values of the types in one group are compared with each other.
_GROUPS: tuple[tuple[str, ...], ...] = (
    ("minKey",),
    ("null",),
    ("int", "long", "double", "decimal"),
    ("string", "symbol"),
    ("object",),
    ("array",),
    ("binData",),
    ("objectId",),
    ("bool",),
    ("date",),
    ("timestamp",),
    ("regex",),
    ("dbPointer",),
    ("javascript",),
    ("javascriptWithScope",),
    ("maxKey",),
)
_NULL, _NUMBERS = 1, 2
# No filter selects the values after an array or a regular expression: a token cannot hold one.
_INCOMPARABLE = ("array", "regex")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of results, and the token for the next page.

    Parameters:
        items: The results on this page.
        next: The token for the next page: `page(size, after=token)`; None on the last page.
    """

    items: list[T]
    next: str | None


def page_spec(spec: QuerySpec, after: str | None, collection: str) -> QuerySpec:
    """Return the query of a page: sorted without ties, and beginning after a token.

    Parameters:
        spec: A query of filters and sort keys.
        after: The token of the page before; None for the first page.
        collection: The name of the collection; tokens of other collections are refused.

    Raises:
        QueryError: The query has other clauses, or the token belongs to another query.
    """
    if spec.stages or spec.skip or spec.limit is not None:
        raise QueryError(
            "page() takes a query of filters and sort keys alone: it limits the results itself",
            hint="leave out skip(), limit(), sample() and stages",
        )
    sorted_spec = spec.with_sort((("_id", 1),))
    if after is None:
        return sorted_spec
    values = _token_values(after, sorted_spec, collection)
    return sorted_spec.with_filter(_after_filter(sorted_spec.sort, values))


def page_token(spec: QuerySpec, document: Mapping[str, Any], collection: str) -> str:
    """Return the token of the page that follows a document.

    Parameters:
        spec: The query of the first page, as `page_spec` returns it.
        document: The document as it is stored.
        collection: As for `page_spec`.

    Raises:
        QueryError: As `sort_values`.
    """
    values = sort_values(spec, document)
    content = encode_bson({"q": _query_digest(spec, collection), "v": values})
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _query_digest(spec: QuerySpec, collection: str) -> bytes:
    # Another name than "place" would invalidate the tokens that callers hold.
    query = {"place": collection, "filter": spec.filter, "sort": list(spec.sort)}
    if spec.options.collation is not None:
        query["collation"] = dict(spec.options.collation)
    return hashlib.sha256(encode_document(query)).digest()[:9]


def _token_values(token: str, spec: QuerySpec, collection: str) -> list[Any]:
    """Return the sort values that a token holds."""
    hint = "pass the `next` of the page before, and page through the same query"
    try:
        content = decode_bson(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        digest, values = content["q"], content["v"]
    except (BSONError, binascii.Error, ValueError, KeyError, TypeError) as error:
        raise QueryError(f"{token!r:.60} is not the token of a page", hint=hint) from error
    if digest != _query_digest(spec, collection):
        raise QueryError("the token belongs to another query", hint=hint)
    if not is_list(values) or len(values) != len(spec.sort):
        raise QueryError(f"{token!r:.60} is not the token of a page", hint=hint)
    return values


def sort_values(spec: QuerySpec, document: Mapping[str, Any]) -> list[Any]:
    """Return the values that a document is sorted by.

    Raises:
        QueryError: One is an array, which MongoDB sorts by its smallest or largest element, or of a
            type that no filter can compare.
    """
    if spec.options.collation is not None and isinstance(document.get("_id"), str | dict | list):
        raise QueryError(
            f"page() cannot use a collation with the id {document['_id']!r}: strings that the "
            "collation takes for equal have no order",
            hint="leave out the collation, or use a model whose ids have no strings",
        )
    return [_sort_value(document, path) for path, _ in spec.sort]


def _sort_value(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for key in path.split("."):
        if is_list(value):
            break
        value = value.get(key) if is_dict(value) else None
    kind = _incomparable_kind(value)
    if kind is not None:
        raise QueryError(
            f"page() cannot sort by {path}, which is {kind} in document {document.get('_id')!r}",
            hint="sort by a field with a single value that can be compared",
        )
    return value


def _incomparable_kind(value: Any) -> str | None:
    """Return the kind of a value that no filter can begin after; None for other values."""
    if is_list(value):
        return "an array"
    if isinstance(value, Regex):
        return "a regular expression"
    if isinstance(value, DatetimeMS):
        return "a date after the year 9999"
    # The driver decodes a DBPointer to a DBRef too, and it sorts differently.
    return "a reference" if isinstance(value, DBRef) else None


def _after_filter(keys: SortKeys, values: Sequence[Any]) -> dict[str, Any]:
    """Return the filter for documents that sort after the given values of the sort keys."""
    alternatives: list[dict[str, Any]] = []
    equal: list[dict[str, Any]] = []
    for (path, direction), value in zip(keys, values, strict=True):
        filters = _later_filters(path, value, ascending=direction > 0)
        alternatives += [{"$and": [*equal, filter]} for filter in filters]
        equal.append({path: {"$eq": value}})
    return {"$or": alternatives} if alternatives else {"$nor": [{}]}


def _later_filters(path: str, value: Any, *, ascending: bool) -> list[dict[str, Any]]:
    """Return filters; a field that sorts after the value matches one of them."""
    group = _group_index(value)
    filters: list[dict[str, Any]] = []
    if group != _NULL and not _is_nan(value):
        filters.append({path: {"$gt" if ascending else "$lt": value}})
    if group == _NUMBERS and _is_nan(value) == ascending:  # NaN sorts before all other numbers
        filters.append({path: {"$gte": -math.inf}} if ascending else {path: {"$eq": math.nan}})
    later = _GROUPS[group + 1 :] if ascending else _GROUPS[:group]
    types = [name for names in later for name in names if name != "null"]
    if types:
        filters.append({path: {"$type": types}})
    if ("null",) in later:
        filters.append({path: {"$eq": None}})  # matches missing fields too
        # An empty array sorts before null. It must match, so that it is refused, not skipped.
        filters.append({path: {"$size": 0}})
    return filters


def _group_index(value: Any) -> int:
    """Return the index of the group of a value's type in `_GROUPS`."""
    name = bson_type_of(value)
    for index, names in enumerate(_GROUPS):
        if name in names and name not in _INCOMPARABLE:
            return index
    raise QueryError(f"page() cannot sort by {value!r}, a {type(value).__name__}")


def _is_nan(value: Any) -> bool:
    if isinstance(value, Decimal128):
        return value.to_decimal().is_nan()
    return isinstance(value, float) and math.isnan(value)
