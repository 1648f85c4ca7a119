"""Stored documents become objects, many at a time, which remember what they were loaded from."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

from bson.errors import InvalidBSON
from pydantic import TypeAdapter, ValidationError

from ..bson_codec import decode_bson_stream, encode_bson
from ..driver_errors import unreadable
from ..errors import InvalidDocument
from ..types.codec import Codec
from .annotations import codec_of, model_codec
from .document import DocumentModel, set_baseline
from .polymorphism import family_of
from .validation import class_of, invalid, validate


class Validator:
    """Turns decoded documents into objects of one class, many at a time.

    Parameters:
        model: A pydantic model, or any type that pydantic validates.
    """

    def __init__(self, model: type[Any]) -> None:
        self._model = model
        self._codec: Codec = codec_of(model)
        self._many: Callable[..., list[Any]] = TypeAdapter(list[model]).validate_python  # type: ignore[valid-type]

    def validated(self, documents: Sequence[dict[str, Any]]) -> list[Any]:
        """Return the objects of decoded documents.

        Raises:
            InvalidDocument: A document does not fit the model.
        """
        if self._codec.needs_decode:
            decoded = [self._codec.decode(document) for document in documents]
        else:
            decoded = list(documents)
        try:
            # Lax, whatever the model says: BSON has fewer types than Python.
            return self._many(decoded, strict=False, by_alias=True, by_name=True)
        except ValidationError as error:
            raise _first_invalid(self._model, documents, error) from error


# Few enough documents that they are still in the processor's cache when they are validated:
# measured, a load takes a third less than with thousands.
_SLICE = 200


class Hydrator(Validator):
    """Turns stored documents into models that remember them."""

    def __init__(self, model: type[Any]) -> None:
        super().__init__(model)
        self._codec = model_codec(model)
        self._family = family_of(model)

    def validated(self, documents: Sequence[dict[str, Any]]) -> list[Any]:
        """Return the objects of decoded documents, each of the class that its tag says.

        Raises:
            InvalidDocument: A document does not fit its model, or no model has its tag.
        """
        if self._family is None:
            return super().validated(documents)
        places: dict[type[Any], list[int]] = {}
        for place, document in enumerate(documents):
            places.setdefault(self.class_of(document), []).append(place)
        objects: list[Any] = [None] * len(documents)
        for model, theirs in places.items():
            made = hydrator(model).fitting([documents[place] for place in theirs])
            for place, one in zip(theirs, made, strict=True):
                objects[place] = one
        return objects

    def fitting(self, documents: Sequence[dict[str, Any]]) -> list[Any]:
        """Return the objects of decoded documents, all of this class."""
        return super().validated(documents)

    def class_of(self, document: dict[str, Any]) -> type[Any]:
        """Return the class that a document's tag names.

        Raises:
            InvalidDocument: No class has this tag.
        """
        return class_of(self._model, document)

    def single(self, document: dict[str, Any]) -> Any:
        """Return the object of a decoded document, of the class that its tag names."""
        if self._family is None:
            return self.fresh(document)
        return hydrator(self.class_of(document)).fresh(document)

    def fresh(self, document: dict[str, Any]) -> Any:
        """Return the object of a decoded document, of this class."""
        decoded = self._codec.decode(document) if self._codec.needs_decode else document
        return validate(self._model, decoded, document)

    def one(self, document: dict[str, Any]) -> Any:
        """Return the model of one document."""
        raw = encode(document)  # first: a validator may edit what it is given
        model = self.single(document)
        set_baseline(model, raw)
        return model

    def many(self, stream: bytes) -> list[Any]:
        """Return the models of documents in BSON bytes that follow one another."""
        models: list[Any] = []
        with collector_paused():
            raws = split(stream)
            for start in range(0, len(raws), _SLICE):
                part = raws[start : start + _SLICE]
                models += _attach(self.validated(decode_stream(b"".join(part))), part)
        return models


def _attach(models: list[Any], raws: Sequence[bytes]) -> list[Any]:
    for model, raw in zip(models, raws, strict=True):
        set_baseline(model, raw)
    return models


def encode(document: dict[str, Any]) -> bytes:
    """Return the BSON bytes of a document that came from BSON."""
    return encode_bson(document)


def decode_stream(stream: bytes) -> list[dict[str, Any]]:
    """Return the documents of a BSON stream.

    Raises:
        InvalidDocument: A document holds what Python cannot: a date beyond the year 9999.
    """
    try:
        return decode_bson_stream(stream)
    except InvalidBSON as error:
        raise unreadable(error) from error


def split(stream: bytes) -> list[bytes]:
    """Return the documents of a BSON stream, each as its own bytes."""
    documents: list[bytes] = []
    start, end = 0, len(stream)
    while start < end:
        stop = start + int.from_bytes(stream[start : start + 4], "little")
        documents.append(stream[start:stop])
        start = stop
    return documents


@contextmanager
def collector_paused() -> Generator[None]:
    """Pause the cyclic garbage collector for a burst of allocations that all survive.

    The collector would walk the growing result again and again: measured, that takes more than
    half of a bulk load. Nothing in the block may wait.
    """
    global _is_paused
    if not gc.isenabled():
        yield
        return
    try:
        _is_paused = True
        gc.disable()
        yield
    finally:
        gc.enable()
        _is_paused = False


_is_paused = False


def _enable_after_fork() -> None:
    # The thread that paused it does not exist in the child.
    global _is_paused
    if _is_paused:
        gc.enable()
        _is_paused = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_enable_after_fork)


def _first_invalid(
    model: type[Any], documents: Sequence[dict[str, Any]], error: ValidationError
) -> InvalidDocument:
    details = error.errors(include_url=False)
    index = details[0]["loc"][0]
    of_first = [{**one, "loc": one["loc"][1:]} for one in details if one["loc"][0] == index]
    return invalid(model, documents[int(index)], of_first)


_hydrators: dict[type[DocumentModel], Hydrator] = {}


def hydrator(model: type[DocumentModel]) -> Hydrator:
    """Return the hydrator of a model, made on first use."""
    found = _hydrators.get(model)
    if found is None:
        found = _hydrators[model] = Hydrator(model)
    return found
