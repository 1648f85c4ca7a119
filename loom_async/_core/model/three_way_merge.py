"""Merges the edits of an object with those that another writer has stored since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..type_guards import is_dict, is_list
from ..types.codec import Codec
from ..types.containers import ArrayCodec, SetCodec
from ..types.scalars import CounterCodec
from .diff import MISSING, AddToSet, Edit, Set, Unset, as_bytes, child_codec, is_number, same


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
    return mine


def with_edits(document: Mapping[str, Any], edits: Iterable[Edit]) -> dict[str, Any]:
    """Return a document as it was right after an update, though others may have changed it since.

    Parameters:
        document: The document as it is now.
        edits: What the update has set, removed, or added to sets.
    """
    result = dict(document)
    for edit in edits:
        parent = result
        for key in edit.path[:-1]:
            below = parent.get(key)
            parent[key] = parent = dict(below) if is_dict(below) else {}
        _make(parent, edit.path[-1], edit)
    return result


def _make(parent: dict[str, Any], key: str, edit: Edit) -> None:
    match edit:
        case Set():
            parent[key] = edit.value
        case Unset():
            parent.pop(key, None)
        case AddToSet():
            present = parent.get(key)
            items: list[Any] = list(present) if is_list(present) else []
            known = set(map(as_bytes, items))
            parent[key] = items + [item for item in edit.items if as_bytes(item) not in known]
        case _:
            raise TypeError(f"the result of {type(edit).__name__} depends on the value before it")
