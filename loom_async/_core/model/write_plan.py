"""What `persist` sends: the whole of a new document, the smallest update of a loaded one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from ..bson_codec import UNENCODABLE, decode_bson
from ..clock import now as current_time
from ..errors import ConfigurationError, InvalidId
from ..types.scalars import ScalarCodec
from .auto_fields import auto_value, insertion_auto_values
from .bson_equality import differing, same
from .codecs import model_codec
from .diff import edits_of_plain_fields, find_edits
from .document import DocumentModel, baseline
from .document_encoding import encode_document, located
from .edited_document import edited
from .edits import Edit, Set
from .hydration import hydrator
from .identity import checked_id
from .model_codec import ModelCodec
from .normal_values import is_normal
from .plain_encoding import encode_if_plain
from .unset_defaults import forget_unset_defaults, has_unstable_defaults
from .update_condition import condition_of, names_values
from .update_document import render
from .write_attempt import Insertion, Modification, WritePlan
from .write_validation import replace_coerced

# The time of an operation that writes none.
_NO_TIME = datetime.min


def plan_persist(
    document: DocumentModel, now: datetime | None = None, *, is_validated: bool = False
) -> WritePlan | None:
    """Return the write that stores an object as it is now; None if it is stored already.

    Parameters:
        document: A new or a loaded object; it is not changed.
        now: The time of the operation; None for the present.
        is_validated: Whether all values of a new object have just been validated.

    Raises:
        EncodingError: A value cannot be stored; `path` says where it is.
        InvalidDocument: A value does not fit the model, which was edited in place.
        ConfigurationError: The default of a field does not fit its type.
        InvalidId: The id of a loaded document was changed.
    """
    codec = model_codec(type(document))
    stored = baseline(document)
    if now is None:
        now = current_time() if codec.auto_fields else _NO_TIME
    if document.__loom_append_only__:
        return _plan_entry(codec, document, stored, now, is_validated=is_validated)
    if stored is None:
        return _plan_insertion(codec, document, now, is_validated=is_validated)
    return _plan_modification(codec, document, stored, now)


def plan_insert(document: DocumentModel) -> Insertion:
    """Return the insertion of an object as a new document, whose id must not be taken.

    Raises:
        EncodingError: A value cannot be stored; `path` says where it is.
    """
    codec, now = model_codec(type(document)), current_time()
    if document.__loom_append_only__:
        return _plan_entry(codec, document, baseline(document), now, is_validated=False)
    return _plan_insertion(codec, document, now, is_validated=False)._replace(replace=False)


def _plan_insertion(
    codec: ModelCodec, document: DocumentModel, now: datetime, *, is_validated: bool
) -> Insertion:
    plain = None if is_validated else encode_if_plain(document)
    encoded = codec.encode(document) if plain is None else plain
    auto_values = tuple(insertion_auto_values(codec, encoded, now)) if codec.auto_fields else ()
    values = {**vars(document), **dict(auto_values)} if auto_values else vars(document)
    is_as_loaded = _is_as_loaded(codec, values, encoded)
    is_valid = is_validated or plain is not None
    coerced = {} if is_valid else replace_coerced(document, encoded)
    # An object with a revision replaces only the document that it was loaded from.
    replace = codec.revision is None and "id" in document.__pydantic_fields_set__
    key = checked_id(type(document), encoded["_id"])
    raw = encode_document(codec.thin(encoded))
    return Insertion(key, raw, auto_values, replace, coerced, is_as_loaded)


def _is_as_loaded(codec: ModelCodec, values: Mapping[str, Any], encoded: Mapping[str, Any]) -> bool:
    """Say whether attributes are for sure the values that a load of their document would give."""
    for field in codec.normalising:
        value = values[field.name]
        if value is None:
            continue
        if type(field.codec) is not ScalarCodec:
            if not is_normal(field.codec, value):
                return False
        elif field.codec.decode(encoded[field.stored_name]) is not value:
            return False
    return True


def _plan_entry(
    codec: ModelCodec,
    document: DocumentModel,
    stored: bytes | None,
    now: datetime,
    *,
    is_validated: bool,
) -> Insertion:
    """Return the insertion of an object of a ledger, which may have been recorded before."""
    encoded = codec.encode(document)
    auto_values: list[tuple[str, Any]] = []
    if stored is not None:
        earlier = decode_bson(stored)
        fresh = _fresh_id(type(document))
        encoded["_id"] = next(f for f in codec.fields if f.name == "id").codec.encode(fresh)
        auto_values.append(("id", fresh))
        for field in codec.auto_fields:
            # A time that the user has set is kept; the time of the previous version is not.
            name = field.stored_name
            if field.on_insert is current_time and same(encoded[name], earlier.get(name)):
                encoded[name] = None
    auto_values += insertion_auto_values(codec, encoded, now)
    coerced = {} if is_validated else replace_coerced(document, encoded)
    key, raw = checked_id(type(document), encoded["_id"]), encode_document(codec.thin(encoded))
    return Insertion(key, raw, tuple(auto_values), False, coerced)


def is_recorded(document: DocumentModel) -> bool:
    """Say whether an object of a ledger is as it was last recorded."""
    stored = baseline(document)
    if stored is None or not document.__loom_append_only__:
        return False
    codec = model_codec(type(document))
    if codec.is_sparse:  # a document of before may hold nulls
        stored = encode_document(codec.thin(decode_bson(stored)))
    return encode_document(codec.thin(codec.encode(document))) == stored


def _fresh_id(model: type[DocumentModel]) -> Any:
    make: Callable[[], Any] | None = cast("Any", model.model_fields["id"].default_factory)
    if make is None:
        raise ConfigurationError(
            f"each version of a {model.__name__} needs a new id, and its id has no default_factory",
            hint="give id a default_factory: id: UUID = Field(default_factory=uuid4)",
        )
    return make()


def _plan_modification(
    codec: ModelCodec, document: DocumentModel, stored: bytes, now: datetime
) -> Modification | None:
    loaded, after = decode_bson(stored), codec.encode(document)
    if not codec.is_deterministic:
        after = codec.keep_stored(loaded, after)
    try:
        edits, coerced = _edits(codec, document, stored, loaded, after)
    except UNENCODABLE as error:
        raise located(after, error) from error
    if not edits:
        return None
    for edit in edits:
        if edit.path[0] == "_id":
            raise InvalidId(
                f"the id of a loaded {type(document).__name__} was changed "
                f"from {loaded['_id']!r} to {after['_id']!r}",
                value=after["_id"],
                hint="to store it under another id, persist a new object",
            )
    auto_values: list[tuple[str, Any]] = []
    for field in codec.auto_fields:
        if field.on_write:
            value = auto_value(field.on_write, now)
            after[field.stored_name] = field.codec.encode(value)
            edits.append(Set((field.stored_name,), after[field.stored_name]))
            auto_values.append((field.name, value))
    revision: dict[str, Any] = {}
    if codec.revision is not None:
        name = codec.revision.stored_name
        revision[name] = loaded.get(name)
        after[name] = (loaded.get(name) or 0) + 1
        edits.append(Set((name,), after[name]))
        auto_values.append((codec.revision.name, after[name]))
    # Before anything is sent, this also raises for a value that BSON does not have.
    expected = encode_document(edited(loaded, edits))
    update = render(edits)
    condition = condition_of(edits, update, codec.left_out)
    sizes = len(stored), len(expected)
    return Modification(
        id=loaded["_id"],
        update=update,
        edits=edits,
        after=after,
        auto_values=auto_values,
        revision=revision,
        condition=condition,
        expected=expected,
        coerced=coerced,
        size=sum(sizes) if names_values(edits) else max(sizes),
    )


def _edits(
    codec: ModelCodec,
    document: DocumentModel,
    stored: bytes,
    loaded: dict[str, Any],
    after: dict[str, Any],
) -> tuple[list[Edit], Mapping[str, Any]]:
    """Return the user's edits since a document was loaded, and the fields as before validation.

    They are found by comparison with what the object encoded to at that time. To know that, the
    stored document has to be validated again, unless only fields differ that no validator changes.
    """
    names: list[str] = []
    is_plain = not codec.allows_extra or after.keys() >= loaded.keys()
    thin = codec.thin(after)
    if codec.is_sparse and _has_lost_value(loaded, codec.sparse.names - thin.keys()):
        is_plain = False
    for name in differing(loaded, thin):
        if name not in codec.refreshed:
            names.append(name)
            kind = codec.plain.get(name)
            is_plain = is_plain and type(loaded.get(name)) is kind and type(after[name]) is kind
    if is_plain:
        return edits_of_plain_fields(codec, names, loaded, after), {}
    # Decoded again: a validator may edit its input.
    before = codec.encode(hydrator(type(document)).fresh(decode_bson(stored)))
    before = codec.keep_stored(loaded, before)
    after.update({name: before[name] for name in codec.refreshed})
    edits = _stored_edits(codec, loaded, before, after)
    if edits and has_unstable_defaults(type(document)):
        forget_unset_defaults(document, loaded, before, after)
        edits = _stored_edits(codec, loaded, before, after)
    coerced = replace_coerced(document, after, {edit.path[0] for edit in edits}) if edits else {}
    if coerced:
        edits = _stored_edits(codec, loaded, before, after)
    return edits, coerced


def _has_lost_value(loaded: dict[str, Any], names: Iterable[str]) -> bool:
    """Say whether a field that is None now had a value."""
    return any(loaded.get(name) is not None for name in names)


def _stored_edits(
    codec: ModelCodec, loaded: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> list[Edit]:
    """Return the edits between two encoded documents, as they are stored."""
    return find_edits(codec, loaded, codec.thin(before), codec.thin(after))
