"""Creates objects from stored documents; each remembers the document it was loaded from."""

from __future__ import annotations

import gc
import os
import struct
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import bson
from bson.errors import InvalidBSON
from pydantic import ValidationError

from ..bson_codec import CODEC_OPTIONS, encode_bson
from ..driver_errors import unreadable
from ..errors import InvalidDocument
from ..types.codec import Codec
from .codecs import codec_of_view, model_codec
from .document import DocumentModel, set_baseline
from .polymorphism import family_of
from .repeated_validation import stored_validators
from .validation import class_of, decode, invalid, validate

_LENGTH = struct.Struct("<i").unpack_from


class Validator:
    """Turns decoded documents into objects of one class, many at a time.

    Parameters:
        model: A pydantic model, or any type that pydantic validates.
    """

    def __init__(self, model: type[Any]) -> None:
        self.model: type[Any] = model
        self._codec: Codec = codec_of_view(model)
        validators = stored_validators(model)
        self._many, self._by_name = validators.validate_many, validators.by_name

    def validated(self, documents: Sequence[dict[str, Any]]) -> list[Any]:
        """Return the objects of decoded documents.

        Raises:
            InvalidDocument: A document does not fit the model.
        """
        if self._codec.needs_decode:
            decoded = [decode(self._codec, self.model, document) for document in documents]
        else:
            decoded = list(documents)
        try:
            # Lax even for strict models: BSON has fewer types than Python.
            return self._many(decoded, strict=False, by_alias=True, by_name=self._by_name)
        except ValidationError as error:
            raise first_invalid(self.model, documents, error) from error


# So few documents are still in the processor's cache when they are validated: a load takes a third
# less time than with thousands.
_SLICE = 200


class Hydrator(Validator):
    """Turns stored documents into models that remember them."""

    def __init__(self, model: type[Any]) -> None:
        super().__init__(model)
        self._codec = model_codec(model)
        self._family = family_of(model)

    def validated(self, documents: Sequence[dict[str, Any]]) -> list[Any]:
        """Return the objects of decoded documents, each of the class that its tag names.

        Raises:
            InvalidDocument: A document does not fit its model, or no model has its tag.
        """
        if self._family is None:
            return super().validated(documents)
        indexes: dict[type[Any], list[int]] = {}
        for index, document in enumerate(documents):
            indexes.setdefault(self.class_of(document), []).append(index)
        objects: list[Any] = [None] * len(documents)
        for model, own in indexes.items():
            members = hydrator(model).validated_as_own([documents[index] for index in own])
            for index, member in zip(own, members, strict=True):
                objects[index] = member
        return objects

    def validated_as_own(self, documents: Sequence[dict[str, Any]]) -> list[Any]:
        """Return the objects of decoded documents, all of this class."""
        return super().validated(documents)

    def class_of(self, document: dict[str, Any]) -> type[Any]:
        """Return the class that a document's tag names.

        Raises:
            InvalidDocument: No class has this tag.
        """
        return class_of(self.model, document)

    def fresh(self, document: dict[str, Any]) -> Any:
        """Return the object of a decoded document, of this class."""
        is_plain = not self._codec.needs_decode
        decoded = document if is_plain else decode(self._codec, self.model, document)
        return validate(self.model, decoded, document)

    def one(self, document: dict[str, Any]) -> Any:
        """Return the object of one document, of the class that its tag names."""
        raw = encode_bson(document)  # first: a validator may edit its input
        own = self if self._family is None else hydrator(self.class_of(document))
        model = own.fresh(document)
        set_baseline(model, raw)
        return model

    def many(self, batch: bytes) -> list[Any]:
        """Return the objects of a raw batch."""
        raws = split_raw_batch(batch)
        if len(raws) <= _SLICE:
            return self._few(batch, raws)
        models: list[Any] = []
        with collector_paused():
            for start in range(0, len(raws), _SLICE):
                part = raws[start : start + _SLICE]
                models += self._few(b"".join(part), part)
        return models

    def _few(self, batch: bytes, raws: Sequence[bytes]) -> list[Any]:
        models = self.validated(decode_raw_batch(batch))
        for model, raw in zip(models, raws, strict=True):
            set_baseline(model, raw)
        return models


def decode_raw_batch(batch: bytes) -> list[dict[str, Any]]:
    """Return the documents of a raw batch.

    Raises:
        InvalidDocument: A document has a value that Python lacks: a date after the year 9999.
    """
    try:
        return bson.decode_all(batch, CODEC_OPTIONS)  # pyright: ignore[reportUnknownMemberType]
    except InvalidBSON as error:
        raise unreadable(error) from error


def split_raw_batch(batch: bytes) -> list[bytes]:
    """Return the documents of a raw batch, each as its own bytes."""
    documents: list[bytes] = []
    start, size = 0, len(batch)
    while start < size:
        end = start + _LENGTH(batch, start)[0]
        documents.append(batch[start:end])
        start = end
    return documents


@contextmanager
def collector_paused() -> Generator[None]:
    """Pause the cyclic garbage collector while many objects are created that all survive.

    The collector would traverse the growing result again and again, which takes more than half of
    the time of a bulk load. The block may let other tasks run, and waits for nothing else.
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
    # The thread that paused the collector does not exist in the child.
    global _is_paused
    if _is_paused:
        gc.enable()
        _is_paused = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_enable_after_fork)


def first_invalid(
    model: type[Any], documents: Sequence[dict[str, Any]], error: ValidationError
) -> InvalidDocument:
    """Return the error for the first document that does not fit a class.

    Parameters:
        model: The class.
        documents: The stored documents.
        error: pydantic's error for the list of all.
    """
    details = error.errors(include_url=False)
    index = details[0]["loc"][0]
    of_first = [
        {**detail, "loc": detail["loc"][1:]} for detail in details if detail["loc"][0] == index
    ]
    return invalid(model, documents[int(index)], of_first)


_hydrators: dict[type[DocumentModel], Hydrator] = {}


def hydrator(model: type[DocumentModel]) -> Hydrator:
    """Return the hydrator of a model, made on first use."""
    found = _hydrators.get(model)
    if found is None:
        found = _hydrators[model] = Hydrator(model)
    return found
