"""A value with the edits of two writers: those made here, and those stored meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..type_guards import is_dict, is_list
from ..types.codec import Codec
from ..types.containers import Items, Unordered
from ..types.scalars import Counter
from .diff import MISSING, AddToSet, Change, Set, Unset, as_bytes, child_codec, is_number, same


def merged(codec: Codec, sent: Any, mine: Any, stored: Any) -> Any:
    """Return the stored value with the edits that were made here since a value was sent.

    Both writers keep what they changed, path by path; where both changed the same, the edit made
    here stays, as the next update will send it.

    Parameters:
        codec: The codec of the value's annotation.
        sent: The encoded value that was sent; `MISSING` for none, as in the others.
        mine: What the object encodes to now.
        stored: What the server has.
    """
    if _is_same(mine, sent):
        return stored
    if _is_same(stored, sent):
        return mine
    if isinstance(codec, Counter) and is_number(sent) and is_number(mine) and is_number(stored):
        return stored + (mine - sent)
    if is_dict(sent) and is_dict(mine) and is_dict(stored):
        return _merged_documents(codec, sent, mine, stored)
    if is_list(sent) and is_list(mine) and is_list(stored):
        return _merged_arrays(codec, sent, mine, stored)
    return mine


def _is_same(left: Any, right: Any) -> bool:
    if left is MISSING or right is MISSING:
        return left is right
    return same(left, right)


def _merged_documents(
    codec: Codec, sent: dict[str, Any], mine: dict[str, Any], stored: dict[str, Any]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key in dict.fromkeys((*stored, *mine)):
        was, here, there = (side.get(key, MISSING) for side in (sent, mine, stored))
        value = merged(child_codec(codec, key), was, here, there)
        if value is not MISSING:
            result[key] = value
    return result


def _merged_arrays(codec: Codec, sent: list[Any], mine: list[Any], stored: list[Any]) -> list[Any]:
    if isinstance(codec, Unordered):
        before, after = set(map(as_bytes, sent)), set(map(as_bytes, mine))
        there = set(map(as_bytes, stored))
        kept = [item for item in stored if as_bytes(item) not in before - after]
        return kept + [item for item in mine if as_bytes(item) not in before | there]
    is_list_type = isinstance(codec, Items) or type(codec) is Codec
    if is_list_type and len(mine) >= len(sent) and same(mine[: len(sent)], sent):
        return stored + mine[len(sent) :]
    return mine


def with_changes(document: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """Return a document as it was right after an update, though others may have changed it since.

    Parameters:
        document: The document as it is now.
        changes: What the update has set, taken away, or added to sets.
    """
    result = dict(document)
    for change in changes:
        holder = result
        for key in change.path[:-1]:
            below = holder.get(key)
            holder[key] = holder = dict(below) if is_dict(below) else {}
        _make(holder, change.path[-1], change)
    return result


def _make(holder: dict[str, Any], key: str, change: Change) -> None:
    match change:
        case Set():
            holder[key] = change.value
        case Unset():
            holder.pop(key, None)
        case AddToSet():
            there = holder.get(key)
            items: list[Any] = list(there) if is_list(there) else []
            known = set(map(as_bytes, items))
            holder[key] = items + [item for item in change.items if as_bytes(item) not in known]
        case _:
            raise TypeError(f"{type(change).__name__} depends on what was there before")
