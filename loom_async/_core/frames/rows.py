"""Rows become documents: checked by the model and encoded, each refusal with its row and column."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..errors import EncodingError
from ..model.annotations import model_codec
from ..model.document import DocumentModel, collector_paused
from ..model.markers import now as current_time
from ..model.model_codec import StoredField
from ..model.plan import Insertion, encode_document, plan_persist
from ..model.values import to_bson
from .chunks import Chunk
from .results import FrameError, RowError


@dataclass
class Documents:
    """The documents of a chunk, ready to be sent.

    Parameters:
        start: The place of the chunk's first row in the frame.
        count: How many rows the chunk has.
        rows: The places of the documents' rows in the frame.
        ids: Their ids.
        raws: Their BSON bytes.
        given: Whether the frame has their ids, so that they may exist.
        errors: The rows refused.
    """

    start: int
    count: int
    rows: list[int] = field(default_factory=list[int])
    ids: list[Any] = field(default_factory=list[Any])
    raws: list[bytes] = field(default_factory=list[bytes])
    given: bool = False
    errors: list[RowError] = field(default_factory=list[RowError])


def fields_by_column(model: type[DocumentModel], names: Sequence[str]) -> dict[str, StoredField]:
    """Return the model's field for each column of a frame, by its name or its stored name.

    Raises:
        FrameError: The model lacks a column, or two columns are of one field.
    """
    codec = model_codec(model)
    known = {f.name: f for f in codec.fields} | {f.stored_name: f for f in codec.fields}
    unknown = [name for name in names if name not in known]
    if unknown and model.model_config.get("extra") != "allow":
        near = next(iter(difflib.get_close_matches(unknown[0], known, 1)), None)
        raise FrameError(
            f"{model.__name__} has no field for the column{'s' if len(unknown) > 1 else ''} "
            f"{', '.join(unknown)}. Nothing was written",
            columns=unknown,
            hint=f"rename it to {near}, or drop it" if near else "drop what is not to be stored",
        )
    found: dict[str, StoredField] = {}
    for name in names:
        if name not in known:
            continue
        twin = next((other for other, f in found.items() if f is known[name]), None)
        if twin is not None:
            raise FrameError(
                f"the columns {twin} and {name} are both the field {known[name].name} of "
                f"{model.__name__}. Nothing was written",
                columns=[twin, name],
                hint="drop one of them",
            )
        found[name] = known[name]
    return found


class Encoder:
    """Turns chunks into documents by way of the model, or past its validation.

    Parameters:
        model: The model.
        validate: Whether each row becomes an object of the model first.
    """

    def __init__(self, model: type[DocumentModel], *, validate: bool) -> None:
        self._model = model
        self._validate = validate
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
        _refuse_repeated(documents)
        return documents

    def _validated(self, chunk: Chunk, columns: dict[str, StoredField], now: datetime) -> Documents:
        found = Documents(chunk.start, chunk.count)
        rows = list(self._rows(chunk, columns))
        objects = self._objects(rows, found, columns)
        for place, made in objects:
            row = chunk.start + place
            try:
                plan = plan_persist(made, now)
            except EncodingError as error:
                found.errors.append(RowError(row, error.path, error.reason))
                continue
            assert isinstance(plan, Insertion)
            found.rows.append(row)
            found.ids.append(plan.id)
            found.raws.append(plan.raw)
        found.errors.sort(key=lambda error: error.row)
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
        encoded = {
            columns[name].stored_name if name in columns else name: _encoded(
                columns.get(name), values
            )
            for name, values in chunk.columns.items()
        }
        make_id: Any = self._model.model_fields["id"].default_factory
        found.ids = encoded.pop("_id", [None] * chunk.count)
        if make_id is not None:
            found.ids = [make_id() if id is None else id for id in found.ids]
        for f in model_codec(self._model).stamped:
            _stamp(f, encoded, chunk.count, now)
        names = ["_id", *encoded]
        found.rows = list(range(chunk.start, chunk.start + chunk.count))
        for row, values in enumerate(zip(found.ids, *encoded.values(), strict=True)):
            try:
                found.raws.append(encode_document(dict(zip(names, values, strict=True))))
            except EncodingError as error:
                found.raws.append(b"")
                found.errors.append(RowError(chunk.start + row, error.path, error.reason))
        _leave_out(found, {error.row for error in found.errors})
        return found


def _encoded(stored: StoredField | None, values: list[Any]) -> list[Any]:
    if stored is None:
        return [to_bson(value) for value in values]
    if stored.codec.is_identity:
        return values
    encode: Callable[[Any], Any] = stored.codec.encode
    return [None if value is None else encode(value) for value in values]


def _stamp(f: StoredField, encoded: dict[str, list[Any]], count: int, now: datetime) -> None:
    function = f.on_write or f.on_insert
    assert function is not None
    made = f.codec.encode(now if function is current_time else function())
    if f.on_write or f.stored_name not in encoded:
        encoded[f.stored_name] = [made] * count
    else:
        values = encoded[f.stored_name]
        encoded[f.stored_name] = [made if value is None else value for value in values]


def _refuse_repeated(found: Documents) -> None:
    """Refuse the rows whose id a row before them has; without given ids there are none."""
    if not found.given or len(set(map(_key, found.ids))) == len(found.ids):
        return
    first: dict[Any, int] = {}
    repeated: set[int] = set()
    for row, id in zip(found.rows, found.ids, strict=True):
        earlier = first.setdefault(_key(id), row)
        if earlier != row:
            repeated.add(row)
            reason = f"row {earlier} has the id {id!r} too"
            found.errors.append(RowError(row, "_id", reason))
    _leave_out(found, repeated)
    found.errors.sort(key=lambda error: error.row)


def _key(id: Any) -> Any:
    return id if getattr(id, "__hash__", None) else repr(id)


def _leave_out(found: Documents, rows: set[int]) -> None:
    if rows:
        kept = [place for place, row in enumerate(found.rows) if row not in rows]
        found.rows = [found.rows[place] for place in kept]
        found.ids = [found.ids[place] for place in kept]
        found.raws = [found.raws[place] for place in kept]
