# Generated from loom_async/grouped_updates.py by `nox -s sync`: edit that file, not this one.
"""Updates of many documents that begin at once, sent as one command and read back as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pymongo.errors import (
    AutoReconnect,
    ExecutionTimeout,
    NetworkTimeout,
    ServerSelectionTimeoutError,
)

from loom_async._core.alone import ALONE, Alone
from loom_async._core.model.changes import as_bytes
from loom_async._core.model.plan import Modification, holds_edits, is_unedited, unless_edited
from loom_async._core.model.values import CODEC_OPTIONS, encode_bson
from loom_async._core.write_concern import unconfirmed

from .client_state import is_grouping
from .clients import MongoCollection
from .targets import at_primary

# An update may wait for a document that a transaction holds, and the others of its command with
# it: after so many milliseconds each of them goes on by itself.
_LIMIT = 1_000
# What is sent, replied and decoded at once stays small: documents of more bytes go by themselves,
# before the update or after it.
_LARGE = 16_384


def can_be_grouped(collection: MongoCollection, plan: Modification) -> bool:
    """Say whether an update that may be made twice can go together with others.

    It cannot where the time of each operation is limited on its own, where the client may not try
    again what is in doubt or asks for no reply, and where the driver encrypts, which takes one
    update at a time.
    """
    options = collection.database.client.options
    return (
        options.retry_writes
        and collection.write_concern.acknowledged
        and options.auto_encryption_opts is None
        and plan.size <= _LARGE
        and is_grouping()
    )


def update_together(
    collection: MongoCollection, plans: Sequence[Modification]
) -> Sequence[bytes | Alone | Exception | None]:
    """Update documents, and return the bytes of each afterwards; None for one that is not there.

    An update that the server refused is `ALONE`, and so is one whose fields another writer has
    changed since they were loaded: whoever was cancelled has no say in when the others' command is
    sent, and it must set nothing over a later save.

    Of an update that is an `AutoReconnect` nobody knows whether it has happened.

    Raises:
        AutoReconnect: So it is with all of them.
        NetworkTimeout: The time of the client has passed.
        ServerSelectionTimeoutError: Nothing was sent, as there was no server.
    """
    try:
        reply = _update(collection, plans)
    except ExecutionTimeout as error:
        return _interrupted(collection, plans, error)
    refused = {error["index"] for error in reply.get("writeErrors", ())}
    skipped = len(plans) - reply["n"] - len(refused)
    failure = reply.get("writeConcernError")
    if failure:
        without = _unconfirmed(failure, is_certain=not skipped)
        return [ALONE if index in refused else without for index in range(len(plans))]
    stored = _read_back(collection, plans)
    accepted = [index for index in range(len(plans)) if index not in refused]
    others = _made_by_others(plans, stored, accepted) if skipped else ()
    # As many as were skipped: these are they. If there are more, another writer has gone over some
    # that were made, and nobody can tell which: none of them may be made again without asking.
    is_told = len(others) <= skipped - sum(stored[index] is None for index in accepted)
    unknown = ALONE if is_told else AutoReconnect("others have changed the document meanwhile")

    def outcome(index: int, document: dict[str, Any] | None) -> bytes | Alone | Exception | None:
        if index in refused:
            return ALONE
        if index in others:
            return unknown
        return None if document is None else encode_bson(document)

    return [outcome(index, document) for index, document in enumerate(stored)]


def _made_by_others(
    plans: Sequence[Modification],
    stored: Sequence[dict[str, Any] | None],
    accepted: Iterable[int],
) -> list[int]:
    """Return which documents are there and have not what their update sets."""
    documents = ((index, stored[index]) for index in accepted)
    return [
        index
        for index, document in documents
        if document is not None and not holds_edits(document, plans[index])
    ]


def _interrupted(
    collection: MongoCollection, plans: Sequence[Modification], error: ExecutionTimeout
) -> list[Alone | Exception]:
    """Return what can be sent again, after the server has stopped in the middle."""
    stored = _read_back(collection, plans)
    return [
        ALONE if document is None or is_unedited(document, plan) else AutoReconnect(str(error))
        for plan, document in zip(plans, stored, strict=True)
    ]


def _unconfirmed(failure: dict[str, Any], *, is_certain: bool) -> Exception:
    error = unconfirmed(failure)
    is_final = is_certain and not isinstance(error, ExecutionTimeout)
    return error if is_final else AutoReconnect(str(error))


def _update(collection: MongoCollection, plans: Sequence[Modification]) -> dict[str, Any]:
    command: dict[str, Any] = {
        "update": collection.name,
        "updates": [
            {"q": {"_id": plan.id, **unless_edited(plan)}, "u": plan.update} for plan in plans
        ],
        "ordered": False,
        "maxTimeMS": _LIMIT,
    }
    if not collection.write_concern.is_server_default:
        command["writeConcern"] = collection.write_concern.document
    try:
        return collection.database.command(command, codec_options=CODEC_OPTIONS)
    except (ExecutionTimeout, NetworkTimeout, ServerSelectionTimeoutError):
        raise
    except Exception as error:
        # Some of them may have happened: each finds out for itself, and has an error of its own.
        raise AutoReconnect(str(error)) from error


def _read_back(
    collection: MongoCollection, plans: Sequence[Modification]
) -> list[dict[str, Any] | None]:
    ids = [plan.id for plan in plans]
    try:
        # One reply: a cursor would stay open if this were cancelled.
        found = at_primary(collection).find({"_id": {"$in": ids}}, batch_size=len(ids) + 1)
        stored = {as_bytes(document["_id"]): document for document in found.to_list()}
    except (NetworkTimeout, ServerSelectionTimeoutError) as error:
        raise NetworkTimeout(str(error)) from error  # for the updates have been sent
    except Exception as error:
        raise AutoReconnect(str(error)) from error
    return [stored.get(as_bytes(id)) for id in ids]
