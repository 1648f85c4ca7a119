"""What the library fills in by itself: times, and other values made at a write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from ..clock import now as current_time
from ..types.scalars import Identifier
from .annotations import model_codec
from .document import DocumentModel
from .model_codec import ModelCodec, StoredField


def insertion_auto_values(
    codec: ModelCodec, encoded: dict[str, Any], now: datetime
) -> Iterator[tuple[str, Any]]:
    """Give an encoded document what its insertion fills in; yield the fields' names and values."""
    for field in codec.auto_fields:
        if field.on_write:
            value = made(field.on_write, now)
        elif field.on_insert and encoded[field.stored_name] is None:
            value = made(field.on_insert, now)
        else:
            continue
        encoded[field.stored_name] = field.codec.encode(value)
        yield field.name, value


def write_auto_values(model: type[DocumentModel], now: datetime) -> dict[str, Any]:
    """Return the stored names and values that every write of a model's documents refreshes."""
    return {
        field.stored_name: stamp(field, now)
        for field in model_codec(model).auto_fields
        if field.on_write
    }


def latest_order(model: type[DocumentModel]) -> tuple[tuple[str, int], ...]:
    """Return the sort keys that put the newest document first.

    ObjectIds grow with time; with other ids the time of insertion decides, where there is one.
    """
    fields = model_codec(model).fields
    id_field = next(field for field in fields if field.stored_name == "_id")
    inserted = (field.stored_name for field in fields if field.on_insert is current_time)
    if isinstance(id_field.codec, Identifier):
        return (("_id", -1),)
    return tuple((name, -1) for name in (*inserted, "_id"))


def stamp(field: StoredField, now: datetime) -> Any:
    """Return what the library writes into a field that it fills in, as it is stored."""
    function = field.on_write or field.on_insert
    assert function is not None
    return field.codec.encode(made(function, now))


def made(function: Callable[[], Any], now: datetime) -> Any:
    """Return what a stamp's function gives; one operation is one moment, for all its times."""
    return now if function is current_time else function()
