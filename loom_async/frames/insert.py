"""Frames become documents: chunk by chunk, the next one encoded while one is on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from .. import _concurrency
from .._core.argument_checks import check_choice
from .._core.driver_errors import duplicate_key
from .._core.errors import ConfigurationError
from .._core.frames.results import InsertResult, Progress, RowError, refused, telling
from .._core.model.append_only import refuse_change
from .._core.model.document import DocumentModel
from .._core.model.revisions import revision_of
from .._core.model.write_statements import insert_many, replacement, update_many
from .._core.progress import progress as progress_bar
from .._core.server_codes import DUPLICATE_KEY
from .._core.validation_errors import reason_of
from .._core.write_replies import write_errors
from ..operations.bulk_command import max_statements, send_many
from ..operations.target import Target, target_of
from ..operations.write_command import WriteCommand, raise_unconfirmed
from .prepared_chunks import prepared

if TYPE_CHECKING:
    from .._core.frames.insert_rows import Documents

OnDuplicate: TypeAlias = Literal["raise", "ignore", "replace"]
OnError: TypeAlias = Literal["raise", "skip"]


async def insert_dataframe(
    model: type[DocumentModel],
    frame: Any,
    *,
    validate: bool,
    on_duplicate: OnDuplicate,
    on_error: OnError,
    progress: bool | None,
) -> InsertResult:
    """Store a frame's rows as documents; see `PersistableBase.insert_dataframe`."""
    from .._core.frames.chunks import length_of
    from .._core.frames.insert_rows import Encoder

    check_choice("on_duplicate", on_duplicate, get_args(OnDuplicate))
    check_choice("on_error", on_error, get_args(OnError))
    if on_duplicate == "replace":
        refuse_change(model, "insert_dataframe")
        refuse_uncounted(model)
    target = await target_of(model)
    account = _Account(on_duplicate, on_error)
    encoder = Encoder(model, validate=validate)
    with (
        progress_bar(progress, f"insert {model.__name__}", length_of(frame)) as advance,
        telling(account),
    ):
        async with _concurrency.prefetch(prepared(frame, encoder.documents)) as chunks:
            async for documents in chunks:
                with target.failing():
                    account.check(documents)
                for part in documents.parts(max_statements(target)):
                    await _send(target, model, part, account)
                advance(documents.count)
    return account.result()


def refuse_uncounted(model: type[DocumentModel]) -> None:
    """Refuse to replace documents whose writes are counted.

    Raises:
        ConfigurationError: The model has a revision.
    """
    revision = revision_of(model)
    if revision is not None:
        raise ConfigurationError(
            f"insert_dataframe would replace documents of {model.__name__} and count their "
            f"{revision} from 1, so that writers of old objects would not notice",
            hint='update_dataframe(frame, on=["id"], upsert=True) counts',
        )


class _Account(Progress):
    """What has become of the rows so far."""

    def __init__(self, on_duplicate: OnDuplicate, on_error: OnError) -> None:
        super().__init__()
        self.on_duplicate: OnDuplicate = on_duplicate
        self.on_error: OnError = on_error
        self._inserted = 0
        self._ids: list[Any] = []
        self._errors: list[RowError] = []

    def check(self, documents: Documents) -> None:
        """Stop before a chunk of which rows were refused, or leave these out."""
        if documents.errors and self.on_error == "raise":
            raise refused(documents.errors, self.written)
        self._errors += documents.errors

    def sent(
        self,
        documents: Documents,
        failed: list[RowError],
        unwritten: set[int],
        there: set[int],
    ) -> None:
        """Take in what the server has said of a chunk.

        Parameters:
            documents: The chunk.
            failed: The rows that it has refused.
            unwritten: The places of all documents that were not written.
            there: The places of those of them whose ids are there already.
        """
        written = [row for place, row in enumerate(documents.rows) if place not in unwritten]
        self.note_written(written)
        self._inserted += len(written)
        if failed and self.on_error == "raise":
            raise refused(failed, self.written)
        self._errors += failed
        lost = {error.row for error in failed}
        ids: list[Any] = [None] * documents.count
        for place, (row, id) in enumerate(zip(documents.rows, documents.ids, strict=True)):
            if row not in lost and (place not in unwritten or place in there):
                ids[row - documents.start] = id
        self._ids += ids

    def result(self) -> InsertResult:
        """Return the outcome of the whole frame."""
        return InsertResult(self._inserted, self._ids, self._errors)


async def _send(
    target: Target, model: type[DocumentModel], documents: Documents, account: _Account
) -> None:
    """Store some rows by one command, and enter what becomes of each."""
    action = f"insert_dataframe of {model.__name__}"
    # One after another, the first failure is the last: nothing behind it is written.
    in_order = account.on_duplicate == "raise" and account.on_error == "raise"
    command = _command(target, documents, account.on_duplicate, in_order=in_order)
    reply: dict[str, Any] = {}
    if documents.raws:
        rows = range(documents.start, documents.start + documents.count)
        account.sending(rows, lambda: command.is_unknown)
        async with target.call(action) as turn:
            reply = await send_many(target, turn, command)
        command.settle()
    problems = write_errors(reply)
    if problems and target.session is not None:
        raise account.undone(_failures(problems, documents, "raise"))
    unwritten = set(problems)
    if unwritten and in_order:
        unwritten = set(range(min(unwritten), len(documents.raws)))
    there = {place for place, p in problems.items() if p.get("keyPattern") == {"_id": 1}}
    account.sent(documents, _failures(problems, documents, account.on_duplicate), unwritten, there)
    raise_unconfirmed(reply, action)


def _command(
    target: Target, documents: Documents, on_duplicate: OnDuplicate, *, in_order: bool
) -> WriteCommand:
    name = target.collection.name
    if on_duplicate == "replace" and documents.given:
        statements = [*map(replacement, documents.ids, documents.raws)]
        body = update_many(name, statements, ordered=False)
    else:
        body = insert_many(name, documents.raws, ordered=in_order)
    return WriteCommand(target.collection, body)


def _failures(
    problems: dict[int, dict[str, Any]], documents: Documents, on_duplicate: OnDuplicate
) -> list[RowError]:
    failed: list[RowError] = []
    for place, problem in problems.items():
        row = documents.rows[place]
        if problem.get("code") != DUPLICATE_KEY:
            failed.append(RowError(row, "", reason_of(problem)))
        elif on_duplicate != "ignore":
            error = duplicate_key(problem, "duplicate key")
            failed.append(RowError(row, ", ".join(error.key), error.message))
    return failed
