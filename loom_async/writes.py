"""The update of one document by id, with the document as it is afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import AutoReconnect, NetworkTimeout, ServerSelectionTimeoutError

from . import _seam
from ._core.model.plan import Modification, holds_edits, unless_edited
from ._core.model.values import CODEC_OPTIONS, encode_bson
from ._core.write_concern import unconfirmed
from .client_state import state_of
from .clients import MongoCollection
from .grouped_updates import can_be_grouped, update_together
from .targets import Target

# Measured with 4 to 80 tasks: 8 that save at once are as fast each by itself, as updates that go
# together take two round trips.
_BUSY, _LEAST = 8, 4


async def update_and_fetch(target: Target, plan: Modification) -> bytes | None:
    """Update a document and return its bytes afterwards; None if it is not as the plan needs it.

    A retryable findAndModify makes the server keep a copy of the document for the retry, which
    costs another write (MongoDB manual, "Retryable Writes"). An update whose outcome the document
    tells needs no copy: it is sent plainly, and made again if its reply is lost and it has not
    happened. In a transaction nothing is retried but the whole. Where a client limits the time of
    an operation, the driver alone knows how much of it is left for a retry. What many tasks send
    at once may go together.

    Raises:
        AutoReconnect: The reply was lost, and other writers hide whether the update has happened.
    """
    options = target.collection.database.client.options
    if target.session is not None or options.timeout is not None or not plan.is_repeatable:
        return await _retryable(target, plan, plan.condition)
    try:
        return await _grouped(target.collection)(plan)
    except (NetworkTimeout, ServerSelectionTimeoutError):
        raise  # the time that was configured has passed
    except AutoReconnect:
        if not options.retry_writes:
            raise
        # The attempt that follows is the last, as in the driver's own retry.
        found = await _retryable(target, plan, unless_edited(plan))
        if found is not None:
            return found
        there = await target.primary.find_one({"_id": plan.id})
        if there is not None and not holds_edits(there, plan):
            raise
        return None if there is None else encode_bson(there)


def _grouped(collection: MongoCollection) -> _seam.Grouped[Modification, bytes | None]:
    known = state_of(collection.database.client).updates
    found = known.get(id(collection))
    if found is None:
        found = _seam.Grouped(
            partial(_find_and_modify, collection),
            partial(update_together, collection),
            partial(can_be_grouped, collection),
            busy=_BUSY,
            least=_LEAST,
        )
        known[id(collection)] = found
    return found


async def _retryable(
    target: Target, plan: Modification, condition: Mapping[str, Any]
) -> bytes | None:
    found = await target.collection.find_one_and_update(
        {"_id": plan.id, **condition},
        plan.update,
        return_document=ReturnDocument.AFTER,
        session=target.session,
    )
    return None if found is None else encode_bson(found)


async def _find_and_modify(collection: MongoCollection, plan: Modification) -> bytes | None:
    command: dict[str, Any] = {
        "findAndModify": collection.name,
        "query": {"_id": plan.id},
        "update": plan.update,
        "new": True,
    }
    if not collection.write_concern.is_server_default:
        command["writeConcern"] = collection.write_concern.document
    reply = await collection.database.command(command, codec_options=CODEC_OPTIONS)
    failure = reply.get("writeConcernError")
    if failure:
        raise unconfirmed(failure)
    # Decoding and encoding it anew takes less than the driver's objects of raw documents.
    return None if reply["value"] is None else encode_bson(reply["value"])
