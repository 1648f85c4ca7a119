"""Loads the valid documents of a raw batch, and leaves out the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import bson
from bson.codec_options import DatetimeConversion

from ..bson_codec import CODEC_OPTIONS
from ..errors import InvalidDocument
from .hydration import split_raw_batch
from .skipped_documents import skip

T = TypeVar("T")

# An invalid document makes so many be loaded one by one.
_SLICE = 200
# Dates that Python's datetime lacks become numbers, so that every document can be read.
_ANY_DATE = CODEC_OPTIONS.with_options(datetime_conversion=DatetimeConversion.DATETIME_AUTO)


def valid_objects(model: type, load: Callable[[bytes], Iterable[T]], batch: bytes) -> list[T]:
    """Return the objects of the valid documents in a raw batch; count and log the others.

    Parameters:
        model: The class of the objects.
        load: Returns the objects of a raw batch, or raises `InvalidDocument`.
        batch: The raw batch.
    """
    raws = split_raw_batch(batch)
    objects: list[T] = []
    for start in range(0, len(raws), _SLICE):
        part = raws[start : start + _SLICE]
        try:
            objects += load(b"".join(part))
        except InvalidDocument:
            for raw in part:
                objects += _valid_object(model, load, raw)
    return objects


def skipping(model: type, load: Callable[[bytes], Iterable[T]]) -> Callable[[bytes], list[T]]:
    """Return `valid_objects` for a class and a function that loads raw batches."""
    return partial(valid_objects, model, load)


def readable(raw: bytes) -> dict[str, Any]:
    """Return a document decoded; a date that Python lacks is a `DatetimeMS`."""
    document: dict[str, Any] = bson.decode(raw, _ANY_DATE)  # pyright: ignore
    return document


def _valid_object(model: type, load: Callable[[bytes], Iterable[T]], raw: bytes) -> Iterable[T]:
    try:
        return load(raw)
    except InvalidDocument as error:
        # The error may be one of a part of the document.
        error.id = readable(raw).get("_id")
        skip(model, error)
        return ()
