# Generated from loom_async/frames/update.py by `nox -s sync`: edit that file, not this one.
"""Frames update documents: chunk by chunk, the next one made ready while one is on its way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

from pymongo.errors import BulkWriteError

from loom_async._core.choices import check_choice
from loom_async._core.driver_errors import not_confirmed
from loom_async._core.errors import LoomError
from loom_async._core.frames.ranges import ranges_of
from loom_async._core.frames.results import RowError, UpdateResult, refused, telling
from loom_async._core.model.append_only import refuse_change
from loom_async._core.model.document import DocumentModel
from loom_async._core.progress import progress as progress_bar
from loom_async._core.refusals import reason_of

from .. import _seam
from ..targets import Target, Turn, target_of
from .insert import OnError
from .pipeline import prepared

if TYPE_CHECKING:
    from loom_async._core.frames.updates import Updates


def update_dataframe(
    model: type[DocumentModel],
    frame: Any,
    *,
    on: Sequence[str],
    upsert: bool,
    on_error: OnError,
    progress: bool | None,
) -> UpdateResult:
    """Update documents by a frame's rows; see `PersistableBase.update_dataframe`."""
    from loom_async._core.frames.chunks import length_of
    from loom_async._core.frames.updates import UpdatePlanner

    refuse_change(model, "update_dataframe")
    check_choice("on_error", on_error, get_args(OnError))
    target = target_of(model)
    planner = UpdatePlanner(model, on, upsert=upsert)
    account = _Account(on_error)
    with (
        progress_bar(progress, f"update {model.__name__}", length_of(frame)) as advance,
        telling(lambda: account.written),
        _seam.ahead(prepared(frame, planner.updates)) as chunks,
    ):
        for updates in chunks:
            with target.failing():
                account.check(updates)
            with target.turn(f"update_dataframe of {model.__name__}") as turn:
                _send(target, turn, updates, account)
            advance(updates.count)
    return account.result()


class _Account:
    """What has become of the rows so far."""

    def __init__(self, on_error: OnError) -> None:
        self._on_error = on_error
        self._matched = self._modified = self._inserted = 0
        self._errors: list[RowError] = []
        self.written: list[range] = []

    def check(self, updates: Updates) -> None:
        """Stop before a chunk of which rows were refused, or leave these out."""
        self._refuse(updates.errors)

    def sent(self, updates: Updates, reply: dict[str, Any]) -> None:
        """Take in what the server has said of a chunk."""
        problems: list[dict[str, Any]] = reply.get("writeErrors", [])
        failed: dict[int, str] = {e["index"]: reason_of(e) for e in problems}
        rows = [row for place, row in enumerate(updates.rows) if place not in failed]
        self.written = ranges_of(rows, self.written)
        self._matched += reply["nMatched"]
        self._modified += reply["nModified"]
        self._inserted += reply["nUpserted"]
        rows_failed = [RowError(updates.rows[place], "", why) for place, why in failed.items()]
        self._refuse(rows_failed)

    def _refuse(self, errors: list[RowError]) -> None:
        if errors and self._on_error == "raise":
            raise refused(errors, self.written)
        self._errors += errors

    def result(self) -> UpdateResult:
        """Return the outcome of the whole frame."""
        return UpdateResult(self._matched, self._modified, self._inserted, self._errors)


def _send(target: Target, turn: Turn, updates: Updates, account: _Account) -> None:
    if not updates.operations:
        return
    doubt: LoomError | None = None
    try:
        result = target.collection.bulk_write(
            updates.operations, ordered=False, session=target.session
        )
        reply: dict[str, Any] = result.bulk_api_result
    except BulkWriteError as error:
        turn.failed(error)
        reply = dict(error.details)
        doubt = not_confirmed(error, "update_dataframe")
    account.sent(updates, reply)
    if doubt is not None:
        raise doubt
