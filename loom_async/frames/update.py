"""Frames update documents: chunk by chunk, the next one made ready while one is on its way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

from .. import _concurrency
from .._core.argument_checks import check_choice
from .._core.frames.results import Progress, RowError, UpdateResult, refused, telling
from .._core.model.append_only import refuse_change
from .._core.model.document import DocumentModel
from .._core.model.write_statements import update_many
from .._core.progress import progress as progress_bar
from .._core.validation_errors import reason_of
from .._core.write_replies import write_errors
from ..operations.bulk_command import max_statements, send_many
from ..operations.target import Target, target_of
from ..operations.write_command import WriteCommand, raise_unconfirmed
from .insert import OnError
from .prepared_chunks import prepared

if TYPE_CHECKING:
    from .._core.frames.update_rows import Updates


async def update_dataframe(
    model: type[DocumentModel],
    frame: Any,
    *,
    on: Sequence[str],
    upsert: bool,
    on_error: OnError,
    progress: bool | None,
) -> UpdateResult:
    """Update documents by a frame's rows; see `PersistableBase.update_dataframe`."""
    from .._core.frames.chunks import length_of
    from .._core.frames.update_rows import UpdatePlanner

    refuse_change(model, "update_dataframe")
    check_choice("on_error", on_error, get_args(OnError))
    target = await target_of(model)
    planner = UpdatePlanner(model, on, upsert=upsert)
    account = _Account(on_error)
    with (
        progress_bar(progress, f"update {model.__name__}", length_of(frame)) as advance,
        telling(account),
    ):
        async with _concurrency.prefetch(prepared(frame, planner.updates)) as chunks:
            async for updates in chunks:
                with target.failing():
                    account.check(updates)
                for part in updates.parts(max_statements(target)):
                    await _send(target, model, part, account)
                advance(updates.count)
    return account.result()


class _Account(Progress):
    """What has become of the rows so far."""

    def __init__(self, on_error: OnError) -> None:
        super().__init__()
        self._on_error = on_error
        self._matched = self._modified = self._inserted = 0
        self._errors: list[RowError] = []

    def check(self, updates: Updates) -> None:
        """Stop before a chunk of which rows were refused, or leave these out."""
        self._refuse(updates.errors)

    def sent(self, updates: Updates, reply: dict[str, Any]) -> None:
        """Take in what the server has said of a chunk."""
        failed = write_errors(reply)
        self.note_written([row for place, row in enumerate(updates.rows) if place not in failed])
        inserted = len(reply.get("upserted", ()))
        self._matched += reply.get("n", 0) - inserted
        self._modified += reply.get("nModified", 0)
        self._inserted += inserted
        self._refuse(self.failures(updates, reply))

    def failures(self, updates: Updates, reply: dict[str, Any]) -> list[RowError]:
        """Return the rows that the server has refused."""
        errors = write_errors(reply).items()
        return [RowError(updates.rows[place], "", reason_of(error)) for place, error in errors]

    def _refuse(self, errors: list[RowError]) -> None:
        if errors and self._on_error == "raise":
            raise refused(errors, self.written)
        self._errors += errors

    def result(self) -> UpdateResult:
        """Return the outcome of the whole frame."""
        return UpdateResult(self._matched, self._modified, self._inserted, self._errors)


async def _send(
    target: Target, model: type[DocumentModel], updates: Updates, account: _Account
) -> None:
    """Make the updates of some rows by one command, and enter what becomes of each."""
    action = f"update_dataframe of {model.__name__}"
    body = update_many(target.collection.name, updates.statements, ordered=False)
    command = WriteCommand(target.collection, body, is_numbered=not updates.meets_many)
    account.sending(range(updates.rows[0], updates.rows[-1] + 1), lambda: command.is_unknown)
    async with target.call(action) as turn:
        reply = await send_many(target, turn, command)
    command.settle()
    if target.session is not None and write_errors(reply):
        raise account.undone(account.failures(updates, reply))
    account.sent(updates, reply)
    raise_unconfirmed(reply, action)
