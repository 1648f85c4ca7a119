"""Every entry of the registry, through everything that is made of it."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import re
from collections import deque
from collections.abc import Mapping, MutableMapping, MutableSet
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath, PurePosixPath
from types import NoneType
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from bson import Code, Decimal128, MaxKey, MinKey, ObjectId, Regex, Timestamp
from pydantic import (
    AnyUrl,
    BaseModel,
    ConfigDict,
    MongoDsn,
    NameEmail,
    NatsDsn,
    PostgresDsn,
    SecretBytes,
    SecretStr,
)

import loom_async as lm
from loom_async._core.arrow.schema import schema_of
from loom_async._core.arrow.table_builder import TableBuilder
from loom_async._core.bson_codec import decode_bson, encode_bson
from loom_async._core.bson_elements import elements
from loom_async._core.collections.document_schema import document_schema
from loom_async._core.errors import LossyConversion
from loom_async._core.model.codecs import codec_of
from loom_async._core.model.hydration import hydrator
from loom_async._core.types.registry import NAMED_TUPLE, RECORD, TYPES, entry_of
from loom_async._core.types.stored_type import Kind, StoredType
from loom_async._core.types.values import bson_type_of, key_to_bson, to_bson


class Point(BaseModel):
    x: int


class Mode(enum.Enum):
    ON = "on"


@dataclass
class Pair:
    a: int


class Place(NamedTuple):
    x: int
    y: int


#: Values of each class; of a date the first and the last that BSON and Python have.
VALUES: dict[type, list[Any]] = {
    BaseModel: [Point(x=1)],
    enum.Enum: [Mode.ON],
    bool: [True, False],
    int: [0, -(2**63), 2**63 - 1, 7],
    float: [0.5, -1e300, float("inf")],
    Code: [Code("x"), Code("x", {"y": 1})],
    str: ["", "Ä\0z", "💡"],
    bytes: [b"", b"\0\xff"],
    bytearray: [bytearray(b"ab")],
    UUID: [UUID(int=5)],
    NoneType: [None],
    ObjectId: [ObjectId("0" * 24)],
    re.Pattern: [re.compile("^a", re.IGNORECASE)],
    dt.datetime: [
        dt.datetime(2024, 1, 2, 3, 4, 5, 6999),
        dt.datetime(1, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=5))),
        dt.datetime(9999, 12, 31, tzinfo=dt.UTC),
    ],
    dt.date: [dt.date(1, 1, 1), dt.date(9999, 12, 31)],
    Decimal: [Decimal("1.50"), Decimal("-0.001")],
    SecretStr: [SecretStr("s")],
    SecretBytes: [SecretBytes(b"s")],
    dt.time: [dt.time(1, 2, 3, 4), dt.time(23), dt.time(1, tzinfo=dt.UTC)],
    dt.timedelta: [dt.timedelta(days=-1, microseconds=3), dt.timedelta(days=100_000_000)],
    AnyUrl: [AnyUrl("http://x.y/z?q=1")],
    MongoDsn: [MongoDsn("mongodb://u:p@a:1,b:2/d")],
    NatsDsn: [NatsDsn("nats://a:1,nats://b:2")],
    PostgresDsn: [PostgresDsn("postgres://u:p@a,b/d")],
    NameEmail: [NameEmail("Ann B", "a@b.cz")],
    Fraction: [Fraction(-1, 3)],
    ZoneInfo: [ZoneInfo("Europe/Prague")],
    complex: [1 + 2j, complex(-0.0, 2.5)],
    PurePath: [PurePosixPath("/a/b")],
    ipaddress.IPv4Address: [ipaddress.ip_address("1.2.3.4")],
    ipaddress.IPv6Address: [ipaddress.ip_address("::1")],
    ipaddress.IPv4Network: [ipaddress.ip_network("10.0.0.0/8")],
    ipaddress.IPv6Network: [ipaddress.ip_network("::/8")],
    ipaddress.IPv4Interface: [ipaddress.ip_interface("10.0.0.1/8")],
    ipaddress.IPv6Interface: [ipaddress.ip_interface("::1/8")],
    Decimal128: [Decimal128("1.5")],
    Timestamp: [Timestamp(1, 2)],
    Regex: [Regex("^a", "i")],
    MinKey: [MinKey()],
    MaxKey: [MaxKey()],
    set: [{1, 2}],
    frozenset: [frozenset({3})],
    MutableSet: [{3}],
    AbstractSet: [frozenset({3})],
    dict: [{"a": 1}],
    Mapping: [{"a": 1}],
    MutableMapping: [{"a": 1}],
    list: [[1, 2]],
    tuple: [(1, 2)],
    deque: [deque([1])],
    Pair: [Pair(1)],
    Place: [Place(1, 2)],
}
#: What a field is annotated with, where that is not the class itself.
ANNOTATIONS: dict[type, Any] = {
    BaseModel: Point,
    enum.Enum: Mode,
    NoneType: None,
    set: set[int],
    frozenset: frozenset[int],
    MutableSet: MutableSet[int],
    AbstractSet: AbstractSet[int],
    dict: dict[str, int],
    Mapping: Mapping[str, int],
    MutableMapping: MutableMapping[str, int],
    list: list[int],
    tuple: tuple[int, int],
    deque: deque[int],
}
CASES = [
    pytest.param(entry, kind, value, id=f"{kind.__name__}-{index}")
    for entry in (*TYPES, RECORD, NAMED_TUPLE)
    for kind in entry.classes or ((Pair,) if entry is RECORD else (Place,))
    for index, value in enumerate(VALUES[kind])
]
#: The element types of the BSON specification by MongoDB's names.
NAMES = {
    0x01: "double", 0x02: "string", 0x03: "object", 0x04: "array", 0x05: "binData",
    0x07: "objectId", 0x08: "bool", 0x09: "date", 0x0A: "null", 0x0B: "regex",
    0x0D: "javascript", 0x0F: "javascriptWithScope", 0x10: "int", 0x11: "timestamp",
    0x12: "long", 0x13: "decimal", 0x7F: "maxKey", 0xFF: "minKey",
}  # fmt: skip


def stored_type(value: object) -> str:
    """Return MongoDB's name of the BSON type of an encoded value."""
    ((_, kind, *_),) = elements(encode_bson({"": value}))
    return NAMES[kind]


