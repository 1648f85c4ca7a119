"""Rows become documents: checked by the model and encoded, each refusal with its row and column."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bson.raw_bson import RawBSONDocument
from pydantic import TypeAdapter, ValidationError

from ..errors import EncodingError, InvalidId
from ..model.annotations import model_codec
from ..model.auto_fields import stamp
from ..model.document import DocumentModel
from ..model.document_encoding import encode_document
from ..model.hydration import collector_paused
from ..model.identity import checked_id
from ..model.model_codec import StoredField
from ..model.polymorphism import tag_of
from ..model.write_plan import Insertion, plan_persist
from ..model.write_statements import batches
from ..types.values import to_bson
from .chunks import Chunk
from .columns import fields_by_column
from .results import RowError


@dataclass
class Documents:
    """The documents of a chunk, ready to be sent.

    Parameters:
        start: The place of the chunk's first row in the frame.
        count: How many rows the chunk has.
        rows: The places of the documents' rows in the frame.
        ids: Their ids.
        raws: The documents themselves, in BSON.
        given: Whether the frame has their ids, so that they may exist.
        errors: The rows refused.
    """

    start: int
    count: int
    rows: list[int] = field(default_factory=list[int])
    ids: list[Any] = field(default_factory=list[Any])
    raws: list[RawBSONDocument] = field(default_factory=list[RawBSONDocument])
    given: bool = False
    errors: list[RowError] = field(default_factory=list[RowError])

    def parts(self, max_statements: int) -> Iterator[Documents]:
        """Yield the chunk in parts that each go into one command; its refused rows are left out.

        Parameters:
            largest: How many documents a command may have.
        """
        slices = [*batches([len(raw.raw) for raw in self.raws], max_statements)]
        starts = [self.start, *(self.rows[part.start] for part in slices[1:])]
        ends = [*starts[1:], self.start + self.count]
        for part, start, end in zip(slices or [slice(0, 0)], starts, ends, strict=True):
            rows, ids, raws = self.rows[part], self.ids[part], self.raws[part]
            yield Documents(start, end - start, rows, ids, raws, self.given)


class Encoder:
    """Turns chunks into documents by way of the model, or past its validation.

    Parameters:
        model: The model.
        validate: Whether each row becomes an object of the model first.
    """

    def __init__(self, model: type[DocumentModel], *, validate: bool) -> None:
        self._model = model
        self._validate = validate
        self._seen: dict[Any, int] = {}
        self._adapter: TypeAdapter[list[Any]] = TypeAdapter(list[model])  # type: ignore[valid-type]

    def documents(self, chunk: Chunk, now: datetime) -> Documents:
        """Return the documents of a chunk.

        Raises:
            FrameError: The model lacks a column.
        """
        columns = fields_by_column(self._model, list(chunk.columns))
        with collector_paused():
            if self._validate:
                documents = self._validated(chunk, columns, now)
            else:
                documents = self._unvalidated(chunk, columns, now)
        documents.given = any(f.stored_name == "_id" for f in columns.values())
        if documents.given:
            self._refuse_unstorable(documents)
            self._refuse_repeated(documents)
        documents.errors.sort(key=lambda error: error.row)
        return documents

    def _validated(self, chunk: Chunk, columns: dict[str, StoredField], now: datetime) -> Documents:
        found = Documents(chunk.start, chunk.count)
        rows = list(self._rows(chunk, columns))
        objects = self._objects(rows, found, columns)
        for place, made in objects:
            row = chunk.start + place
            try:
                plan = plan_persist(made, now)
                assert isinstance(plan, Insertion)
                raw = RawBSONDocument(plan.raw)
            except ValueError as error:
                found.errors.append(row_error(row, error))
                continue
            found.rows.append(row)
            found.ids.append(plan.id)
            found.raws.append(raw)
        return found

    def _rows(self, chunk: Chunk, columns: dict[str, StoredField]) -> Iterator[dict[str, Any]]:
        names = [columns[n].name if n in columns else n for n in chunk.columns]
        if not names:
            yield from ({} for _ in range(chunk.count))
            return
        for values in zip(*chunk.columns.values(), strict=True):
            row = dict(zip(names, values, strict=True))
            if row.get("id", ...) is None:
                del row["id"]  # a row without an id gets one
            yield row

    def _objects(
        self, rows: list[dict[str, Any]], found: Documents, columns: dict[str, StoredField]
    ) -> list[tuple[int, Any]]:
        try:
            return list(enumerate(self._validate_all(rows)))
        except ValidationError as error:
            shown = {f.name: column for column, f in columns.items()}
            refused: set[int] = set()
            for detail in error.errors(include_url=False, include_input=False):
                place, *path = detail["loc"]
                name, *below = map(str, path) if path else ("",)
                column = ".".join([shown.get(name, name), *below])
                refused.add(int(place))
                found.errors.append(RowError(found.start + int(place), column, detail["msg"]))
        places = [place for place in range(len(rows)) if place not in refused]
        return list(zip(places, self._validate_all([rows[p] for p in places]), strict=True))

    def _validate_all(self, rows: list[dict[str, Any]]) -> list[Any]:
        return self._adapter.validate_python(rows, by_alias=True, by_name=True)

    def _unvalidated(
        self, chunk: Chunk, columns: dict[str, StoredField], now: datetime
    ) -> Documents:
        found = Documents(chunk.start, chunk.count)
        encoded: dict[str, list[Any]] = {}
        for name, values in chunk.columns.items():
            stored = columns.get(name)
            key = stored.stored_name if stored else name
            encoded[key], errors = encoded_column(name, stored, values, chunk.start)
            found.errors += errors
        make_id: Any = self._model.model_fields["id"].default_factory
        found.ids = encoded.pop("_id", [None] * chunk.count)
        if make_id is not None:
            found.ids = [make_id() if id is None else id for id in found.ids]
        for f in model_codec(self._model).auto_fields:
            _stamp(f, encoded, chunk.count, now)
        tag = tag_of(self._model)
        if tag is not None:
            encoded[tag[0]] = [tag[1]] * chunk.count
        names = ["_id", *encoded]
        found.rows = list(range(chunk.start, chunk.start + chunk.count))
        for row, made in enumerate(zip(found.ids, *encoded.values(), strict=True)):
            try:
                raw = RawBSONDocument(encode_document(dict(zip(names, made, strict=True))))
            except EncodingError as error:
                raw = RawBSONDocument(_EMPTY)
                found.errors.append(row_error(chunk.start + row, error))
            found.raws.append(raw)
        _leave_out(found, {error.row for error in found.errors})
        return found

    def _refuse_unstorable(self, found: Documents) -> None:
        """Refuse the rows whose id MongoDB cannot store: it would end the whole batch."""
        refused: set[int] = set()
        for row, id in zip(found.rows, found.ids, strict=True):
            try:
                checked_id(self._model, id)
            except InvalidId as error:
                refused.add(row)
                found.errors.append(row_error(row, error))
        _leave_out(found, refused)

    def _refuse_repeated(self, found: Documents) -> None:
        """Refuse the rows whose id a row before them has, in whatever chunk."""
        repeated: set[int] = set()
        for row, id in zip(found.rows, found.ids, strict=True):
            earlier = self._seen.setdefault(_key(id), row)
            if earlier != row:
                repeated.add(row)
                found.errors.append(RowError(row, "_id", f"row {earlier} has the id {id!r} too"))
        _leave_out(found, repeated)


_EMPTY = b"\x05\0\0\0\0"


def row_error(row: int, error: ValueError) -> RowError:
    """Return the error of a row whose values cannot be encoded."""
    if isinstance(error, EncodingError):
        return RowError(row, error.path, error.reason)
    if isinstance(error, InvalidId):
        return RowError(row, "_id", error.message)
    return RowError(row, "", str(error))


def encoded_column(
    name: str, stored: StoredField | None, values: list[Any], start: int
) -> tuple[list[Any], list[RowError]]:
    """Return a column's values as they are stored, null for those that cannot be.

    Parameters:
        name: The column.
        stored: Its field; None if the model has none for it.
        values: The values.
        start: The place of the first in the frame.
    """
    if stored is not None and stored.codec.is_identity:
        return values, []
    encode: Callable[[Any], Any] = to_bson if stored is None else stored.codec.encode
    try:
        return [None if value is None else encode(value) for value in values], []
    except (TypeError, ValueError, AttributeError):
        encoded: list[Any] = []
        errors: list[RowError] = []
    for row, value in enumerate(values, start):
        try:
            encoded.append(None if value is None else encode(value))
        except (TypeError, ValueError, AttributeError) as error:
            encoded.append(None)
            reason = error.reason if isinstance(error, EncodingError) else str(error)
            errors.append(RowError(row, name, reason))
    return encoded, errors


def _stamp(f: StoredField, encoded: dict[str, list[Any]], count: int, now: datetime) -> None:
    made = stamp(f, now)
    if f.on_write or f.stored_name not in encoded:
        encoded[f.stored_name] = [made] * count
    else:
        values = encoded[f.stored_name]
        encoded[f.stored_name] = [made if value is None else value for value in values]


def _key(id: Any) -> Any:
    return id if getattr(id, "__hash__", None) else repr(id)


def _leave_out(found: Documents, rows: set[int]) -> None:
    if rows:
        kept = [place for place, row in enumerate(found.rows) if row not in rows]
        found.rows = [found.rows[place] for place in kept]
        found.ids = [found.ids[place] for place in kept]
        found.raws = [found.raws[place] for place in kept]
