# Generated from loom_async/frames/update.py by `nox -s sync`: edit that file, not this one.
"""Frames update documents: chunk by chunk, the next one made ready while one is on its way."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, get_args

from pymongo.errors import BulkWriteError

from loom_async._core.choices import check_choice
from loom_async._core.driver_errors import Translated, translate
from loom_async._core.frames.ranges import ranges_of
from loom_async._core.frames.results import (
    FrameError,
    RowError,
    UpdateResult,
    refused,
    told,
    what_is_written,
)
from loom_async._core.model.document import DocumentModel
from loom_async._core.model.markers import now
from loom_async._core.progress import progress as progress_bar
from loom_async._core.settings import settings

from .. import _seam
from ..clients import MongoCollection
from ..database import collection_of
from .insert import OnError

if TYPE_CHECKING:
    from loom_async._core.frames.updates import UpdatePlanner, Updates


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

    check_choice("on_error", on_error, get_args(OnError))
    collection = collection_of(model)
    planner = UpdatePlanner(model, on, upsert=upsert)
    account = _Account(on_error)
    with progress_bar(progress, f"update {model.__name__}", length_of(frame)) as advance:
        try:
            with _seam.ahead(_planned(planner, frame)) as chunks:
                for updates in chunks:
                    account.check(updates)
                    with Translated(f"update_dataframe of {model.__name__}"):
                        _send(collection, updates, account)
                    advance(updates.count)
        except FrameError as error:
            raise told(error, account.written) from error.__cause__
        except Exception as error:
            error.add_note(what_is_written(account.written))
            raise
    return account.result()


def _planned(planner: UpdatePlanner, frame: Any) -> Generator[Updates, None, None]:
    from loom_async._core.frames.chunks import chunks_of

    moment, workers = now(), settings().arrow_workers
    chunks = chunks_of(frame)
    while True:
        chunk = _seam.in_worker(workers, next, chunks, None)
        if chunk is None:
            return
        yield _seam.in_worker(workers, planner.updates, chunk, moment)


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
        failed: dict[int, str] = {e["index"]: str(e.get("errmsg", e)) for e in problems}
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


def _send(collection: MongoCollection, updates: Updates, account: _Account) -> None:
    if not updates.operations:
        return
    try:
        result = collection.bulk_write(updates.operations, ordered=False)
        reply: dict[str, Any] = result.bulk_api_result
    except BulkWriteError as error:
        reply = dict(error.details)
        if not reply["writeErrors"]:
            raise translate(error, "update_dataframe") from error
    account.sent(updates, reply)
