"""`insert_dataframe`: the rows of a frame become documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from .._core.argument_checks import check_choice
from .._core.driver_errors import duplicate_key
from .._core.errors import ConfigurationError
from .._core.frames.results import InsertResult, RowError
from .._core.model.append_only import refuse_change
from .._core.model.document import DocumentModel
from .._core.model.revisions import revision_of
from .._core.model.write_statements import insert_many, replacement, update_many
from .._core.server_codes import DUPLICATE_KEY
from .._core.write_replies import write_errors
from ..operations.target import Target, target_of
from ..operations.write_command import WriteCommand
from .frame_writer import OnError, RowWriter, write_frame

if TYPE_CHECKING:
    from .._core.frames.insert_rows import PreparedDocuments

OnDuplicate: TypeAlias = Literal["raise", "ignore", "replace"]


async def insert_dataframe(
    model: type[DocumentModel],
    frame: Any,
    *,
    validate: bool,
    on_duplicate: OnDuplicate,
    on_error: OnError,
    progress: bool | None,
) -> InsertResult:
    """Store the rows of a frame as documents; see `PersistableBase.insert_dataframe`."""
    from .._core.frames.insert_rows import InsertPreparer

    check_choice("on_duplicate", on_duplicate, get_args(OnDuplicate))
    check_choice("on_error", on_error, get_args(OnError))
    if on_duplicate == "replace":
        refuse_change(model, "insert_dataframe")
        _refuse_revision(model)
    action = f"insert_dataframe of {model.__name__}"
    writer = _InsertWriter(await target_of(model), action, on_duplicate, on_error)
    prepare = InsertPreparer(model, validate=validate).prepare
    await write_frame(frame, prepare, writer, label=f"insert {model.__name__}", progress=progress)
    return writer.result()


def _refuse_revision(model: type[DocumentModel]) -> None:
    """Refuse to replace documents that have a revision.

    Raises:
        ConfigurationError: The model has a revision.
    """
    revision = revision_of(model)
    if revision is not None:
        raise ConfigurationError(
            f"insert_dataframe would replace documents of {model.__name__} and count their "
            f"{revision} from 1, so that stale objects could overwrite them",
            hint='use update_dataframe(frame, on=["id"], upsert=True), which counts the revision',
        )


class _InsertWriter(RowWriter["PreparedDocuments"]):
    def __init__(
        self, target: Target, action: str, on_duplicate: OnDuplicate, on_error: OnError
    ) -> None:
        super().__init__(target, action, on_error)
        self._on_duplicate = on_duplicate
        # In order, the server writes no row after the first that it refuses.
        self._is_ordered = on_duplicate == "raise" and on_error == "raise"
        self._inserted = 0
        self._ids: dict[int, Any] = {}

    def command(self, rows: PreparedDocuments) -> WriteCommand:
        collection = self.target.collection
        if self._on_duplicate == "replace" and rows.has_given_ids:
            statements = [*map(replacement, rows.ids, rows.statements)]
            body = update_many(collection.name, statements, ordered=False)
        else:
            body = insert_many(collection.name, rows.statements, ordered=self._is_ordered)
        return WriteCommand(collection, body)

    def count(self, rows: PreparedDocuments, reply: Mapping[str, Any], unwritten: set[int]) -> None:
        self._inserted += len(rows.rows) - len(unwritten)
        existing = {
            index
            for index, error in write_errors(reply).items()
            if self.is_ignored(error) and error.get("keyPattern") == {"_id": 1}
        }
        without_id = unwritten - existing
        for index, (row, id) in enumerate(zip(rows.rows, rows.ids, strict=True)):
            if index not in without_id:
                self._ids[row] = id

    def is_ignored(self, error: Mapping[str, Any]) -> bool:
        return self._on_duplicate == "ignore" and error.get("code") == DUPLICATE_KEY

    def row_error(self, row: int, error: Mapping[str, Any]) -> RowError:
        if error.get("code") != DUPLICATE_KEY:
            return super().row_error(row, error)
        duplicate = duplicate_key(error, "duplicate key")
        return RowError(row, ", ".join(duplicate.key), duplicate.message)

    def result(self) -> InsertResult:
        """Return the result for the whole frame."""
        ids = [self._ids.get(row) for row in range(self.rows_done)]
        return InsertResult(self._inserted, ids, self.errors)