def holder(kind: type) -> Any:
    """Return a model with one field of a class."""

    class Holder(lm.PersistableBase):
        model_config = ConfigDict(arbitrary_types_allowed=True)

        value: ANNOTATIONS.get(kind, kind)  # type: ignore[valid-type]

    return Holder


def test_each_class_has_its_own_entry() -> None:
    for entry in TYPES:
        for kind in entry.classes:
            assert entry_of(kind) is entry, kind


def test_an_encoder_is_of_one_class() -> None:
    """A codec compares the class of a value with the first class of its entry."""
    scalars = [entry for entry in TYPES if entry.kind is Kind.SCALAR]
    assert all(len(entry.classes) == 1 for entry in scalars if entry.encode is not None)


@pytest.mark.parametrize(("entry", "kind", "value"), CASES)
def test_a_value_comes_back(entry: StoredType, kind: type, value: Any) -> None:
    model = holder(kind)
    document = model(value=value)
    stored = decode_bson(
        encode_bson({"value": codec_of(ANNOTATIONS.get(kind, kind)).encode(value)})
    )
    loaded = hydrator(model).one({"_id": document.id, **stored}).value
    if isinstance(value, dt.datetime):
        assert entry.normalises
        value = value.replace(tzinfo=value.tzinfo or dt.UTC)
        value = value.replace(microsecond=value.microsecond // 1000 * 1000)
    if isinstance(value, bytearray | Regex):
        assert (type(loaded), loaded) == (type(value), value)
    assert loaded == value


@pytest.mark.parametrize(("entry", "kind", "value"), CASES)
def test_the_stored_type_is_the_declared_one(entry: StoredType, kind: type, value: Any) -> None:
    by_annotation = codec_of(ANNOTATIONS.get(kind, kind)).encode(value)
    by_class = to_bson(value)
    assert stored_type(by_annotation) == stored_type(by_class)
    if entry.kind is not Kind.ENUM:
        assert stored_type(by_annotation) in entry.bson
    assert encode_bson({"": by_annotation}) == encode_bson({"": by_class})
    assert bson_type_of(decode_bson(encode_bson({"": by_class}))[""]) == stored_type(by_class)


@pytest.mark.parametrize(("entry", "kind", "value"), CASES)
def test_the_validator_accepts_it(entry: StoredType, kind: type, value: Any) -> None:
    found = document_schema(holder(kind))["properties"]["value"]
    stored = codec_of(ANNOTATIONS.get(kind, kind)).encode(value)
    accepted = found.get("bsonType")
    if accepted is None:
        assert stored in found["enum"]
    else:
        assert stored_type(stored) in ([accepted] if isinstance(accepted, str) else accepted)


@pytest.mark.parametrize(("entry", "kind", "value"), CASES)
def test_a_column_holds_or_refuses_it(entry: StoredType, kind: type, value: Any) -> None:
    schema = schema_of(holder(kind))
    stored = {"value": codec_of(ANNOTATIONS.get(kind, kind)).encode(value)}
    builder = TableBuilder(schema)
    if not entry.fits_column:
        with pytest.raises(LossyConversion, match="value holds"):
            builder.add(encode_bson({"_id": ObjectId(), **stored}))
        return
    builder.add(encode_bson({"_id": ObjectId(), **stored}))
    column = builder.table().column("value")
    assert len(column) == 1
    assert (column.null_count == 1) == (value is None)
    if entry.arrow not in (None, "decimal128"):
        assert schema.field("value").type == column.type


@pytest.mark.parametrize(("entry", "kind", "value"), CASES)
def test_it_can_be_a_key(entry: StoredType, kind: type, value: Any) -> None:
    if entry.kind not in (Kind.SCALAR, Kind.TEXT, Kind.ENUM):
        return
    key = key_to_bson(value)
    assert isinstance(key, str)
    keys: Any = ANNOTATIONS.get(kind, kind)
    if kind in (str, int, UUID, dt.datetime, dt.date, dt.time, Decimal, enum.Enum):
        codec = codec_of(dict[keys, int])
        assert codec.encode({value: 1}) == {key: 1}
