"""Updates of many documents that begin at once, sent as one command and read back as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo import ReadPreference
from pymongo.errors import AutoReconnect, ExecutionTimeout

from ._core.alone import ALONE, Alone
from ._core.model.changes import as_bytes
from ._core.model.plan import Modification, holds_edits, unless_edited
from ._core.model.values import CODEC_OPTIONS, encode_bson
from ._core.write_concern import unconfirmed
from .client_state import is_grouping
from .clients import MongoCollection

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


async def update_together(
    collection: MongoCollection, plans: Sequence[Modification]
) -> list[bytes | Alone | None]:
    """Update documents, and return the bytes of each afterwards; None for one that is not there.

    An update that the server refused, or of which its reply does not tell enough, is `ALONE`. So is
    one whose fields another writer has changed since they were loaded: whoever was cancelled has
    no say in when the others' command is sent, and it must set nothing over a later save.

    Raises:
        AutoReconnect: Nobody knows which of them have happened.
    """
    reply = await _update(collection, plans)
    refused = {error["index"] for error in reply.get("writeErrors", ())}
    is_certain = reply["n"] + len(refused) == len(plans)
    stored = await _read_back(collection, plans)

    def outcome(index: int, plan: Modification) -> bytes | Alone | None:
        document = stored.get(as_bytes(plan.id))
        if index in refused:
            return ALONE
        if document is None:
            return None
        return encode_bson(document) if is_certain or holds_edits(document, plan) else ALONE

    return [outcome(index, plan) for index, plan in enumerate(plans)]


async def _update(collection: MongoCollection, plans: Sequence[Modification]) -> dict[str, Any]:
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
        reply = await collection.database.command(command, codec_options=CODEC_OPTIONS)
        failure = reply.get("writeConcernError")
        if failure:
            raise unconfirmed(failure)
    except ExecutionTimeout as error:
        raise AutoReconnect(str(error)) from error  # as if the reply had been lost
    return reply


async def _read_back(
    collection: MongoCollection, plans: Sequence[Modification]
) -> dict[bytes, dict[str, Any]]:
    primary = collection.with_options(read_preference=ReadPreference.PRIMARY)
    # One reply: a cursor would stay open if this were cancelled.
    found = primary.find({"_id": {"$in": [plan.id for plan in plans]}}, batch_size=len(plans) + 1)
    return {as_bytes(document["_id"]): document for document in await found.to_list()}
