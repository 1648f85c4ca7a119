"""Updates of documents that other writers have changed so that the first update does not apply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..type_guards import is_dict, is_list
from ..types.codec import Codec
from ..types.sparse import is_left_out
from .bson_equality import MISSING, same
from .codecs import model_codec
from .conflicts import changed_type, not_found, stale
from .diff import child_codec, find_edits, is_number
from .document import DocumentModel
from .edited_document import edited_items, value_at
from .edits import (
    AddToSet,
    Edit,
    EditItems,
    Inc,
    Path,
    Push,
    Replace,
    Set,
    Unset,
    edits_below,
)
from .model_codec import ModelCodec
from .three_way_merge import merged
from .update_condition import condition_of
from .update_document import render
from .write_attempt import Modification


def rebased(
    document: DocumentModel, plan: Modification, stored: Mapping[str, Any] | None
) -> Modification | None:
    """Return an update with the edits of one whose condition the document did not meet.

    A parent that is missing is sent whole. In an array that has changed, the edited items are
    looked for; if one is gone, the whole array is sent, as for any other edit of an array.

    Parameters:
        document: The object.
        plan: The update as it was planned first.
        stored: The document as it is now; None if it is gone.

    Returns:
        The update; None if nothing is left to write.

    Raises:
        DocumentNotFound: The document is gone.
        StaleDocument: It has another revision than the object.
        OperationFailed: What the update changes a part of is no document or array by now.
    """
    if stored is None:
        raise not_found(document)
    if any(stored.get(name) != value for name, value in plan.revision.items()):
        raise stale(type(document), plan.id, plan.revision, stored)
    codec = model_codec(type(document))
    edits = list({e.path: e for e in _rebased_edits(codec, plan, stored)}.values())
    if not edits:
        return None
    update = render(edits)
    condition = condition_of(edits, update, codec.left_out)
    return plan._replace(edits=edits, update=update, condition=condition)


def _rebased_edits(
    codec: ModelCodec, plan: Modification, stored: Mapping[str, Any]
) -> Iterator[Edit]:
    complete, after = codec.fill({**stored}), codec.thin({**plan.after})
    for edit in plan.edits:
        raise_if_type_changed(edit, complete)
        missing = _first_missing(edit.path, stored)
        if missing is not None:
            # A field that is left out as it is None has been set, as any other.
            if not isinstance(edit, Unset) or is_left_out(codec.left_out, edit.path):
                # On this condition: another writer may send it at the same time.
                yield Replace(missing, MISSING, value_at(after, missing))
        elif isinstance(edit, EditItems):
            yield from _rebased_items(codec_at(codec, edit.path), edit, stored)
        elif isinstance(edit, Replace):
            yield from _rebased_value(codec_at(codec, edit.path), edit, stored)
        else:
            yield edit


def _rebased_items(codec: Codec, edit: EditItems, stored: Mapping[str, Any]) -> Iterator[Edit]:
    now = value_at(stored, edit.path)
    if same(now, edit.before):
        yield edit
        return
    value: Any = edited_items(edit)
    if is_list(now):
        value = merged(codec, edit.before, value, now)
    if not same(value, now):
        yield Replace(edit.path, now, value)


def _rebased_value(codec: Codec, edit: Replace, stored: Mapping[str, Any]) -> Iterator[Edit]:
    now = value_at(stored, edit.path)
    if is_dict(now) and edit.base is not None:
        yield from edits_below(edit.path, find_edits(codec, now, edit.base, edit.value))
    else:
        yield edit._replace(before=now)


def codec_at(codec: Codec, path: Path) -> Codec:
    """Return the codec of the value at a path."""
    for key in path:
        codec = child_codec(codec, key)
    return codec


def _first_missing(path: Path, stored: Mapping[str, Any]) -> Path | None:
    """Return the path of the first parent that is missing; None if all are there."""
    parents = (path[:length] for length in range(1, len(path)))
    return next((p for p in parents if value_at(stored, p) is MISSING), None)


def raise_if_type_changed(edit: Edit, stored: Mapping[str, Any]) -> None:
    """Raise an error if another writer has stored a value in which an edit cannot be made.

    Raises:
        OperationFailed: A parent is no document, or the value is no array or number.
    """
    for length in range(1, len(edit.path)):
        parent = value_at(stored, edit.path[:length])
        if parent is MISSING:
            return
        if not is_dict(parent):
            raise changed_type(edit.path, edit.path[:length], parent)
    value = value_at(stored, edit.path)
    if value is not MISSING and not _is_viable(edit, value):
        raise changed_type(edit.path, edit.path, value)


def _is_viable(edit: Edit, value: Any) -> bool:
    match edit:
        case Push() | AddToSet():
            return is_list(value)
        case Inc():
            return is_number(value) or (value is None and edit.start is not None)
        case _:
            return True


def unconditional(plan: Modification) -> Modification:
    """Return an update that sends whole the arrays whose items it changes.

    The driver's automatic encryption cannot compare a field that it encrypts.
    """
    edits = [*map(_whole, plan.edits)]
    update = render(edits)
    return plan._replace(edits=edits, update=update, condition=condition_of(edits, update))


def _whole(edit: Edit) -> Edit:
    match edit:
        case EditItems():
            return Set(edit.path, edited_items(edit))
        case Replace():
            return Set(edit.path, edit.value)
        case _:
            return edit
