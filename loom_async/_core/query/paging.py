"""Pages by the values they are sorted by, so that what is inserted meanwhile moves none of them.

A page ends with a token: the sort values of its last document. The next one begins after these, in
the order that MongoDB sorts values of all types in (MongoDB manual, "Comparison/Sort Order"). The
comparison operators of a query compare values of one type alone, so values of later types are named
by their types.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import NoneType
from typing import Any, Generic, TypeVar
from uuid import UUID

from bson import Code, DBRef, Decimal128, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.errors import BSONError

from ..bson_codec import decode_bson, encode_bson
from ..errors import QueryError
from ..model.document_encoding import encode_document
from ..type_guards import is_dict, is_list
from .query_spec import QuerySpec, SortKeys

T = TypeVar("T")

# The order of types; those of one group are compared by their values.
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


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some results of a query, and what to ask for the next ones with.

    Parameters:
        items: The results.
        next: The token of the next page; None if this is the last.
    """

    items: list[T]
    next: str | None


def paged(spec: QuerySpec, after: str | None, place: str) -> QuerySpec:
    """Return the query of a page: in an order without ties, beginning after a token.

    Parameters:
        spec: A query of filters and sort keys.
        after: The token of the page before; None for the first page.
        place: The name of the collection, so that tokens of others are told from its own.

    Raises:
        QueryError: The query has other clauses, or the token is not one of this query's.
    """
    if spec.stages or spec.skip or spec.limit is not None:
        raise QueryError(
            "page() takes a query of filters and sort keys alone: it skips and limits by itself",
            hint="leave out skip, limit, sample and stages",
        )
    unique = spec.with_sort((("_id", 1),))
    if after is None:
        return unique
    values = _read(after, unique, place)
    return unique.with_filter(_behind(unique.sort, values))


def token_of(spec: QuerySpec, document: Mapping[str, Any], place: str) -> str:
    """Return the token of the page that ends with a document.

    Parameters:
        spec: The query of the first page, as `paged` gives it.
        document: The document as it is stored.
        place: As for `paged`.

    Raises:
        QueryError: As `sort_values`.
    """
    values = sort_values(spec, document)
    content = encode_bson({"q": _mark(spec, place), "v": values})
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _mark(spec: QuerySpec, place: str) -> bytes:
    query = encode_document({"place": place, "filter": spec.filter, "sort": list(spec.sort)})
    return hashlib.sha256(query).digest()[:9]


def _read(token: str, spec: QuerySpec, place: str) -> list[Any]:
    hint = "a token is the `next` of the page before, and belongs to the very query that gave it"
    try:
        content = decode_bson(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        mark, values = content["q"], content["v"]
    except (BSONError, binascii.Error, ValueError, KeyError, TypeError) as error:
        raise QueryError(f"{token!r:.60} is no token of a page", hint=hint) from error
    if mark != _mark(spec, place):
        raise QueryError("the token is of another query", hint=hint)
    if not is_list(values) or len(values) != len(spec.sort):
        raise QueryError(f"{token!r:.60} is no token of a page", hint=hint)
    return values


def sort_values(spec: QuerySpec, document: Mapping[str, Any]) -> list[Any]:
    """Return what a document is sorted by.

    Raises:
        QueryError: It is sorted by an array, of which any element may decide.
    """
    return [_value(document, path) for path, _ in spec.sort]


def _value(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for key in path.split("."):
        if is_list(value):
            break
        value = value.get(key) if is_dict(value) else None
    kind = _incomparable(value)
    if kind is not None:
        raise QueryError(
            f"page() cannot sort by {path}, which is {kind} in document {document.get('_id')!r}",
            hint="sort by a field that has one value, which can be compared",
        )
    return value


def _incomparable(value: Any) -> str | None:
    """Return what kind of value no condition can begin behind; None for all others."""
    if is_list(value):
        return "an array"
    if isinstance(value, Regex):
        return "an expression"
    # The driver gives such a document for a DBPointer too, which sorts elsewhere.
    return "a reference" if isinstance(value, DBRef) else None


def _behind(keys: SortKeys, values: Sequence[Any]) -> dict[str, Any]:
    """Return the condition of documents that come behind these values."""
    ways: list[dict[str, Any]] = []
    equal: list[dict[str, Any]] = []
    for (path, direction), value in zip(keys, values, strict=True):
        ways += [{"$and": [*equal, way]} for way in _beyond(path, value, up=direction > 0)]
        equal.append({path: {"$eq": value}})
    return {"$or": ways} if ways else {"$nor": [{}]}


def _beyond(path: str, value: Any, *, up: bool) -> list[dict[str, Any]]:
    """Return the conditions, of which one holds, for a value to come after another."""
    group = _group(value)
    ways: list[dict[str, Any]] = []
    if group != _NULL and not _is_nan(value):
        ways.append({path: {"$gt" if up else "$lt": value}})
    if group == _NUMBERS and _is_nan(value) == up:  # NaN comes before all numbers
        ways.append({path: {"$gte": -math.inf}} if up else {path: {"$eq": math.nan}})
    others = _GROUPS[group + 1 :] if up else _GROUPS[:group]
    types = [name for names in others for name in names if name != "null"]
    if types:
        ways.append({path: {"$type": types}})
    if ("null",) in others:
        ways.append({path: {"$eq": None}})  # missing ones too
        ways.append({path: {"$size": 0}})  # sorted before null, and refused when it comes
    return ways


def _group(value: Any) -> int:
    """Return the place of a value's type in the order of types."""
    for kind, name in _NAMES:
        if isinstance(value, kind):
            if name == "javascript" and value.scope is not None:
                name = "javascriptWithScope"
            return next(place for place, names in enumerate(_GROUPS) if name in names)
    raise QueryError(f"page() cannot sort by {value!r}, a {type(value).__name__}")


# Asked in this order: a bool is an int, Code is a str, a Binary is bytes.
_NAMES: tuple[tuple[Any, str], ...] = (
    (MinKey, "minKey"),
    (NoneType, "null"),
    (bool, "bool"),
    ((int, float, Decimal128), "int"),
    (Code, "javascript"),
    (str, "string"),
    (Mapping, "object"),
    ((bytes, UUID), "binData"),
    (ObjectId, "objectId"),
    (datetime, "date"),
    (Timestamp, "timestamp"),
    (MaxKey, "maxKey"),
)


def _is_nan(value: Any) -> bool:
    if isinstance(value, Decimal128):
        return value.to_decimal().is_nan()
    return isinstance(value, float) and math.isnan(value)
