"""Merges the edits of an object with those that another writer has stored since."""

from __future__ import annotations

from typing import Any

from ..type_guards import is_dict, is_list
from ..types.codec import Codec
from ..types.containers import ArrayCodec, SetCodec
from ..types.scalars import CounterCodec
from .bson_equality import MISSING, as_bytes, same
from .diff import child_codec, is_number
from .item_places import keeps_order, places


def merged(codec: Codec, sent: Any, mine: Any, stored: Any) -> Any:
    """Return the stored value with the edits that were made in an object since it was sent.

    Both writers keep what they changed, path by path. If both changed the same path, the object's
    edit stays: the next update sends it.

    Parameters:
        codec: The codec of the value's annotation.
        sent: The encoded value that was sent. It, and the others, may be `MISSING`.
        mine: What the object encodes to now.
        stored: What the server has.
    """
    if same(mine, sent):
        return stored
    if same(stored, sent):
        return mine
    if (
        isinstance(codec, CounterCodec)
        and is_number(sent)
        and is_number(mine)
        and is_number(stored)
    ):
        return stored + (mine - sent)
    if is_dict(sent) and is_dict(mine) and is_dict(stored):
        return _merged_documents(codec, sent, mine, stored)
    if is_list(sent) and is_list(mine) and is_list(stored):
        return _merged_arrays(codec, sent, mine, stored)
    return mine


def _merged_documents(
    codec: Codec, sent: dict[str, Any], mine: dict[str, Any], stored: dict[str, Any]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key in dict.fromkeys((*stored, *mine)):
        sides = (side.get(key, MISSING) for side in (sent, mine, stored))
        value = merged(child_codec(codec, key), *sides)
        if value is not MISSING:
            result[key] = value
    return result


def _merged_arrays(codec: Codec, sent: list[Any], mine: list[Any], stored: list[Any]) -> list[Any]:
    if isinstance(codec, SetCodec):
        before, after, present = (set(map(as_bytes, side)) for side in (sent, mine, stored))
        kept = [item for item in stored if as_bytes(item) not in before - after]
        return kept + [item for item in mine if as_bytes(item) not in before | present]
    is_list_type = isinstance(codec, ArrayCodec) or type(codec) is Codec
    if is_list_type and len(mine) >= len(sent) and same(mine[: len(sent)], sent):
        return stored + mine[len(sent) :]
    return _merged_items(codec, sent, mine, stored)


def _merged_items(codec: Codec, sent: list[Any], mine: list[Any], stored: list[Any]) -> list[Any]:
    """Return the stored array with the edits of its documents; `mine` if one of them is gone."""
    if not keeps_order(sent, mine):
        return mine
    result, at = list(stored), places(sent, stored)
    for index, (old, new) in enumerate(zip(sent, mine, strict=True)):
        if same(old, new):
            continue
        place = at[index]
        if place is None or not _can_merge(old, new, stored[place]):
            return mine
        result[place] = merged(child_codec(codec, str(index)), old, new, stored[place])
    return result


def _can_merge(*sides: Any) -> bool:
    return all(map(is_dict, sides)) or all(map(is_list, sides))
