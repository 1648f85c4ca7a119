"""Queries and updates of documents without the fields that are None (`store_none=False`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..types.sparse import Sparse, is_left_out, sparse_at
from .paths import FieldResolver, ResolvedField


def thinned(field: ResolvedField, sparse: Sparse) -> ResolvedField:
    """Return a field whose values are encoded as they are stored.

    Parameters:
        field: The field.
        sparse: What is left out of the documents.
    """
    keys = field.path.split(".")
    inner = sparse_at(sparse, keys)
    field = field._replace(is_left_out=is_left_out(sparse, keys))
    if inner is None:
        return field
    items, literal = field.items, field.literal
    if items.names is not None:
        names = frozenset(name for name in items.names if not inner.leaves_out(name))
        items = items._replace(names=names)
    if literal is not None:
        compared = literal

        def thin_literal(value: Any, is_bound: bool) -> Any:
            return inner.thin(compared(value, is_bound))

        literal = thin_literal
    encode = thinning(sparse, field.path, field.encode)
    return field._replace(encode=encode, items=items, literal=literal)


def thinning(sparse: Sparse, path: str, encode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return what encodes the values at a path without their null fields."""
    inner = sparse_at(sparse, path.split("."))
    return encode if inner is None else lambda value: inner.thin(encode(value))


def leave_out_none(resolver: FieldResolver, update: dict[str, Any], *, is_upsert: bool) -> None:
    """Make an update unset the fields that it sets to None, and not insert them.

    An upsert stores the null of a nested field, without which it might not create the document
    around it. An update that only inserts nulls stays as it is: without operators it would replace
    the document.

    Parameters:
        resolver: The fields.
        update: The compiled update; it is changed.
        is_upsert: Whether it may insert a document.
    """
    unset = _nulls(resolver, update.get("$set", {}), is_upsert=is_upsert)
    if unset:
        update["$unset"] = {**update.get("$unset", {}), **dict.fromkeys(unset, "")}
        _remove(update, "$set", unset)
    not_inserted = _nulls(resolver, update.get("$setOnInsert", {}), is_upsert=is_upsert)
    if len(update) > 1 or len(not_inserted) < len(update.get("$setOnInsert", {})):
        _remove(update, "$setOnInsert", not_inserted)


def _nulls(resolver: FieldResolver, operands: Mapping[str, Any], *, is_upsert: bool) -> list[str]:
    """Return the paths of the null fields that are left out."""
    nulls = (path for path, value in operands.items() if value is None)
    removable = (path for path in nulls if not (is_upsert and "." in path))
    return [path for path in removable if resolver.resolve(path).is_left_out]


def _remove(update: dict[str, Any], operator: str, paths: Sequence[str]) -> None:
    kept = {path: v for path, v in update.get(operator, {}).items() if path not in paths}
    if kept:
        update[operator] = kept
    else:
        update.pop(operator, None)
