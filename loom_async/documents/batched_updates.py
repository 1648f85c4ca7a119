"""Updates that many tasks start at once: how many are sent as one command, and read back as one.

The reply lists the updates that were refused, each with the error that it would have alone. Then
the documents are read back. Other writers may have changed them in between: each object gets its
document with its own edits, as in the reply to a single update.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pymongo.errors import OperationFailure, PyMongoError

from .._core.model.read_back import as_updated
from .._core.model.update_document import is_repeatable
from .._core.model.write_attempt import Modification, WriteAttempt
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
from ..connection.driver_types import MongoCollection
from ..connection.pymongo_blocks import is_batching_allowed
from ..operations.target import with_primary_reads
from ..operations.write_command import WriteCommand, ask, send
from .find_by_id import find_raw

# The updates of a collection that may run alone, and the fewest that become a batch. Measured with
# 4 to 80 tasks: a batch takes two round trips, so that 8 saves are as fast alone.
MAX_SINGLE, MIN_BATCH = 8, 4
# In milliseconds. An update may wait for a document that a transaction holds, and the others of its
# batch wait with it: after this time each of them is sent alone.
_LIMIT = 1_000
# In bytes. Documents that are larger before or after their update are sent alone, so that a batch
# and the documents that are read back stay small.
_MAX_SIZE = 16_384


class Updated(NamedTuple):
    """The outcome of an update.

    `raw` is the document afterwards; None if no document meets the conditions of the update.
    `failure` is the server's report that too few members confirm the write, which was made.
    """

    raw: bytes | None
    failure: PyMongoError | None = None


def can_batch(collection: MongoCollection, attempt: WriteAttempt) -> bool:
    """Say whether an update can be part of a batch.

    It cannot if its reply has to tell the value of a counter or the position of an item, if the
    client limits the time of each operation or expects no reply, or if the driver encrypts: it
    accepts one update at a time.
    """
    options, plan = collection.database.client.options, attempt.plan
    return (
        isinstance(plan, Modification)
        and not plan.revision
        and is_repeatable(plan.update)
        and plan.size <= _MAX_SIZE
        and options.timeout is None
        and options.auto_encryption_opts is None
        and collection.write_concern.acknowledged
        and is_batching_allowed()
    )


async def update_batch(
    collection: MongoCollection, attempts: Sequence[WriteAttempt]
) -> Sequence[Updated | Unbatched | Exception]:
    """Update documents by one command, and return the outcome of each update.

    `UNBATCHED` means that an update has not happened, and has to be sent alone.

    Raises:
        PyMongoError: Nothing was sent, or the server has not replied.
    """
    plans: list[Any] = [attempt.plan for attempt in attempts]
    body = update_many(collection.name, [*map(statement, plans)], ordered=False)
    command = WriteCommand(collection, {**body, "maxTimeMS": _LIMIT})
    for attempt in attempts:
        attempt.command = command
    try:
        reply = await send(command, None)
    except PyMongoError as error:
        return await _outcomes_after(error, command, attempts)
    except BaseException:
        _split(command, attempts)
        raise
    command.settle()
    refused, failure = write_errors(reply), not_confirmed(reply)
    outcomes: list[Updated | Unbatched | Exception] = [UNBATCHED] * len(attempts)
    for index, details in refused.items():
        if not not_matched(details):
            outcomes[index] = statement_error(details)
    happened = [index for index in range(len(attempts)) if index not in refused]
    found = await _read_back(collection, [plans[index] for index in happened])
    for index, document in zip(happened, found, strict=True):
        outcomes[index] = _outcome(document, failure)
    return outcomes


async def _outcomes_after(
    error: PyMongoError, command: WriteCommand, attempts: Sequence[WriteAttempt]
) -> Sequence[Updated | Unbatched | Exception]:
    """Return the outcomes of updates whose command has failed as a whole."""
    outcomes: list[Updated | Unbatched | Exception] = [UNBATCHED] * len(attempts)
    if is_command_refusal(error):  # a user may have the right to findAndModify, and none to update
        return outcomes
    if not command.is_unknown:
        raise error
    reply: dict[str, Any] | None = None
    try:
        reply = await ask(command) if isinstance(error, OperationFailure) else None
    finally:
        if reply is None:
            _split(command, attempts)
    if reply is None:
        raise error
    command.settle()
    happened, failure = sorted(executed(reply)), not_confirmed(reply)
    plans: list[Any] = [attempts[index].plan for index in happened]
    found = await _read_back(command.collection, plans)
    for index, document in zip(happened, found, strict=True):
        outcomes[index] = _outcome(document, failure)
    return outcomes


def _outcome(document: bytes | Exception, failure: PyMongoError | None) -> Updated | Exception:
    return document if isinstance(document, Exception) else Updated(document, failure)


def _split(command: WriteCommand, attempts: Sequence[WriteAttempt]) -> None:
    """Give each attempt a command of its own, by which its outcome can be found out."""
    if command.is_unknown:
        for index, attempt in enumerate(attempts):
            attempt.command = command.part(index)


async def _read_back(
    collection: MongoCollection, plans: Sequence[Modification]
) -> list[bytes | Exception]:
    """Return documents after their updates, as these have left them."""
    if not plans:
        return []
    try:
        raws = await find_raw(with_primary_reads(collection), [plan.id for plan in plans])
    except PyMongoError:
        # The updates have happened: their results can be computed from the loaded documents.
        return [plan.expected for plan in plans]
    return as_updated(plans, raws)
