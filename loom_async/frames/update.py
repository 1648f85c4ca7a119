"""`update_dataframe`: the rows of a frame update documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from .._core.argument_checks import check_choice
from .._core.frames.results import UpdateResult
from .._core.model.append_only import refuse_change
from .._core.model.document import DocumentModel
from .._core.model.write_statements import update_many
from ..operations.target import Target, target_of
from ..operations.write_command import WriteCommand
from .frame_writer import OnError, RowWriter, write_frame

if TYPE_CHECKING:
    from .._core.frames.update_rows import PreparedUpdates


async def update_dataframe(
    model: type[DocumentModel],
    frame: Any,
    *,
    on: Sequence[str],
    upsert: bool,
    on_error: OnError,
    progress: bool | None,
) -> UpdateResult:
    """Update documents by the rows of a frame; see `PersistableBase.update_dataframe`."""
    from .._core.frames.update_rows import UpdatePreparer

    refuse_change(model, "update_dataframe")
    check_choice("on_error", on_error, get_args(OnError))
    action = f"update_dataframe of {model.__name__}"
    writer = _UpdateWriter(await target_of(model), action, on_error)
    prepare = UpdatePreparer(model, on, upsert=upsert).prepare
    await write_frame(frame, prepare, writer, label=f"update {model.__name__}", progress=progress)
    return writer.result()


class _UpdateWriter(RowWriter["PreparedUpdates"]):
    def __init__(self, target: Target, action: str, on_error: OnError) -> None:
        super().__init__(target, action, on_error)
        self._matched = self._modified = self._inserted = 0

    def command(self, rows: PreparedUpdates) -> WriteCommand:
        collection = self.target.collection
        body = update_many(collection.name, rows.statements, ordered=False)
        # The server remembers no update of many documents, so that it cannot be sent again.
        return WriteCommand(collection, body, is_numbered=not rows.is_multi)

    def count(self, rows: PreparedUpdates, reply: Mapping[str, Any], unwritten: set[int]) -> None:
        inserted = len(reply.get("upserted", ()))
        self._matched += reply.get("n", 0) - inserted
        self._modified += reply.get("nModified", 0)
        self._inserted += inserted

    def result(self) -> UpdateResult:
        """Return the result for the whole frame."""
        return UpdateResult(self._matched, self._modified, self._inserted, self.errors)
