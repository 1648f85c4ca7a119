"""The edits that turn a loaded document into what its object encodes to, as few as possible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeGuard

from ..type_guards import is_dict, is_list
from ..types.codec import ANY, Codec
from ..types.containers import MappingCodec, SetCodec
from ..types.scalars import CounterCodec, NormalisedCodec, ScalarCodec
from .bson_equality import MISSING, as_bytes, differing, same
from .edits import AddToSet, Edit, EditItems, Inc, Path, Push, Replace, Set, Unset
from .item_places import keeps_order
from .model_codec import ModelCodec


def edits_of_plain_fields(
    codec: Codec, names: Iterable[str], before: dict[str, Any], after: dict[str, Any]
) -> list[Edit]:
    """Return the edits of fields that hold plain scalars; `before` is stored."""
    edits: list[Edit] = []
    for name in names:
        path, old, new = (name,), before[name], after[name]
        child = child_codec(codec, name)
        is_counter = isinstance(child, CounterCodec)
        edits.append(_edit_of_scalar(child, path, old, old, new) if is_counter else Set(path, new))
    return edits


def find_edits(
    codec: Codec, stored: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> list[Edit]:
    """Return the edits that turn `before` into `after`.

    Parameters:
        codec: The model's codec.
        stored: The document as it was loaded; it tells which paths exist.
        before: What the object encoded to when it was loaded.
        after: What the object encodes to now.
    """
    return list(_edits_below((), codec, stored, before, after))


def _edits_below(
    path: Path, codec: Codec, stored: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> Iterator[Edit]:
    for key in differing(before, after):
        below, old, new = (*path, key), before.get(key, MISSING), after[key]
        loaded, child = stored.get(key, MISSING), child_codec(codec, key)
        if is_dict(old) and is_dict(new) and is_dict(loaded):
            yield from _edits_below(below, child, loaded, old, new)
        else:
            yield from _edits_at(below, child, loaded, old, new)
    for key in before:
        if key not in after:
            yield Unset((*path, key))


def child_codec(codec: Codec, key: str) -> Codec:
    """Return the codec of the value at a key of a stored document."""
    child = codec.stored_child(key)
    return child[1] if child else ANY


def _edits_at(path: Path, codec: Codec, stored: Any, before: Any, after: Any) -> Iterator[Edit]:
    """Yield the edits of a value that differs, unless all three values are documents."""
    if is_list(before) and is_list(after) and is_list(stored):
        yield from _array_edits(codec, path, stored, before, after)
    elif is_dict(after) and _is_nothing(stored) and holds_counters(codec):
        yield Replace(path, stored, after, base=before if is_dict(before) else {})
    elif is_dict(after) and is_dict(stored) and _is_nothing(before) and holds_counters(codec):
        yield from _edits_below(path, codec, stored, {}, after)
    else:
        yield _edit_of_scalar(codec, path, stored, before, after)


def _is_nothing(value: Any) -> bool:
    return value is MISSING or value is None


def _edit_of_scalar(codec: Codec, path: Path, stored: Any, before: Any, after: Any) -> Edit:
    if isinstance(codec, CounterCodec) and is_number(after):
        is_stored = is_number(stored)
        if is_number(before) and (is_stored or stored is MISSING):
            # `$inc` starts from zero if there is no value.
            return Inc(path, after - before, None if is_stored else before or None)
        if before is MISSING and (is_stored or stored is MISSING):
            return Inc(path, after)
        if before is None and _is_nothing(stored):
            return Inc(path, after, 0)
    return Set(path, after)


def holds_counters(codec: Codec, known: frozenset[Codec] = frozenset()) -> bool:
    """Say whether a document holds counters, other than in its arrays.

    Parameters:
        codec: The codec of the document.
        known: Codecs of documents around it; a model may contain itself.
    """
    match codec:
        case CounterCodec():
            return True
        case MappingCodec():
            return holds_counters(codec.value, known)
        case ModelCodec() if codec not in known:
            inner = known | {codec}
            return any(holds_counters(field.codec, inner) for field in codec.fields)
        case _:
            return False


def _array_edits(
    codec: Codec, path: Path, stored: list[Any], before: list[Any], after: list[Any]
) -> Iterator[Edit]:
    if isinstance(codec, SetCodec):
        known = {as_bytes(item) for item in before}
        added = [item for item in after if as_bytes(item) not in known]
        is_larger = len(added) + len(known) == len(after)
        yield AddToSet(path, added) if is_larger else Set(path, after)
        return
    size = len(before)
    if len(after) > size == len(stored) and same(before, after[:size]):
        yield Push(path, after[size:])
    elif _can_edit_items(codec, stored, before, after):
        edits = tuple(_edits_of_items(codec, stored, before, after))
        if edits:
            yield EditItems(path, stored, edits)
    else:
        yield Set(path, after)


def _can_edit_items(codec: Codec, stored: list[Any], before: list[Any], after: list[Any]) -> bool:
    """Say whether the items of an array can be changed by their positions.

    They can if some of them are documents, which may hold more than the model declares, and if each
    item is where it was when the array was loaded.
    """
    if len(after) != len(stored) or isinstance(codec, ScalarCodec | NormalisedCodec):
        return False
    if not _holds_documents(stored) or not keeps_order(before, after):
        return False
    # A validator of the model may have changed the order of the items.
    declared = [*map(_declared, stored, before)]
    return declared == before or keeps_order(declared, before)


def _holds_documents(items: list[Any]) -> bool:
    return any(is_dict(item) or (is_list(item) and _holds_documents(item)) for item in items)


def _declared(stored: Any, before: Any) -> Any:
    """Return what a stored document has of the fields of its object."""
    if stored == before:
        return before
    if is_dict(stored) and is_dict(before):
        return {name: _declared(stored.get(name, value), value) for name, value in before.items()}
    return stored


def _edits_of_items(
    codec: Codec, stored: list[Any], before: list[Any], after: list[Any]
) -> Iterator[Edit]:
    for index, (loaded, old, new) in enumerate(zip(stored, before, after, strict=True)):
        if same(old, new):
            continue
        path, child = (str(index),), child_codec(codec, str(index))
        if is_dict(old) and is_dict(new) and is_dict(loaded):
            yield from _edits_below(path, child, loaded, old, new)
        else:
            yield from _edits_at(path, child, loaded, old, new)


def is_number(value: object) -> TypeGuard[float]:
    """Say whether a value is a number, and no bool."""
    return isinstance(value, int | float) and not isinstance(value, bool)
