"""Plan and absorb: what `persist` sends, and what its reply means, with nothing awaited between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, cast

from bson.errors import InvalidBSON
from bson.errors import InvalidDocument as UnencodableDocument

from ..errors import (
    ConfigurationError,
    EncodingError,
    InvalidId,
    OutcomeUnknown,
    QueryError,
    StaleDocument,
)
from ..typing import is_dict, is_list
from .annotations import model_codec
from .append_only import is_append_only
from .changes import EXACTLY_EQUAL, Change, Set, find_changes, same
from .document import DocumentModel, baseline, is_in_doubt
from .family import family_of
from .hydration import hydrator
from .markers import now as current_time
from .model_codec import ModelCodec, StoredField
from .scalars import Identifier
from .update import Update, is_idempotent, render
from .values import decode_bson, encode_bson

_MISSING = object()
# Of an operation that writes no time.
_NO_TIME = datetime.min


@dataclass(frozen=True, slots=True)
class Insertion:
    """A new document in BSON bytes; `replace` if it may exist.

    `stamps` are the field values that the library made, to be given to the model once stored.
    """

    id: Any
    raw: bytes
    stamps: tuple[tuple[str, Any], ...]
    replace: bool


@dataclass(frozen=True, slots=True)
class Modification:
    """The minimal update of a loaded document.

    `condition` is what else the document must still have: the revision that it was loaded with.
    `expected` is the document as it is afterwards, if nobody else has changed it meanwhile.
    """

    id: Any
    update: Update
    changes: tuple[Change, ...]
    after: dict[str, Any]
    stamps: tuple[tuple[str, Any], ...]
    condition: Mapping[str, Any]
    expected: bytes


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
    stamps = tuple(_insert_stamps(codec, encoded, now)) if codec.stamped else ()
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
    stamps += _insert_stamps(codec, encoded, now)
    return Insertion(encoded["_id"], encode_document(encoded), tuple(stamps), is_in_doubt(document))


def _fresh_id(model: type[DocumentModel]) -> Any:
    make: Callable[[], Any] | None = cast("Any", model.model_fields["id"].default_factory)
    if make is None:
        raise ConfigurationError(
            f"{model.__name__} has ids that the library cannot make, and each version needs one",
            hint="give id a default_factory: id: UUID = Field(default_factory=uuid4)",
        )
    return make()


def _insert_stamps(
    codec: ModelCodec, encoded: dict[str, Any], now: datetime
) -> Iterator[tuple[str, Any]]:
    for field in codec.stamped:
        if field.on_write:
            value = _made(field.on_write, now)
        elif field.on_insert and encoded[field.stored_name] is None:
            value = _made(field.on_insert, now)
        else:
            continue
        encoded[field.stored_name] = field.codec.encode(value)
        yield field.name, value


def revision_of(model: type[DocumentModel]) -> str | None:
    """Return the stored name of the field that counts a document's writes; None without one."""
    field = model_codec(model).revision
    return None if field is None else field.stored_name


def revision_to_count(model: type[DocumentModel]) -> str | None:
    """Return the field that an update of a model's documents has to count in; None without one.

    Raises:
        QueryError: Some of them count their writes, and others do not.
    """
    own, family = revision_of(model), family_of(model)
    for kind in () if family is None else family.members(model):
        if revision_of(kind) != own:
            raise QueryError(
                f"{kind.__name__} counts its writes otherwise than {model.__name__}, so that one "
                "update cannot serve both",
                hint=f"update by {kind.__name__}.filter(), or give {model.__name__} the Revision",
            )
    return own


def write_stamps(model: type[DocumentModel], now: datetime) -> dict[str, Any]:
    """Return the stored names and values that every write of a model's documents refreshes."""
    return {
        field.stored_name: stamp(field, now)
        for field in model_codec(model).stamped
        if field.on_write
    }


def latest_order(model: type[DocumentModel]) -> tuple[tuple[str, int], ...]:
    """Return the sort keys that put the newest document first.

    ObjectIds grow with time; with other ids the time of insertion decides, where there is one.
    """
    fields = model_codec(model).fields
    id_field = next(field for field in fields if field.stored_name == "_id")
    inserted = (field.stored_name for field in fields if field.on_insert is current_time)
    if isinstance(id_field.codec, Identifier):
        return (("_id", -1),)
    return tuple((name, -1) for name in (*inserted, "_id"))


def stamp(field: StoredField, now: datetime) -> Any:
    """Return what the library writes into a field that it fills in, as it is stored."""
    function = field.on_write or field.on_insert
    assert function is not None
    return field.codec.encode(_made(function, now))


def _made(function: Callable[[], Any], now: datetime) -> Any:
    # One operation is one moment: created_at and updated_time of a new document are the same.
    return now if function is current_time else function()


