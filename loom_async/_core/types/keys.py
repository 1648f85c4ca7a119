"""Keys of dicts: the names in a document are texts, and pydantic reads most of them as the keys."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

from bson import ObjectId
from pydantic import SecretBytes

from ..errors import EncodingError
from . import forms
from .adapters import adapter_of
from .conversions import timedelta_from_bson
from .equality import is_same
from .record_fields import record_fields
from .registry import is_named_tuple
from .shapes import shape_of
from .values import key_to_bson, refuse

#: Returns the key of a text, or raises `ValueError`.
ReadKey: TypeAlias = Callable[[str], Any]


class KeyCodec(NamedTuple):
    """How the keys of one annotation are stored.

    Parameters:
        read: Returns the key of a text; None if pydantic reads the text itself.
        is_proven: Whether each key is read back before it is stored.
    """

    read: ReadKey | None = None
    is_proven: bool = False

    @property
    def keeps_texts(self) -> bool:
        """True if a key that is a string is stored as it is."""
        return not self.is_proven

    def encode(self, key: Any) -> str:
        """Return the text of a key.

        Raises:
            EncodingError: The text would load as another key.
        """
        text = key_to_bson(key)
        if self.is_proven and not is_same(loaded := self.decode(text), key):
            refuse(loaded, key)
        return text

    def decode(self, text: str) -> Any:
        """Return what pydantic validates as a key."""
        if self.read is None:
            return text
        try:
            return self.read(text)
        except (ValueError, TypeError, ArithmeticError):
            return text  # pydantic says why it is no key


def key_codec(shape: forms.Shape | None) -> KeyCodec:
    """Return how the keys of a shape are stored.

    Parameters:
        shape: The shape of the keys; None if they may be anything.

    Raises:
        EncodingError: Keys of this type have no text.
    """
    if shape is None or isinstance(shape.form, forms.Anything):
        return KeyCodec()
    if shape.is_optional or isinstance(shape.form, forms.AnyOf):
        return KeyCodec(_first_of(_options(shape)), is_proven=True)
    match shape.form:
        case forms.Scalar(entry=entry):
            return KeyCodec(_READERS.get(entry.classes[0]))
        case form:
            return KeyCodec(_reader(form))


def _reader(form: forms.Form) -> ReadKey:
    match form:
        case forms.Scalar(annotation, entry):
            return _READERS.get(entry.classes[0]) or _by_pydantic(annotation)
        case forms.Member(enum):
            return _reader_of_choices(enum)
        case forms.OneOf(values):
            return _reader_of_choices(values)
        case forms.Items(origin=origin, items=items, is_fixed=is_fixed) if origin in _FROZEN:
            return _reader_of_items(items, is_fixed=is_fixed)
        case forms.Record(kind, annotation) if is_named_tuple(kind):
            return _reader_of_items([shape_of(f.annotation) for f in record_fields(annotation)])
        case _:
            raise EncodingError(
                "a key of this type has no text",
                path="",
                hint="use keys that are strings, numbers, dates, enums or tuples of them",
            )


def _options(shape: forms.Shape) -> list[ReadKey]:
    """Return the readers of the options of a shape, that of any string last."""
    form = shape.form
    options = form.options if isinstance(form, forms.AnyOf) else (shape,)
    readers = [_exact(_reader(option.form)) for option in options if not _is_text(option.form)]
    if shape.is_optional:
        readers.insert(0, _exact(_read_none))
    return readers


def _is_text(form: forms.Form) -> bool:
    return isinstance(form, forms.Scalar) and form.entry.classes == (str,)


def _exact(read: ReadKey) -> ReadKey:
    """Return a reader that refuses a text which no key would be stored as."""

    def exact(text: str) -> Any:
        key = read(text)
        if key_to_bson(key) != text:
            raise ValueError(text)
        return key

    return exact


def _first_of(readers: list[ReadKey]) -> ReadKey:
    def read(text: str) -> Any:
        for reader in readers:
            try:
                return reader(text)
            except (ValueError, TypeError, ArithmeticError):
                continue
        return text

    return read


def _by_pydantic(annotation: Any) -> ReadKey:
    adapter = adapter_of(annotation)

    def read(text: str) -> Any:
        return adapter.validate_python(text, strict=False)

    return read


def _reader_of_choices(choices: Iterable[Any]) -> ReadKey:
    by_text: dict[str, Any] = {}
    for choice in choices:
        text = key_to_bson(choice)
        if by_text.setdefault(text, choice) is not choice:
            raise EncodingError(
                f"the keys {by_text[text]!r} and {choice!r} have the same text {text!r}",
                path="",
                hint="give them values with different texts",
            )

    def read(text: str) -> Any:
        return by_text.get(text, text)

    return read


_FROZEN = (tuple, frozenset)


def _reader_of_items(items: Sequence[forms.Shape], *, is_fixed: bool = True) -> ReadKey:
    codecs = [key_codec(item) for item in items] or [KeyCodec()]

    def read(text: str) -> Any:
        parts: list[str] = json.loads(text)
        each = codecs if is_fixed else codecs * len(parts)
        return tuple(codec.decode(part) for codec, part in zip(each, parts, strict=False))

    return read


def _read_none(text: str) -> None:
    if text != str(None):
        raise ValueError(text)


def _read_object_id(text: str) -> ObjectId:
    if not ObjectId.is_valid(text):
        raise ValueError(text)
    return ObjectId(text)


def _read_timedelta(text: str) -> Any:
    return timedelta_from_bson(int(text))


#: The types whose texts pydantic does not read as it reads them elsewhere.
_READERS: dict[type, ReadKey] = {
    bytes: bytes.fromhex,
    bytearray: bytes.fromhex,
    SecretBytes: bytes.fromhex,
    dt.timedelta: _read_timedelta,
    ObjectId: _read_object_id,
}
