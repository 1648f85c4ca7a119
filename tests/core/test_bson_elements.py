"""The elements of a document are found without decoding their values."""

from __future__ import annotations

import datetime as dt
from typing import Any

import bson
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from loom_async._core import bson_elements
from loom_async._core.bson_elements import BYTES_BESIDE_LENGTH, FIXED_SIZES, REGEX, elements

VALUES: dict[str, Any] = {
    "double": 1.5, "string": "ž", "document": {"a": {"b": 1}}, "array": [1, "x", []],
    "binary": Binary(b"\0\1", 5), "uuid": Binary(bytes(16), 4), "id": ObjectId(), "bool": True,
    "date": dt.datetime(2020, 1, 1), "null": None, "regex": Regex("a.b", "im"), "int": 7,
    "code": Code("f()"), "scoped": Code("f()", {"x": 1}), "long": Int64(2**40),
    "timestamp": Timestamp(1, 2), "decimal": Decimal128("1.5"), "least": MinKey(),
    "most": MaxKey(), "reference": DBRef("c", 1), "": 0, "a.b": 1,
}  # fmt: skip


def test_elements_of_every_type() -> None:
    raw = bson.encode(VALUES)
    found = list(elements(raw))
    assert [name for name, *_ in found] == list(VALUES)
    for name, element_type, start, end in found:
        alone = bson.encode({name: VALUES[name]})
        head = 4 + 1 + len(name.encode()) + 1
        assert (element_type, raw[start:end]) == (alone[4], alone[head:-1])


def test_elements_of_types_that_pymongo_does_not_encode() -> None:
    undefined = b"\x06u\0"
    pointer = b"\x0cp\0" + b"\x02\0\0\0c\0" + bytes(12)
    symbol = b"\x0es\0" + b"\x02\0\0\0x\0"
    body = undefined + pointer + symbol
    raw = (len(body) + 5).to_bytes(4, "little") + body + b"\0"
    assert [(name, end - start) for name, _, start, end in elements(raw)] == [
        ("u", 0), ("p", 18), ("s", 6),
    ]  # fmt: skip


def test_every_type_has_one_rule_for_its_size() -> None:
    types = {value for name, value in vars(bson_elements).items() if type(value) is int}
    assert len(types) == 21
    assert {*FIXED_SIZES, *BYTES_BESIDE_LENGTH, REGEX} == types
    assert not FIXED_SIZES.keys() & BYTES_BESIDE_LENGTH.keys()


def test_elements_of_a_document_at_an_offset() -> None:
    raw = b"before" + bson.encode({"x": 1, "y": None}) + b"behind"
    assert [name for name, *_ in elements(raw, 6)] == ["x", "y"]
