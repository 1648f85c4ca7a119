"""Codecs: what a field's annotation says about its BSON form, compiled once a model."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from bson import ObjectId
from bson.decimal128 import Decimal128
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from ..errors import ConfigurationError, EncodingError
from ..typing import is_collection, is_dict, is_list, is_mapping
from .markers import CoalesceOnInsert, RefreshOnSet
from .values import (
    date_to_bson,
    decimal_to_bson,
    from_bson,
    in_stored_order,
    key_to_bson,
    to_bson,
    utc_milliseconds,
)


class Codec:
    """How the values of one annotation go to BSON and come back; this one is for `Any`.

    `is_identity`: encoding returns the value itself.
    `needs_decode`: pydantic cannot take the stored form as it is.
    `normalises`: the stored form may differ from the value that was encoded.
    """

    is_identity = False
    needs_decode = True
    normalises = True

    def encode(self, value: Any) -> Any:
        """Return the BSON form of a value."""
        return to_bson(value)

    def decode(self, stored: Any) -> Any:
        """Return what pydantic can validate, sharing no container with the stored value."""
        return from_bson(stored)

    def literal(self, value: Any) -> Any:
        """Return the BSON form of a value that a query compares with."""
        return to_bson(value)

    def child(self, key: str) -> tuple[str, Codec] | None:
        """Return the stored name and the codec below `key`, or None if there is none."""
        return key, self

    def names(self) -> Iterable[str]:
        """Return the names that `child` knows, for messages."""
        return ()


class Scalar(Codec):
    """Types that BSON has: str, int, float, bool, bytes, UUID, ObjectId, None."""

    is_identity = True
    needs_decode = False
    normalises = False

    def encode(self, value: Any) -> Any:
        return value

    def decode(self, stored: Any) -> Any:
        return stored

    def child(self, key: str) -> tuple[str, Codec] | None:
        return None


class Identifier(Scalar):
    """An ObjectId, which a query may also name by its hex digits."""

    def literal(self, value: Any) -> Any:
        if isinstance(value, str) and ObjectId.is_valid(value):
            return ObjectId(value)
        return to_bson(value)


class Counter(Scalar):
    """A number whose changes are sent as `$inc`."""


class Converted(Scalar):
    """A scalar that one function turns into its BSON form."""

    is_identity = False

    def __init__(self, convert: Callable[[Any], Any], *, normalises: bool = False) -> None:
        self._convert = convert
        self.normalises = normalises

    def encode(self, value: Any) -> Any:
        return None if value is None else self._convert(value)


class Exact(Converted):
    """A Decimal, stored as a Decimal128 of the same digits."""

    needs_decode = True

    def __init__(self) -> None:
        super().__init__(_decimal_like)

    def decode(self, stored: Any) -> Any:
        return stored.to_decimal() if type(stored) is Decimal128 else stored


def _decimal_like(value: Any) -> Any:
    return decimal_to_bson(value) if isinstance(value, Decimal) else to_bson(value)


def moment() -> Converted:
    """Return the codec of datetimes: UTC, cut to milliseconds."""
    return Converted(
        lambda value: utc_milliseconds(value) if isinstance(value, dt.datetime) else to_bson(value),
        normalises=True,
    )


def day() -> Converted:
    """Return the codec of dates: midnight UTC."""
    return Converted(
        lambda value: date_to_bson(value) if type(value) is dt.date else to_bson(value)
    )


class JsonForm(Converted):
    """A type that BSON lacks, stored as pydantic writes it to JSON."""

    def __init__(self, annotation: Any) -> None:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        super().__init__(lambda value: adapter.dump_python(value, mode="json", round_trip=True))
        self.literal = self._literal  # type: ignore[method-assign]

    def _literal(self, value: Any) -> Any:
        return to_bson(value)


class Normalised(Codec):
    """A codec behind a `NormalizeValue` marker."""

    normalises = True

    def __init__(self, inner: Codec, function: Callable[[Any], Any]) -> None:
        self._inner = inner
        self._function = function
        self.needs_decode = inner.needs_decode

    def encode(self, value: Any) -> Any:
        # Edits inside a list do not pass validation, so the value may not be normal yet.
        return None if value is None else self._inner.encode(self._function(value))

    def decode(self, stored: Any) -> Any:
        return self._inner.decode(stored)

    def literal(self, value: Any) -> Any:
        try:
            return self._inner.literal(self._function(value))
        except (TypeError, AttributeError):
            # A literal of another type (None, a number, a list) is compared as it is.
            return self._inner.literal(value)

    def child(self, key: str) -> tuple[str, Codec] | None:
        return self._inner.child(key)


class Items(Codec):
    """A list, tuple or deque."""

    def __init__(self, item: Codec) -> None:
        self.item = item
        self.needs_decode = item.needs_decode
        self.normalises = item.normalises

    def encode(self, value: Any) -> Any:
        if value is None:
            return None
        if not is_collection(value):
            return to_bson(value)
        if self.item.is_identity:
            return list(value)
        encode = self.item.encode
        return [encode(item) for item in value]

    def decode(self, stored: Any) -> Any:
        if is_list(stored) and self.item.needs_decode:
            return [self.item.decode(item) for item in stored]
        return stored

    def literal(self, value: Any) -> Any:
        if is_collection(value):
            return [self.item.literal(item) for item in value]
        return self.item.literal(value)

    def child(self, key: str) -> tuple[str, Codec] | None:
        return (key, self.item) if key.isdigit() else self.item.child(key)

    def names(self) -> Iterable[str]:
        return self.item.names()


class Unordered(Items):
    """A set, stored as an array whose order means nothing."""

    is_identity = False

    def encode(self, value: Any) -> Any:
        encoded = super().encode(value)
        return in_stored_order(encoded) if encoded else encoded


class Entries(Codec):
    """A dict; its keys become strings.

    Parameters:
        value: The codec of the values.
        members: The keys that their strings stand for, where pydantic cannot tell: enum members.
    """

    def __init__(self, value: Codec, members: Mapping[str, Any]) -> None:
        self.value = value
        self.needs_decode = value.needs_decode or bool(members)
        self.normalises = value.normalises
        self._members = members

    def encode(self, value: Any) -> Any:
        if not is_mapping(value):
            return to_bson(value)
        if self.value.is_identity:
            return {key_to_bson(key): item for key, item in value.items()}
        encode = self.value.encode
        return {key_to_bson(key): encode(item) for key, item in value.items()}

    def decode(self, stored: Any) -> Any:
        if not is_dict(stored) or not self.needs_decode:
            return stored
        members, decode = self._members, self.value.decode
        return {members.get(key, key): decode(item) for key, item in stored.items()}

    def child(self, key: str) -> tuple[str, Codec] | None:
        return key, self.value


class OneOf(Codec):
    """A union: encoded by what the value is, looked up in whichever member knows the name."""

    def __init__(self, members: list[Codec]) -> None:
        self._members = members
        self.is_identity = all(member.is_identity for member in members)
        self.needs_decode = any(member.needs_decode for member in members)
        self.normalises = any(member.normalises for member in members)

    def encode(self, value: Any) -> Any:
        return value if self.is_identity else to_bson(value)

    def decode(self, stored: Any) -> Any:
        return from_bson(stored) if self.needs_decode else stored

    def child(self, key: str) -> tuple[str, Codec] | None:
        found = (member.child(key) for member in self._members)
        return next((hit for hit in found if hit is not None), None)

    def names(self) -> Iterable[str]:
        return {name for member in self._members for name in member.names()}


@dataclass(frozen=True, slots=True)
class StoredField:
    """One field of a model as it is stored."""

    name: str
    stored_name: str
    codec: Codec
    on_insert: Callable[[], Any] | None = None
    on_write: Callable[[], Any] | None = None


class ModelCodec(Codec):
    """A pydantic model, stored as a document by the names that its validation reads."""

    is_identity = False

    def __init__(self, model: type[BaseModel]) -> None:
        self.model = model
        self._measuring = False
        self._allows_extra = model.model_config.get("extra") == "allow"

    @cached_property
    def fields(self) -> tuple[StoredField, ...]:
        """The stored fields in the order of the model."""
        return tuple(_stored_fields(self.model))

    @cached_property
    def stamped(self) -> tuple[StoredField, ...]:
        """The fields that the database layer fills in."""
        return tuple(field for field in self.fields if field.on_insert or field.on_write)

    @cached_property
    def _plan(self) -> tuple[tuple[str, str, Callable[[Any], Any] | None], ...]:
        return tuple(
            (f.stored_name, f.name, None if f.codec.is_identity else f.codec.encode)
            for f in self.fields
        )

    @cached_property
    def _decoders(self) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
        return tuple((f.stored_name, f.codec.decode) for f in self.fields if f.codec.needs_decode)

    @cached_property
    def needs_decode(self) -> bool:  # type: ignore[override]
        """True if a field needs it; a model inside itself is taken to."""
        return self._any("needs_decode") or self._allows_extra

    @cached_property
    def normalises(self) -> bool:  # type: ignore[override]
        """True if a field does; a model inside itself is taken to."""
        return self._any("normalises") or self._allows_extra

    def _any(self, trait: str) -> bool:
        if self._measuring:
            return True
        self._measuring = True
        try:
            return any(getattr(field.codec, trait) for field in self.fields)
        finally:
            self._measuring = False

    def encode(self, value: Any) -> Any:
        if type(value) is not self.model:
            return to_bson(value)
        data = value.__dict__
        document: dict[str, Any] = {}
        stored_name = ""
        try:
            for stored_name, name, encode in self._plan:
                document[stored_name] = data[name] if encode is None else encode(data[name])
        except EncodingError as error:
            raise EncodingError(
                error.reason, path=_join(stored_name, error.path), hint=error.hint
            ) from error.__cause__
        if value.__pydantic_extra__:
            document.update({k: to_bson(v) for k, v in value.__pydantic_extra__.items()})
        return document

    def decode(self, stored: Any) -> Any:
        if not is_dict(stored):
            return stored
        if self._allows_extra:
            known = {f.stored_name for f in self.fields}
            result = {k: v if k in known else from_bson(v) for k, v in stored.items()}
        else:
            result = dict(stored)
        for stored_name, decode in self._decoders:
            if stored_name in result:
                result[stored_name] = decode(result[stored_name])
        return result

    def child(self, key: str) -> tuple[str, Codec] | None:
        field = self._by_name.get(key)
        if field is not None:
            return field.stored_name, field.codec
        return (key, ANY) if self._allows_extra else None

    def names(self) -> Iterable[str]:
        return (field.name for field in self.fields)

    @cached_property
    def _by_name(self) -> dict[str, StoredField]:
        return {f.stored_name: f for f in self.fields} | {f.name: f for f in self.fields}


def _join(head: str, tail: str) -> str:
    return f"{head}.{tail}" if tail else head


ANY = Codec()
_codecs: dict[type[BaseModel], ModelCodec] = {}


def model_codec(model: type[BaseModel]) -> ModelCodec:
    """Return the codec of a model, compiled on first use."""
    codec = _codecs.get(model)
    if codec is None:
        codec = _codecs[model] = ModelCodec(model)
    return codec


def stored_name(name: str, info: FieldInfo) -> str:
    """Return the name that a field has in documents: the one that validation reads."""
    alias = info.validation_alias
    if isinstance(alias, str):
        return alias
    choices = getattr(alias, "choices", ())
    return next((choice for choice in choices if isinstance(choice, str)), name)


def _stored_fields(model: type[BaseModel]) -> Iterator[StoredField]:
    from .annotations import codec_of  # annotations name models, so the two modules meet

    for name, info in model.model_fields.items():
        try:
            codec = codec_of(info.annotation, info.metadata)
        except Exception as error:
            raise ConfigurationError(
                f"{model.__name__}.{name} has a type that Loom cannot store: {info.annotation!r}",
                hint="use a type that pydantic can write to JSON",
            ) from error
        markers: dict[type, Any] = {type(marker): marker for marker in info.metadata}
        on_insert, on_write = markers.get(CoalesceOnInsert), markers.get(RefreshOnSet)
        yield StoredField(
            name,
            stored_name(name, info),
            codec,
            on_insert.function if on_insert else None,
            on_write.function if on_write else None,
        )
