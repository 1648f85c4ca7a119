"""Write commands of many statements, each of which has an outcome of its own."""

from __future__ import annotations

from typing import Any

from pymongo.errors import OperationFailure

from ._core.refusals import reason_of
from ._core.write_replies import executed, is_refusal, statement_error, write_errors
from .targets import Target, Turn
from .write_commands import WriteCommand, ask, send, send_in_transaction

#: Statements of one command at most.
MOST = 5_000


def largest(target: Target) -> int:
    """Return how many statements a command may have: the driver encrypts one update at a time."""
    options = target.collection.database.client.options
    return MOST if options.auto_encryption_opts is None else 1


async def send_many(target: Target, turn: Turn, command: WriteCommand) -> dict[str, Any]:
    """Send a command, and return a reply that says of each statement what has become of it.

    Those that have not happened are in its `writeErrors`; in an ordered command also those behind
    the first of them.

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
        return await send(command)
    except OperationFailure as error:
        if is_refusal(error):
            raise
        reply = await ask(command) if command.is_unknown else {}
        if reply is None:
            raise
        return _interrupted(error, reply, command.count)


def _interrupted(error: OperationFailure, reply: dict[str, Any], count: int) -> dict[str, Any]:
    """Return a reply by which the statements that have not happened were refused.

    Parameters:
        error: What ended the command.
        reply: What the server has said when it was asked for those that happened before.
        count: How many there are.
    """
    details = {"code": error.code, "errmsg": f"not written: {reason_of(error.details or {})}"}
    missing = set(range(count)) - executed(reply)
    return {**reply, "writeErrors": [{"index": place, **details} for place in sorted(missing)]}
