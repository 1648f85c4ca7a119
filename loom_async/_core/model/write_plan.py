"""What `persist` sends: the whole of a new document, the smallest update of a loaded one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias, cast

from ..bson_codec import decode_bson
from ..clock import now as current_time
from ..errors import ConfigurationError, InvalidId
from .annotations import model_codec
from .append_only import is_append_only
from .auto_fields import insertion_auto_values, made
from .diff import MISSING, Change, Set, changes_at, differing, find_changes, same
from .document import DocumentModel, baseline
from .document_encoding import UNENCODABLE, encode_document, located
from .hydration import hydrator
from .identity import checked_id
from .model_codec import ModelCodec
from .parent_conditions import parents_of, with_parents
from .update_document import Update, render

# Of an operation that writes no time.
_NO_TIME = datetime.min


class Insertion(NamedTuple):
    """A new document in BSON bytes; `replace` if it may exist.

    `auto_values` are the field values that the library made, to be given to the model once stored.
    """

    id: Any
    raw: bytes
    auto_values: Sequence[tuple[str, Any]]
    replace: bool


class Modification(NamedTuple):
    """The minimal update of a loaded document.

    `changes` are those of the user and the library's own; `update` says them to the server.
    `after` is what the model encodes to now.
    `revision` is the revision that the document must still have; empty without one.
    `parents` is the condition that what the update changes a part of is there.
    `expected` is the document afterwards, unless another writer changes it meanwhile.
    `size` is how many bytes the document has before or after, whichever is more.
    """

    id: Any
    update: Update
    changes: Sequence[Change]
    after: Mapping[str, Any]
    auto_values: Sequence[tuple[str, Any]]
    revision: Mapping[str, Any]
    parents: Mapping[str, Any]
    expected: bytes
    size: int


class Deletion(NamedTuple):
    """The end of a document."""

    id: Any


Plan: TypeAlias = Insertion | Modification


def plan_persist(document: DocumentModel, now: datetime | None = None) -> Plan | None:
    """Return what makes the database hold the model as it is now; None if it already does.

    Parameters:
        document: A new or a loaded model; it is not changed.
        now: The time of the operation; None for the present, which is asked for where it is needed.

    Raises:
        EncodingError: A value cannot be stored; `path` says where it is.
        InvalidId: The id of a loaded document was changed.
    """
    codec = model_codec(type(document))
    stored = baseline(document)
    if now is None:
        now = current_time() if codec.auto_fields else _NO_TIME
    if is_append_only(type(document)):
        return _plan_entry(codec, document, stored, now)
    if stored is None:
        return _plan_insertion(codec, document, now)
    return _plan_modification(codec, document, stored, now)


def plan_insert(document: DocumentModel) -> Insertion:
    """Return the insertion of a model as a new document, whose id must not be taken.

    Raises:
        EncodingError: A value cannot be stored; `path` says where it is.
    """
    codec, now = model_codec(type(document)), current_time()
    if is_append_only(type(document)):
        return _plan_entry(codec, document, baseline(document), now)
    return _plan_insertion(codec, document, now)._replace(replace=False)


def rebased(plan: Modification, stored: Mapping[str, Any]) -> Modification:
    """Return an update that does the same to a document in which some of its parents are missing.

    Parameters:
        plan: The update that has not found them.
        stored: The document as it is now.
    """
    changes = with_parents(plan.changes, plan.after, stored)
    return plan._replace(changes=changes, update=render(changes), parents=parents_of(changes))


def _plan_insertion(codec: ModelCodec, document: DocumentModel, now: datetime) -> Insertion:
    encoded = codec.encode(document)
    auto_values = tuple(insertion_auto_values(codec, encoded, now)) if codec.auto_fields else ()
    # A model that counts revisions replaces no document that was not loaded.
    replace = codec.revision is None and "id" in document.__pydantic_fields_set__
    key = checked_id(type(document), encoded["_id"])
    return Insertion(key, encode_document(encoded), auto_values, replace)


def _plan_entry(
    codec: ModelCodec, document: DocumentModel, stored: bytes | None, now: datetime
) -> Insertion:
    """Plan a new document of a ledger, whether its object has been recorded before or not."""
    encoded = codec.encode(document)
    auto_values: list[tuple[str, Any]] = []
    if stored is not None:
        earlier = decode_bson(stored)
        fresh = _fresh_id(type(document))
        encoded["_id"] = next(f for f in codec.fields if f.name == "id").codec.encode(fresh)
        auto_values.append(("id", fresh))
        for field in codec.auto_fields:
            # A time that the user gave since is kept; that of the version before is not this one's.
            name = field.stored_name
            if field.on_insert is current_time and same(encoded[name], earlier.get(name)):
                encoded[name] = None
    auto_values += insertion_auto_values(codec, encoded, now)
    key = checked_id(type(document), encoded["_id"])
    return Insertion(key, encode_document(encoded), tuple(auto_values), replace=False)


def is_recorded(document: DocumentModel) -> bool:
    """Say whether an object of a ledger holds what was recorded of it last."""
    stored = baseline(document)
    if stored is None or not is_append_only(type(document)):
        return False
    return encode_document(model_codec(type(document)).encode(document)) == stored


def _fresh_id(model: type[DocumentModel]) -> Any:
    make: Callable[[], Any] | None = cast("Any", model.model_fields["id"].default_factory)
    if make is None:
        raise ConfigurationError(
            f"{model.__name__} has ids that the library cannot make, and each version needs one",
            hint="give id a default_factory: id: UUID = Field(default_factory=uuid4)",
        )
    return make()


def _plan_modification(
    codec: ModelCodec, document: DocumentModel, stored: bytes, now: datetime
) -> Modification | None:
    loaded, after = decode_bson(stored), codec.encode(document)
    try:
        edits = _edits(codec, document, stored, loaded, after)
    except UNENCODABLE as error:
        raise located(after, error) from error
    if not edits:
        return None
    if any(edit.path[0] == "_id" for edit in edits):
        raise InvalidId(
            f"the id of a loaded {type(document).__name__} was changed "
            f"from {loaded['_id']!r} to {after['_id']!r}",
            value=after["_id"],
            hint="to store it under another id, persist a new object",
        )
    changes: list[Change] = [*edits]
    auto_values: list[tuple[str, Any]] = []
    for field in codec.auto_fields:
        if field.on_write:
            value = made(field.on_write, now)
            after[field.stored_name] = field.codec.encode(value)
            changes.append(Set((field.stored_name,), after[field.stored_name]))
            auto_values.append((field.name, value))
    revision: dict[str, Any] = {}
    if codec.revision is not None:
        name = codec.revision.stored_name
        revision[name] = loaded.get(name)
        after[name] = (loaded.get(name) or 0) + 1
        changes.append(Set((name,), after[name]))
        auto_values.append((codec.revision.name, after[name]))
    # Encoded before anything is sent: it also tells whether BSON has every value.
    expected = encode_document(loaded | after)
    return Modification(
        loaded["_id"],
        render(changes),
        changes,
        after,
        auto_values,
        revision,
        parents_of(changes),
        expected,
        max(len(stored), len(expected)),
    )


def _edits(
    codec: ModelCodec,
    document: DocumentModel,
    stored: bytes,
    loaded: dict[str, Any],
    after: dict[str, Any],
) -> list[Change]:
    """Return what the user has changed since a document was loaded.

    What the model encoded to at that time takes validating once more what was stored; unless only
    such fields differ from it as no validator touches.
    """
    refreshed, plain = codec.refreshed, codec.plain
    names = [name for name in differing(loaded, after) if name not in refreshed]
    is_whole = not codec.allows_extra or after.keys() >= loaded.keys()
    if is_whole and all(type(loaded.get(name, MISSING)) is plain.get(name) for name in names):
        return changes_at(codec, names, loaded, after)
    # From a copy of its own: a validator may edit what it is given.
    before = codec.encode(hydrator(type(document)).fresh(decode_bson(stored)))
    _forget_unstable_defaults(codec, document, loaded, before, after)
    after.update({name: before[name] for name in refreshed})
    return find_changes(codec, loaded, before, after)


def _forget_unstable_defaults(
    codec: ModelCodec,
    document: DocumentModel,
    stored: dict[str, Any],
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    """Treat a default that the document lacked, and nobody set, as unchanged.

    A default factory (a uuid, a time) gives another value each time it runs; a scalar that was
    never assigned cannot have been edited.
    """
    if stored.keys() >= codec.stored_names:
        return
    for field in codec.fields:
        is_default = field.stored_name not in stored
        is_assigned = field.name in document.__pydantic_fields_set__
        if is_default and not is_assigned and field.codec.is_scalar:
            after[field.stored_name] = before[field.stored_name]
