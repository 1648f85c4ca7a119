# Generated from loom_async/operations/bulk_command.py by `nox -s sync`: edit that file.
"""Sends write commands of up to 5,000 statements, and returns the outcome of each statement."""

from __future__ import annotations

from typing import Any

from pymongo.errors import OperationFailure

from loom_async._core.validation_failures import reason_of
from loom_async._core.write_replies import (
    executed,
    is_command_refusal,
    statement_error,
    write_errors,
)

from .driver_call import DriverCall
from .target import Target
from .write_command import WriteCommand, ask, send

#: The number of statements that one command may have.
MAX_STATEMENTS = 5_000


def max_statements(target: Target) -> int:
    """Return how many statements a command may have; the driver encrypts one update at a time."""
    options = target.collection.database.client.options
    return MAX_STATEMENTS if options.auto_encryption_opts is None else 1


def send_many(target: Target, call: DriverCall, command: WriteCommand) -> dict[str, Any]:
    """Send a command, and return a reply that has the outcome of each statement.

    The statements that have not happened are in its `writeErrors`. In an ordered command they are
    the first of these and all after it, except those in `executed`: an earlier attempt may have got
    further.

    Parameters:
        target: Where it goes.
        call: The block of this call; a refusal fails its transaction.
        command: The command.

    Raises:
        PyMongoError: The outcome of some statements is unknown.
    """
    if target.session is None:
        return _outcomes(command)
    reply = send(command, target.session)
    errors = write_errors(reply)
    if errors:
        call.fail_transaction(statement_error(errors[min(errors)]))
    return reply


def _outcomes(command: WriteCommand) -> dict[str, Any]:
    try:
        reply = send(command, None)
    except OperationFailure as error:
        if is_command_refusal(error):
            raise
        before = ask(command) if command.is_unknown else {}
        if before is None:
            raise
        return _interrupted(error, before, command)
    if command.is_ordered and command.times_sent > 1 and write_errors(reply):
        # The server does not remember an update that changed nothing, and may refuse it now.
        before = ask(command) or {}
        return {**reply, "retriedStmtIds": sorted(executed(reply) | executed(before))}
    return reply


def _interrupted(
    error: OperationFailure, reply: dict[str, Any], command: WriteCommand
) -> dict[str, Any]:
    """Return a reply that has an error for each statement that has not happened.

    Parameters:
        error: The error that ended the command.
        reply: The reply to the question which statements have happened.
        command: The command.
    """
    details = {"code": error.code, "errmsg": f"not written: {reason_of(error.details or {})}"}
    done = executed(reply)
    # In an ordered command, those before the last that has happened had nothing to change.
    first = max(done, default=-1) + 1 if command.is_ordered else 0
    missing = set(range(first, command.count)) - done
    return {**reply, "writeErrors": [{"index": index, **details} for index in sorted(missing)]}
