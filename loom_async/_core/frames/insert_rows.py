"""Rows to documents: validated by the model and encoded, with the row and column of each error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from bson.raw_bson import RawBSONDocument
from pydantic import TypeAdapter, ValidationError

from ..errors import EncodingError, InvalidId
from ..model.auto_fields import stored_auto_value
from ..model.codecs import model_codec
from ..model.document import DocumentModel
from ..model.document_encoding import encode_document
from ..model.hydration import collector_paused
from ..model.identity import checked_id
from ..model.model_codec import StoredField
from ..model.polymorphism import tag_of
from ..model.write_attempt import Insertion
from ..model.write_plan import plan_persist
from .chunks import Chunk
from .columns import encode_column, fields_by_column
from .prepared_rows import PreparedRows, encoding_error
from .results import RowError


@dataclass
class PreparedDocuments(PreparedRows):
    """The documents of a chunk.

    Parameters:
        ids: The id of each document.
        has_given_ids: Whether the frame has a column of ids, so that documents may exist already.
    """

    ids: list[Any] = field(default_factory=list[Any])
    has_given_ids: bool = False

    def _part(self, part: slice[int, int]) -> Self:
        return replace(super()._part(part), ids=self.ids[part])


class InsertPreparer:
    """Turns the chunks of a frame into documents.

    Parameters:
        model: The model.
        validate: Whether the model validates each row.
    """

    def __init__(self, model: type[DocumentModel], *, validate: bool) -> None:
        self._model = model
        self._validate = validate
        self._row_by_id: dict[Any, int] = {}
        self._adapter: TypeAdapter[list[Any]] = TypeAdapter(list[model])  # type: ignore[valid-type]

    def prepare(self, chunk: Chunk, now: datetime) -> PreparedDocuments:
        """Return the documents of a chunk.

        Parameters:
            chunk: The next chunk of the frame.
            now: The time to store in auto fields.

        Raises:
            FrameError: The model has no field for a column.
        """
        fields = fields_by_column(self._model, list(chunk.columns))
        prepare = self._validated if self._validate else self._unvalidated
        with collector_paused():
            documents = prepare(chunk, fields, now)
        documents.has_given_ids = any(f.stored_name == "_id" for f in fields.values())
        if documents.has_given_ids:
            self._refuse_invalid_ids(documents)
            self._refuse_repeated_ids(documents)
        documents.errors.sort(key=lambda error: error.row)
        return documents

    def _validated(
        self, chunk: Chunk, fields: dict[str, StoredField], now: datetime
    ) -> PreparedDocuments:
        documents = PreparedDocuments(chunk.count)
        rows = list(_rows_of(chunk, fields))
        for index, instance in self._validate_rows(rows, chunk, fields, documents.errors):
            row = chunk.start + index
            try:
                plan = plan_persist(instance, now, is_validated=True)
                assert isinstance(plan, Insertion)
                raw = RawBSONDocument(plan.raw)
            except ValueError as error:
                documents.errors.append(encoding_error(row, error))
                continue
            documents.rows.append(row)
            documents.ids.append(plan.id)
            documents.statements.append(raw)
        return documents

    def _validate_rows(
        self,
        rows: list[dict[str, Any]],
        chunk: Chunk,
        fields: dict[str, StoredField],
        errors: list[RowError],
    ) -> list[tuple[int, Any]]:
        """Return the valid rows as objects, with indexes in the chunk; add the others' errors."""
        try:
            return list(enumerate(self._validate_all(rows)))
        except ValidationError as error:
            columns = {f.name: column for column, f in fields.items()}
            invalid: set[int] = set()
            for detail in error.errors(include_url=False, include_input=False):
                index, *path = detail["loc"]
                name, *nested = map(str, path) if path else ("",)
                column = ".".join([columns.get(name, name), *nested])
                invalid.add(int(index))
                errors.append(RowError(chunk.start + int(index), column, detail["msg"]))
        valid = [index for index in range(len(rows)) if index not in invalid]
        return list(zip(valid, self._validate_all([rows[i] for i in valid]), strict=True))

    def _validate_all(self, rows: list[dict[str, Any]]) -> list[Any]:
        return self._adapter.validate_python(rows, by_alias=True, by_name=True)

    def _unvalidated(
        self, chunk: Chunk, fields: dict[str, StoredField], now: datetime
    ) -> PreparedDocuments:
        documents = PreparedDocuments(chunk.count)
        columns: dict[str, list[Any]] = {}
        for name, values in chunk.columns.items():
            column_field = fields.get(name)
            stored_name = name if column_field is None else column_field.stored_name
            columns[stored_name], errors = encode_column(name, column_field, values, chunk.start)
            documents.errors += errors
        documents.ids = self._with_new_ids(columns.pop("_id", [None] * chunk.count))
        for auto_field in model_codec(self._model).auto_fields:
            _fill_auto_field(auto_field, columns, chunk.count, now)
        tag = tag_of(self._model)
        if tag is not None:
            columns[tag[0]] = [tag[1]] * chunk.count
        documents.rows = list(range(chunk.start, chunk.start + chunk.count))
        names = ["_id", *columns]
        rows = zip(documents.ids, *columns.values(), strict=True)
        thin = model_codec(self._model).thin
        for row, row_values in enumerate(rows, chunk.start):
            try:
                document = thin(dict(zip(names, row_values, strict=True)))
                raw = RawBSONDocument(encode_document(document))
            except EncodingError as error:
                raw = RawBSONDocument(_EMPTY_DOCUMENT)
                documents.errors.append(encoding_error(row, error))
            documents.statements.append(raw)
        _remove(documents, {error.row for error in documents.errors})
        return documents

    def _with_new_ids(self, ids: list[Any]) -> list[Any]:
        make_id: Any = self._model.model_fields["id"].default_factory
        return ids if make_id is None else [make_id() if id is None else id for id in ids]

    def _refuse_invalid_ids(self, documents: PreparedDocuments) -> None:
        """Refuse the rows whose id MongoDB cannot store, which would fail the whole command."""
        refused: set[int] = set()
        for row, id in zip(documents.rows, documents.ids, strict=True):
            try:
                checked_id(self._model, id)
            except InvalidId as error:
                refused.add(row)
                documents.errors.append(encoding_error(row, error))
        _remove(documents, refused)

    def _refuse_repeated_ids(self, documents: PreparedDocuments) -> None:
        """Refuse the rows that have the id of an earlier row, of this chunk or an earlier one."""
        refused: set[int] = set()
        for row, id in zip(documents.rows, documents.ids, strict=True):
            earlier = self._row_by_id.setdefault(_hashable(id), row)
            if earlier != row:
                refused.add(row)
                reason = f"row {earlier} has the id {id!r} too"
                documents.errors.append(RowError(row, "_id", reason))
        _remove(documents, refused)


