"""Write commands of many statements, each of which has an outcome of its own."""

from __future__ import annotations

from typing import Any

from pymongo.errors import OperationFailure

from .._core.validation_failures import reason_of
from .._core.write_replies import executed, is_command_refusal, statement_error, write_errors
from .driver_call import DriverCall
from .target import Target
from .write_command import WriteCommand, ask, send, send_in_transaction

#: Statements of one command at most.
MAX_STATEMENTS = 5_000


def max_statements(target: Target) -> int:
    """Return how many statements a command may have: the driver encrypts one update at a time."""
    options = target.collection.database.client.options
    return MAX_STATEMENTS if options.auto_encryption_opts is None else 1


async def send_many(target: Target, turn: DriverCall, command: WriteCommand) -> dict[str, Any]:
    """Send a command, and return a reply that says of each statement what has become of it.

    Those that have not happened are in its `writeErrors`. In an ordered command they are the first
    of these and those behind it, unless `executed` has them: it may have got further before.

    Parameters:
        target: Where it goes.
        turn: The block of this call, which learns that a transaction has failed.
        command: What to send.

    Raises:
        PyMongoError: The outcome of some statements is unknown.
    """
    if target.session is None:
        return await _outcomes(command)
    reply = await send_in_transaction(command, target.session)
    errors = write_errors(reply)
    if errors:
        turn.failed(statement_error(errors[min(errors)]))
    return reply


async def _outcomes(command: WriteCommand) -> dict[str, Any]:
    try:
        reply = await send(command)
    except OperationFailure as error:
        if is_command_refusal(error):
            raise
        before = await ask(command) if command.is_unknown else {}
        if before is None:
            raise
        return _interrupted(error, before, command)
    if command.is_ordered and command.times_sent > 1 and write_errors(reply):
        # An update that changed nothing is not remembered, and may fail when it is sent again.
        before = await ask(command) or {}
        return {**reply, "retriedStmtIds": sorted(executed(reply) | executed(before))}
    return reply


def _interrupted(
    error: OperationFailure, reply: dict[str, Any], command: WriteCommand
) -> dict[str, Any]:
    """Return a reply by which the statements that have not happened were refused.

    Parameters:
        error: What ended the command.
        reply: What the server has said when it was asked for those that happened before.
        command: What was ended.
    """
    details = {"code": error.code, "errmsg": f"not written: {reason_of(error.details or {})}"}
    done = executed(reply)
    # In an ordered command, one before the last that has happened had nothing to change.
    first = max(done, default=-1) + 1 if command.is_ordered else 0
    missing = set(range(first, command.count)) - done
    return {**reply, "writeErrors": [{"index": place, **details} for place in sorted(missing)]}
