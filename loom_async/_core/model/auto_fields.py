"""The values that Loom fills in at a write: times, and what other functions return."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from ..clock import now as current_time
from ..types.scalars import ObjectIdCodec
from .codecs import model_codec
from .document import DocumentModel
from .model_codec import ModelCodec, StoredField


def auto_value(function: Callable[[], Any], now: datetime) -> Any:
    """Return the value of a field's function; all times of one operation are the same."""
    return now if function is current_time else function()


def stored_auto_value(field: StoredField, now: datetime) -> Any:
    """Return the stored form of the auto value of a field."""
    function = field.on_write or field.on_insert
    assert function is not None
    return field.codec.encode(auto_value(function, now))


def insertion_auto_values(
    codec: ModelCodec, encoded: dict[str, Any], now: datetime
) -> Iterator[tuple[str, Any]]:
    """Put the auto values of an insertion into a document; yield field names and values."""
    for field in codec.auto_fields:
        if field.on_write:
            value = auto_value(field.on_write, now)
        elif field.on_insert and encoded[field.stored_name] is None:
            value = auto_value(field.on_insert, now)
        else:
            continue
        encoded[field.stored_name] = field.codec.encode(value)
        yield field.name, value


def write_auto_values(model: type[DocumentModel], now: datetime) -> dict[str, Any]:
    """Return the auto values of every write of a model's documents, by stored name."""
    return {
        field.stored_name: stored_auto_value(field, now)
        for field in model_codec(model).auto_fields
        if field.on_write
    }


def latest_order(model: type[DocumentModel]) -> tuple[tuple[str, int], ...]:
    """Return the sort keys that put the newest document first.

    ObjectIds grow with time. With other ids the documents are sorted by the time of insertion, if
    the model has one.
    """
    fields = model_codec(model).fields
    id_field = next(field for field in fields if field.stored_name == "_id")
    inserted = (field.stored_name for field in fields if field.on_insert is current_time)
    if isinstance(id_field.codec, ObjectIdCodec):
        return (("_id", -1),)
    return tuple((name, -1) for name in (*inserted, "_id"))