_EMPTY_DOCUMENT = b"\x05\0\0\0\0"


def _rows_of(chunk: Chunk, fields: dict[str, StoredField]) -> Iterator[dict[str, Any]]:
    """Yield the values of each row by the names of fields."""
    names = [fields[n].name if n in fields else n for n in chunk.columns]
    if not names:
        yield from ({} for _ in range(chunk.count))
        return
    for values in zip(*chunk.columns.values(), strict=True):
        row = dict(zip(names, values, strict=True))
        if row.get("id", ...) is None:
            del row["id"]  # the model makes an id for it
        yield row


def _fill_auto_field(
    auto_field: StoredField, columns: dict[str, list[Any]], count: int, now: datetime
) -> None:
    value, name = stored_auto_value(auto_field, now), auto_field.stored_name
    if auto_field.on_write or name not in columns:
        columns[name] = [value] * count
    else:
        columns[name] = [value if given is None else given for given in columns[name]]


def _hashable(id: Any) -> Any:
    return id if getattr(id, "__hash__", None) else repr(id)


def _remove(documents: PreparedDocuments, rows: set[int]) -> None:
    """Remove the documents of some rows."""
    if rows:
        kept = [index for index, row in enumerate(documents.rows) if row not in rows]
        documents.rows = [documents.rows[index] for index in kept]
        documents.ids = [documents.ids[index] for index in kept]
        documents.statements = [documents.statements[index] for index in kept]
