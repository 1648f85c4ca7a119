"""Rows become updates: each column checked by its field, each row found by its key columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bson.raw_bson import RawBSONDocument
from pydantic import ValidationError

from ..errors import EncodingError, InvalidId
from ..model.annotations import model_codec
from ..model.auto_fields import stamp, write_auto_values
from ..model.document import DocumentModel
from ..model.document_encoding import encode_document
from ..model.identity import checked_id, id_filter
from ..model.model_codec import StoredField
from ..model.polymorphism import scope_of, tag_of
from ..model.revisions import revision_to_count
from ..model.write_statements import batches
from .chunks import Chunk
from .columns import column_validator, fields_by_column
from .insert_rows import encoded_column, row_error
from .results import FrameError, RowError


@dataclass
class Updates:
    """The updates of a chunk, ready to be sent.

    Parameters:
        count: How many rows the chunk has.
        rows: The places of the updates' rows in the frame.
        statements: What to send for each, in BSON.
        meets_many: Whether a row may be for many documents.
        errors: The rows refused.
    """

    count: int
    rows: list[int] = field(default_factory=list[int])
    statements: list[RawBSONDocument] = field(default_factory=list[RawBSONDocument])
    meets_many: bool = False
    errors: list[RowError] = field(default_factory=list[RowError])

    def parts(self, max_statements: int) -> Iterator[Updates]:
        """Yield the updates in parts that each go into one command.

        Parameters:
            largest: How many updates a command may have.
        """
        for part in batches([len(one.raw) for one in self.statements], max_statements):
            rows, statements = self.rows[part], self.statements[part]
            yield Updates(len(rows), rows, statements, self.meets_many)


class UpdatePlanner:
    """Turns chunks into updates.

    Parameters:
        model: The model.
        on: The columns that say which documents a row is for.
        upsert: Whether a row that meets no document becomes one.
    """

    def __init__(self, model: type[DocumentModel], on: Sequence[str], *, upsert: bool) -> None:
        self._model = model
        self._on = list(dict.fromkeys(on))
        self._upsert = upsert
        self._seen: dict[bytes, int] = {}
        self._revision = revision_to_count(model)

    def updates(self, chunk: Chunk, now: datetime) -> Updates:
        """Return the updates of a chunk.

        Raises:
            FrameError: The model lacks a column, or the frame a key.
        """
        fields = fields_by_column(self._model, list(chunk.columns))
        keys = self._keys(fields)
        # An id meets one document at most, and only such an update can be sent again.
        found = Updates(chunk.count, meets_many="_id" not in keys)
        values: dict[str, list[Any]] = {}
        refused: set[int] = set()
        for column, stored in fields.items():
            values[column], bad = self._checked(column, stored, chunk)
            found.errors += bad
            refused |= {error.row - chunk.start for error in bad}
        self._refuse_revisions(fields)
        auto_values, on_insert = _stamps(self._model, fields, now)
        names = {column: fields[column].stored_name for column in values}
        for column in chunk.columns.keys() - fields.keys():  # where the model allows any
            values[column], bad = encoded_column(column, None, chunk.columns[column], chunk.start)
            names[column] = column
            found.errors += bad
            refused |= {error.row - chunk.start for error in bad}
        if not (names.keys() - _columns_of(fields, keys)) and not auto_values:
            raise FrameError(
                "the frame has no column besides those of on: there is nothing to set",
                columns=self._on,
                hint="add the columns to be set",
            )
        for place, row in enumerate(zip(*values.values(), strict=True)):
            if place in refused:
                continue
            document = dict(zip(names.values(), row, strict=True))
            try:
                self._add(found, chunk.start + place, document, keys, auto_values, on_insert)
            except (EncodingError, InvalidId) as error:
                found.errors.append(row_error(chunk.start + place, error))
        found.errors.sort(key=lambda error: error.row)
        return found

    def _refuse_revisions(self, fields: dict[str, StoredField]) -> None:
        counted = [column for column, stored in fields.items() if stored.is_revision]
        if counted:
            raise FrameError(
                f"the column {counted[0]} counts the writes of a document by itself",
                columns=counted,
                hint="leave it out of the frame",
            )

    def _keys(self, fields: dict[str, StoredField]) -> list[str]:
        by_name = {name: f for f in fields.values() for name in (f.name, f.stored_name)}
        missing = [name for name in self._on if name not in by_name]
        if missing or not self._on:
            raise FrameError(
                f"the frame has no column {', '.join(missing)}, by which its rows are to be found"
                if missing
                else "on names no column",
                columns=missing,
                hint=f"it has {', '.join(fields)}",
            )
        return [by_name[name].stored_name for name in self._on]

    def _checked(
        self, column: str, stored: StoredField, chunk: Chunk
    ) -> tuple[list[Any], list[RowError]]:
        """Return a column's values as they are stored, and the rows that its field refuses."""
        values = chunk.columns[column]
        errors: list[RowError] = []
        validator = column_validator(self._model, stored.name)
        places = list(range(len(values)))
        try:
            checked: list[Any] = validator.validate_python(values, by_alias=True, by_name=True)
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                place, *path = detail["loc"]
                where = ".".join(map(str, (column, *path)))
                errors.append(RowError(chunk.start + int(place), where, detail["msg"]))
            bad = {error.row - chunk.start for error in errors}
            places = [place for place in places if place not in bad]
            good = [values[place] for place in places]
            checked = validator.validate_python(good, by_alias=True, by_name=True)
        whole: list[Any] = [None] * len(values)
        for place, value in zip(places, checked, strict=True):
            whole[place] = value
        encoded, more = encoded_column(column, stored, whole, chunk.start)
        return encoded, errors + more

    def _add(
        self,
        found: Updates,
        row: int,
        document: dict[str, Any],
        keys: Sequence[str],
        auto_values: dict[str, Any],
        on_insert: dict[str, Any],
    ) -> None:
        key = {name: document.pop(name) for name in keys}
        raw = encode_document(key)
        encode_document(document)  # what cannot be stored would end the whole batch
        null = next((name for name, value in key.items() if value is None), None)
        earlier = self._seen.setdefault(raw, row)
        if null is not None:
            found.errors.append(RowError(row, null, "null finds no document"))
            return
        if earlier != row:
            found.errors.append(RowError(row, ", ".join(keys), f"row {earlier} has the same key"))
            return
        update: dict[str, Any] = {"$set": document | auto_values} if document or auto_values else {}
        if self._revision is not None:
            update["$inc"] = {self._revision: 1}
        fresh = {name: value for name, value in on_insert.items() if name not in key}
        if fresh and self._upsert:
            update["$setOnInsert"] = fresh
        matched = {name: {"$eq": value} for name, value in key.items()} | scope_of(self._model)
        if "_id" in key:
            matched |= id_filter(checked_id(self._model, key["_id"]))
        found.rows.append(row)
        statement = {"q": matched, "u": update, "upsert": self._upsert, "multi": found.meets_many}
        found.statements.append(RawBSONDocument(encode_document(statement)))


def _columns_of(fields: dict[str, StoredField], keys: Sequence[str]) -> set[str]:
    """Return the columns whose fields have these stored names."""
    return {column for column, stored in fields.items() if stored.stored_name in keys}


def _stamps(
    model: type[DocumentModel], fields: dict[str, StoredField], now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what every write sets, and what only a new document gets."""
    given = {f.stored_name for f in fields.values()}
    tag = tag_of(model)
    on_insert = {} if tag is None else dict([tag])
    on_insert |= {
        f.stored_name: stamp(f, now)
        for f in model_codec(model).auto_fields
        if not f.on_write and not f.is_revision and f.stored_name not in given
    }
    return write_auto_values(model, now), on_insert
