"""Plan and absorb: what `persist` sends, and what its reply means, with nothing awaited between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias, cast

from ..errors import ConfigurationError, InvalidId, OutcomeUnknown
from ..typing import is_dict, is_list
from .annotations import model_codec
from .append_only import is_append_only
from .changes import (
    MISSING,
    AddToSet,
    Change,
    Path,
    Set,
    Unset,
    as_bytes,
    changes_at,
    differing,
    find_changes,
    same,
)
from .document import DocumentModel, baseline, is_in_doubt
from .encoding import UNENCODABLE, encode_document, located
from .hydration import hydrator
from .markers import now as current_time
from .model_codec import ModelCodec
from .stamps import insertion_stamps, made
from .update import Update, is_idempotent, render
from .values import decode_bson

# Of an operation that writes no time.
_NO_TIME = datetime.min


class Insertion(NamedTuple):
    """A new document in BSON bytes; `replace` if it may exist.

    `stamps` are the field values that the library made, to be given to the model once stored.
    """

    id: Any
    raw: bytes
    stamps: Sequence[tuple[str, Any]]
    replace: bool


class Modification(NamedTuple):
    """The minimal update of a loaded document.

    `edits` are the changes that the user has made; `changes` are these and the library's own.
    `before` is the document as it was loaded, `after` what the model encodes to now.
    `condition` is what else the document must still have: the revision that it was loaded with.
    `expected` is the document as it is afterwards, if nobody else has changed it meanwhile.
    `is_repeatable` says whether twice is the same as once.
    `size` is how many bytes the document has before or after, whichever is more.
    """

    id: Any
    update: Update
    edits: Sequence[Change]
    changes: Sequence[Change]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    stamps: Sequence[tuple[str, Any]]
    condition: Mapping[str, Any]
    expected: bytes
    is_repeatable: bool
    size: int


Plan: TypeAlias = Insertion | Modification


def plan_persist(document: DocumentModel, now: datetime | None = None) -> Plan | None:
    """Return what makes the database hold the model as it is now; None if it already does.

    Parameters:
        document: A new or a loaded model; it is not changed.
        now: The time of the operation; None for the present, which is asked for where it is needed.

    Raises:
        EncodingError: A value cannot be stored; `path` says where it is.
        InvalidId: The id of a loaded document was changed.
        OutcomeUnknown: An earlier update may have happened, and this one would repeat it.
    """
    codec = model_codec(type(document))
    stored = baseline(document)
    if now is None:
        now = current_time() if codec.stamped else _NO_TIME
    if is_append_only(type(document)):
        return _plan_entry(codec, document, stored, now)
    if stored is None:
        return _plan_insertion(codec, document, now)
    return _plan_modification(codec, document, stored, now)


def _plan_insertion(codec: ModelCodec, document: DocumentModel, now: datetime) -> Insertion:
    encoded = codec.encode(document)
    stamps = tuple(insertion_stamps(codec, encoded, now)) if codec.stamped else ()
    # One whose insertion may have happened is put in its own place.
    may_exist = "id" in document.__pydantic_fields_set__ or is_in_doubt(document)
    # Whoever counts revisions replaces no document that was not loaded.
    replace = codec.revision is None and may_exist
    return Insertion(encoded["_id"], encode_document(encoded), stamps, replace)


def _plan_entry(
    codec: ModelCodec, document: DocumentModel, stored: bytes | None, now: datetime
) -> Insertion:
    """Plan a new document of a ledger, whether its object has been recorded before or not."""
    encoded = codec.encode(document)
    stamps: list[tuple[str, Any]] = []
    if stored is not None:
        if is_in_doubt(document):
            raise _in_doubt(document, "would be recorded twice")
        earlier = decode_bson(stored)
        fresh = _fresh_id(type(document))
        encoded["_id"] = next(f for f in codec.fields if f.name == "id").codec.encode(fresh)
        stamps.append(("id", fresh))
        for field in codec.stamped:
            # A time that the user gave since is kept; that of the version before is not this one's.
            name = field.stored_name
            if field.on_insert is current_time and same(encoded[name], earlier.get(name)):
                encoded[name] = None
    stamps += insertion_stamps(codec, encoded, now)
    return Insertion(encoded["_id"], encode_document(encoded), tuple(stamps), is_in_doubt(document))


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
    stamps: list[tuple[str, Any]] = []
    for field in codec.stamped:
        if field.on_write:
            value = made(field.on_write, now)
            after[field.stored_name] = field.codec.encode(value)
            changes.append(Set((field.stored_name,), after[field.stored_name]))
            stamps.append((field.name, value))
    condition: dict[str, Any] = {}
    if codec.revision is not None:
        name = codec.revision.stored_name
        condition[name] = loaded.get(name)
        after[name] = (loaded.get(name) or 0) + 1
        changes.append(Set((name,), after[name]))
        stamps.append((codec.revision.name, after[name]))
    update = render(changes)
    is_repeatable = not condition and is_idempotent(update)
    if not (condition or is_repeatable) and is_in_doubt(document):
        raise _in_doubt(document, "its counters or lists would grow twice")
    # Encoded before anything is sent: it also tells whether BSON has every value.
    expected = encode_document(loaded | after)
    return Modification(
        loaded["_id"],
        update,
        edits,
        changes,
        loaded,
        after,
        stamps,
        condition,
        expected,
        is_repeatable,
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


def _in_doubt(document: DocumentModel, danger: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"an earlier persist of {type(document).__name__} {document.id!r} may have reached the "
        f"database, and {danger}",
        hint="reload() the object to see what is stored, then change it anew",
    )


def holds(stored: Mapping[str, Any], plan: Modification) -> bool:
    """Say whether a document has the fields that an update has written, its revision among them."""
    return _has_written(stored, plan, plan.changes)


def holds_edits(stored: Mapping[str, Any], plan: Modification) -> bool:
    """Say whether a document has the fields that the user has edited."""
    return _has_written(stored, plan, plan.edits)


def _has_written(stored: Mapping[str, Any], plan: Modification, changes: Sequence[Change]) -> bool:
    return all(_is_made(stored, plan, change) for change in changes)


def _is_made(stored: Mapping[str, Any], plan: Modification, change: Change) -> bool:
    there = _at(stored, change.path)
    match change:
        case Set():
            return there is not MISSING and same(there, change.value)
        case Unset():
            return there is MISSING
        case AddToSet():
            items = {as_bytes(item) for item in there} if is_list(there) else frozenset[bytes]()
            return items >= {as_bytes(item) for item in change.items}
        case _:
            name = change.path[0]
            return same(stored.get(name), plan.after.get(name))


def _at(stored: Mapping[str, Any], path: Path) -> Any:
    value: Any = stored
    for key in path:
        if not is_dict(value) or key not in value:
            return MISSING
        value = value[key]
    return value


def is_unedited(stored: Mapping[str, Any], plan: Modification) -> bool:
    """Say whether a document has what it was loaded with in the fields that the user has edited."""
    names = {edit.path[0] for edit in plan.edits}
    return all(same(stored.get(n, MISSING), plan.before.get(n, MISSING)) for n in names)


def unless_edited(plan: Modification) -> dict[str, Any]:
    """Return the condition that a document still has what it was loaded with where it was edited.

    What every write refreshes is left out: others may have changed other fields.
    """
    before = plan.before
    return {
        name: {"$eq": before[name]} if name in before else {"$exists": False}
        for name in {edit.path[0] for edit in plan.edits}
    }


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