def _plan_modification(
    codec: ModelCodec, document: DocumentModel, stored: bytes, now: datetime
) -> Modification | None:
    loaded = decode_bson(stored)
    after = codec.encode(document)
    before = _before(codec, document, stored, loaded, after)
    _forget_unstable_defaults(codec, document, loaded, before, after)
    for field in codec.stamped:
        if field.on_write or field.is_revision:
            after[field.stored_name] = before[field.stored_name]
    with _locating(after):
        changes = find_changes(codec, loaded, before, after)
    if not changes:
        return None
    if any(change.path == ("_id",) for change in changes):
        raise InvalidId(
            f"the id of a loaded {type(document).__name__} was changed "
            f"from {before['_id']!r} to {after['_id']!r}",
            value=after["_id"],
            hint="to store it under another id, persist a new object",
        )
    stamps: list[tuple[str, Any]] = []
    for field in codec.stamped:
        if field.on_write:
            value = _made(field.on_write, now)
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
    if is_in_doubt(document) and not condition and not is_idempotent(update):
        raise _in_doubt(document, "its counters or lists would grow twice")
    # Encoded before anything is sent: it also tells whether BSON has every value.
    expected = encode_document({k: after.get(k, v) for k, v in loaded.items()} | after)
    return Modification(
        before["_id"], update, tuple(changes), after, tuple(stamps), condition, expected
    )


def _in_doubt(document: DocumentModel, danger: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"an earlier persist of {type(document).__name__} {document.id!r} may have reached the "
        f"database, and {danger}",
        hint="reload() the object to see what is stored, then change it anew",
    )


def holds(stored: Mapping[str, Any], plan: Modification) -> bool:
    """Say whether a document has the fields that an update has written, its revision among them."""
    written = {change.path[0] for change in plan.changes}
    return all(same(stored.get(name), plan.after.get(name)) for name in written)


def revision_condition(document: DocumentModel) -> dict[str, Any]:
    """Return what the document of an object must still have: the revision it was loaded with."""
    name, stored = revision_of(type(document)), baseline(document)
    return {} if name is None or stored is None else {name: decode_bson(stored).get(name)}


def stale(
    model: type[DocumentModel], id: Any, condition: Mapping[str, Any], stored: Mapping[str, Any]
) -> StaleDocument:
    """Return the error for a document that is no longer what was loaded."""
    ((name, loaded),) = condition.items()
    return StaleDocument(
        f"{model.__name__} {id!r} has revision {stored.get(name)!r}, "
        f"and was loaded with {loaded!r}: another writer has changed it",
        id=id,
        revision=stored.get(name),
        loaded=loaded,
        hint="reload() it, make the change again, and persist()",
    )


def _before(
    codec: ModelCodec,
    document: DocumentModel,
    stored: bytes,
    loaded: dict[str, Any],
    after: dict[str, Any],
) -> dict[str, Any]:
    """Return what the model encoded to when it was loaded.

    That takes validating what was stored once more, unless only such fields differ from it as no
    validator touches.
    """
    changed: dict[str, Any] = {}
    for name, value in after.items():
        old = loaded.get(name, _MISSING)
        if type(old) is type(value) and type(old) in EXACTLY_EQUAL and old == value:
            continue  # what same() would say, without a call for each field
        if old is _MISSING or not same(old, value):
            if type(old) is not codec.plain.get(name):
                # From a copy of its own: a validator may edit what it is given.
                return codec.encode(hydrator(type(document)).fresh(decode_bson(stored)))  # type: ignore[no-any-return]
            changed[name] = old
    return after | changed


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


_UNENCODABLE = (UnencodableDocument, InvalidBSON, OverflowError, UnicodeError)


def encode_document(document: dict[str, Any]) -> bytes:
    """Return the BSON bytes of an encoded document.

    Raises:
        EncodingError: A value does not fit BSON; `path` says where it is.
    """
    try:
        return encode_bson(document)
    except _UNENCODABLE as error:
        raise _located(document, error) from error


class _locating:  # noqa: N801 - reads as a statement
    """A block in which the driver's encoding errors come to say where in a document they lie."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, _UNENCODABLE):
            raise _located(self._document, error) from error


def _located(document: dict[str, Any], error: BaseException) -> EncodingError:
    path = _find_unencodable(document)
    return EncodingError(
        str(error),
        path=path,
        hint="MongoDB holds integers of 64 bits, strings of valid Unicode and keys without NUL",
    )


def _find_unencodable(value: dict[str, Any] | list[Any]) -> str:
    entries: Iterable[tuple[Any, Any]]
    entries = value.items() if is_dict(value) else enumerate(value)
    for key, item in entries:
        try:
            encode_bson({str(key): item})
        except Exception:  # any failure at all marks the entry that is being looked for
            below = _find_unencodable(item) if is_dict(item) or is_list(item) else ""
            return f"{key}.{below}" if below else str(key)
    return ""
