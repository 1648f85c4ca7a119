"""Updates of documents that many tasks begin at once, sent as one command and read back as one.

The reply says of each update whether it has happened, and an update that is refused has the error
that it has alone. Then the documents are read back. Other writers may have changed them in between:
each object gets the document with its own changes in it, as the reply to a single update has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from pymongo.errors import OperationFailure, PyMongoError

from .. import _concurrency
from .._core.model.hydration import split
from .._core.model.read_back import as_updated
from .._core.model.update_document import only_sets
from .._core.model.write_plan import Modification
from .._core.model.write_statements import statement, update_many
from .._core.unbatched import UNBATCHED, Unbatched
from .._core.write_replies import (
    executed,
    is_command_refusal,
    not_confirmed,
    not_matched,
    statement_error,
    write_errors,
)
from ..connection.client_cache import cache_of
from ..connection.driver_types import MongoCollection
from ..connection.pymongo_blocks import is_batching_allowed
from ..operations.target import with_primary_reads
from ..operations.write_attempt import WriteAttempt
from ..operations.write_command import WriteCommand, ask, send

# Measured with 4 to 80 tasks: 8 that save at once are as fast each by itself, as updates that go
# together take two round trips.
_BUSY, _LEAST = 8, 4
# An update may wait for a document that a transaction holds, and the others of its command with
# it: after so many milliseconds each of them goes on by itself.
_LIMIT = 1_000
# What is sent, replied and decoded at once stays small: documents of more bytes go by themselves,
# before the update or after it.
_LARGE = 16_384


class Updated(NamedTuple):
    """What has become of an update.

    `raw` is the document afterwards; None if there is none as the update needs it.
    `failure` is the server's word that too few members confirm the write; it was made all the same.
    """

    raw: bytes | None
    failure: PyMongoError | None = None


def can_be_batched(collection: MongoCollection, write: WriteAttempt) -> bool:
    """Say whether an update can go together with others.

    Not where the object has to have the number or the place that its counter or item got, where the
    client limits the time of each operation or asks for no reply, nor where the driver encrypts,
    which takes one update at a time.
    """
    options, plan = collection.database.client.options, write.plan
    return (
        isinstance(plan, Modification)
        and not plan.revision
        and only_sets(plan.update)
        and plan.size <= _LARGE
        and options.timeout is None
        and options.auto_encryption_opts is None
        and collection.write_concern.acknowledged
        and is_batching_allowed()
    )


def batched_updates_of(
    collection: MongoCollection, alone: Any
) -> _concurrency.BatchedCalls[WriteAttempt, Updated]:
    """Return what joins the updates of a collection.

    Parameters:
        collection: Which one.
        alone: Sends one update by itself.
    """
    known = cache_of(collection.database.client).updates
    found = known.get(id(collection))
    if found is None:
        found = known[id(collection)] = _concurrency.BatchedCalls(
            partial(alone, collection),
            partial(update_batch, collection),
            partial(can_be_batched, collection),
            max_single=_BUSY,
            min_batch=_LEAST,
        )
    return found


async def update_batch(
    collection: MongoCollection, writes: Sequence[WriteAttempt]
) -> Sequence[Updated | Unbatched | Exception]:
    """Update documents by one command, and return what has become of each update.

    `UNBATCHED` stands for one that has not happened, and that has to be sent by itself.

    Raises:
        PyMongoError: Nothing was sent, or the server has not replied.
    """
    plans: list[Any] = [write.plan for write in writes]
    body = update_many(collection.name, [*map(statement, plans)], ordered=False)
    command = WriteCommand(collection, {**body, "maxTimeMS": _LIMIT})
    for write in writes:
        write.command = command
    try:
        reply = await send(command)
    except PyMongoError as error:
        return await _after(error, command, writes)
    except BaseException:
        _part(command, writes)
        raise
    command.settle()
    refused, failure = write_errors(reply), not_confirmed(reply)
    done = [place for place in range(len(writes)) if place not in refused]
    found = await _read_back(collection, writes, done)

    def outcome(place: int) -> Updated | Unbatched | Exception:
        if place not in refused:
            return _updated(found[place], failure)
        if not_matched(refused[place]):
            return UNBATCHED
        return statement_error(refused[place])

    return [outcome(place) for place in range(len(writes))]


async def _after(
    error: PyMongoError, command: WriteCommand, writes: Sequence[WriteAttempt]
) -> Sequence[Updated | Unbatched | Exception]:
    """Return what has become of updates whose command has failed as a whole."""
    if is_command_refusal(error):  # a user may have the right to a single update alone
        return [UNBATCHED] * len(writes)
    if not command.is_unknown:
        raise error
    reply: dict[str, Any] | None = None
    try:
        reply = await ask(command) if isinstance(error, OperationFailure) else None
    finally:
        if reply is None:
            _part(command, writes)
    if reply is None:
        raise error
    command.settle()
    done, failure = executed(reply), not_confirmed(reply)
    found = await _read_back(command.collection, writes, sorted(done))
    places = range(len(writes))
    return [_updated(found[n], failure) if n in done else UNBATCHED for n in places]


def _updated(found: bytes | Exception, failure: PyMongoError | None) -> Updated | Exception:
    return found if isinstance(found, Exception) else Updated(found, failure)


def _part(command: WriteCommand, writes: Sequence[WriteAttempt]) -> None:
    """Have each object know the command by which the outcome of its own update can be asked for."""
    if command.is_unknown:
        for place, write in enumerate(writes):
            write.command = command.part(place)


async def _read_back(
    collection: MongoCollection, writes: Sequence[WriteAttempt], places: Sequence[int]
) -> dict[int, bytes | Exception]:
    """Return documents that have been updated, as they are with their own update."""
    plans: dict[int, Any] = {place: writes[place].plan for place in places}
    if not places:
        return {}
    ids = [plan.id for plan in plans.values()]
    try:
        # One reply: a cursor would stay open if this were cancelled.
        cursor = with_primary_reads(collection).find_raw_batches(
            {"_id": {"$in": ids}}, batch_size=len(ids) + 1
        )
        batches: list[Any] = [batch async for batch in cursor]  # of bytes, which its type denies
    except PyMongoError:
        # The updates have been made: what they make of what was loaded is known.
        return {place: plan.expected for place, plan in plans.items()}
    return as_updated(plans, split(b"".join(batches)))
