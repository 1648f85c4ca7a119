"""Rows to updates: each column is validated by its field, and key columns find the documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson.raw_bson import RawBSONDocument
from pydantic import ValidationError

from ..errors import EncodingError, InvalidId
from ..model.auto_fields import stored_auto_value, write_auto_values
from ..model.codecs import model_codec
from ..model.document import DocumentModel
from ..model.document_encoding import encode_document
from ..model.field_validators import column_validator
from ..model.identity import checked_id, id_filter
from ..model.model_codec import StoredField
from ..model.polymorphism import scope_of, tag_of
from ..model.revisions import revision_to_count
from .chunks import Chunk
from .columns import encode_column, fields_by_column
from .prepared_rows import PreparedRows, encoding_error
from .results import FrameError, RowError


@dataclass
class PreparedUpdates(PreparedRows):
    """The updates of a chunk.

    Parameters:
        is_multi: Whether a row may update many documents, as MongoDB's `multi`.
    """

    is_multi: bool = False


@dataclass(frozen=True)
class _Rules:
    """What the updates of all rows of a chunk have in common.

    Parameters:
        keys: The stored names of the key columns.
        scope: The condition for documents of the model in a shared collection.
        auto_values: The values that every update sets besides those of its row.
        operators: The operators that every update has besides `$set`.
    """

    keys: Sequence[str]
    scope: dict[str, Any]
    auto_values: dict[str, Any]
    operators: dict[str, Any]


class UpdatePreparer:
    """Turns the chunks of a frame into updates.

    Parameters:
        model: The model.
        on: The key columns: a row updates the documents that have its values of them.
        upsert: Whether a row that matches no document inserts one.
    """

    def __init__(self, model: type[DocumentModel], on: Sequence[str], *, upsert: bool) -> None:
        self._model = model
        self._on = list(dict.fromkeys(on))
        self._upsert = upsert
        self._row_by_key: dict[bytes, int] = {}
        self._revision = revision_to_count(model)

    def prepare(self, chunk: Chunk, now: datetime) -> PreparedUpdates:
        """Return the updates of a chunk.

        Parameters:
            chunk: The next chunk of the frame.
            now: The time to store in auto fields.

        Raises:
            FrameError: The model has no field for a column, a key column is missing, there is
                nothing to set, or a column is the revision.
        """
        fields = fields_by_column(self._model, list(chunk.columns))
        rules = self._rules(fields, now)
        # An id matches one document at most, and only such an update can be sent again.
        updates = PreparedUpdates(chunk.count, is_multi="_id" not in rules.keys)
        columns = self._encoded_columns(chunk, fields, updates.errors)
        _refuse_revision(fields)
        self._check_something_to_set(columns, rules)
        refused = {error.row for error in updates.errors}
        for row, values in enumerate(zip(*columns.values(), strict=True), chunk.start):
            if row in refused:
                continue
            document = dict(zip(columns, values, strict=True))
            try:
                self._add(updates, row, document, rules)
            except (EncodingError, InvalidId) as error:
                updates.errors.append(encoding_error(row, error))
        updates.errors.sort(key=lambda error: error.row)
        return updates

    def _encoded_columns(
        self, chunk: Chunk, fields: dict[str, StoredField], errors: list[RowError]
    ) -> dict[str, list[Any]]:
        """Return the columns as they are stored, by stored name; add the errors of refused rows."""
        columns: dict[str, list[Any]] = {}
        for name, field in fields.items():
            columns[field.stored_name], refused = self._validated_column(name, field, chunk)
            errors += refused
        for name in chunk.columns.keys() - fields.keys():  # the model has `extra="allow"`
            columns[name], refused = encode_column(name, None, chunk.columns[name], chunk.start)
            errors += refused
        return columns

    def _check_something_to_set(self, columns: dict[str, list[Any]], rules: _Rules) -> None:
        if not columns.keys() - set(rules.keys) and not rules.auto_values:
            raise FrameError(
                "the frame has no column besides those of on: there is nothing to set",
                columns=self._on,
                hint="add the columns to be set",
            )

    def _rules(self, fields: dict[str, StoredField], now: datetime) -> _Rules:
        keys, operators = self._keys(fields), dict[str, Any]()
        if self._revision is not None:
            operators["$inc"] = {self._revision: 1}
        on_insert = self._values_on_insert(fields, keys, now)
        if on_insert and self._upsert:
            operators["$setOnInsert"] = on_insert
        auto_values = write_auto_values(self._model, now)
        return _Rules(keys, scope_of(self._model), auto_values, operators)

    def _values_on_insert(
        self, fields: dict[str, StoredField], keys: Sequence[str], now: datetime
    ) -> dict[str, Any]:
        """Return the values that only new documents get: the tag, and times of insertion."""
        given = {field.stored_name for field in fields.values()}
        tag = tag_of(self._model)
        values = {} if tag is None else dict([tag])
        values |= {
            f.stored_name: stored_auto_value(f, now)
            for f in model_codec(self._model).auto_fields
            if not f.on_write and not f.is_revision and f.stored_name not in given
        }
        return {name: value for name, value in values.items() if name not in keys}

    def _keys(self, fields: dict[str, StoredField]) -> list[str]:
        """Return the stored names of the key columns."""
        by_name = {f.name: f for f in fields.values()} | {f.stored_name: f for f in fields.values()}
        missing = [name for name in self._on if name not in by_name]
        if missing or not self._on:
            raise FrameError(
                f"the frame has no column {', '.join(missing)}, by which documents are to be found"
                if missing
                else "on has no columns, by which documents are to be found",
                columns=missing,
                hint=f"the frame has {', '.join(fields)}",
            )
        return [by_name[name].stored_name for name in self._on]

    def _validated_column(
        self, name: str, field: StoredField, chunk: Chunk
    ) -> tuple[list[Any], list[RowError]]:
        """Return a column's values as they are stored, and the rows that its field refuses."""
        values = chunk.columns[name]
        validator = column_validator(self._model, field.name)
        errors: list[RowError] = []
        try:
            validated = validator.validate_python(values, by_alias=True, by_name=True)
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                index, *path = detail["loc"]
                column = ".".join(map(str, (name, *path)))
                errors.append(RowError(chunk.start + int(index), column, detail["msg"]))
            invalid = {error.row - chunk.start for error in errors}
            valid = [index for index in range(len(values)) if index not in invalid]
            some = validator.validate_python(
                [values[index] for index in valid], by_alias=True, by_name=True
            )
            validated = [None] * len(values)
            for index, value in zip(valid, some, strict=True):
                validated[index] = value
        encoded, more = encode_column(name, field, validated, chunk.start)
        return encoded, errors + more

    def _add(
        self, updates: PreparedUpdates, row: int, document: dict[str, Any], rules: _Rules
    ) -> None:
        """Add the update of a row, or its error.

        Raises:
            EncodingError: A value cannot be stored.
            InvalidId: The id cannot be stored.
        """
        codec = model_codec(self._model)
        key = {name: document.pop(name) for name in rules.keys}
        raw_key = encode_document(key)
        encode_document(document)  # with a value that cannot be stored the whole command would fail
        null = next((name for name, value in key.items() if value is None), None)
        earlier = self._row_by_key.setdefault(raw_key, row)
        if null is not None:
            updates.errors.append(RowError(row, null, "null finds no document"))
            return
        if earlier != row:
            reason = f"row {earlier} has the same key"
            updates.errors.append(RowError(row, ", ".join(rules.keys), reason))
            return
        query = {name: {"$eq": value} for name, value in codec.thin(key).items()} | rules.scope
        if "_id" in key:
            query |= id_filter(checked_id(self._model, key["_id"]))
        update = codec.setting(document | rules.auto_values) | rules.operators
        statement = {"q": query, "u": update, "upsert": self._upsert, "multi": updates.is_multi}
        raw = RawBSONDocument(encode_document(statement))
        updates.rows.append(row)
        updates.statements.append(raw)


def _refuse_revision(fields: dict[str, StoredField]) -> None:
    counted = [column for column, field in fields.items() if field.is_revision]
    if counted:
        raise FrameError(
            f"the column {counted[0]} counts the writes of a document; Loom sets it",
            columns=counted,
            hint="drop this column",
        )
