"""Finding the elements of a BSON document without decoding it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import bson
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from loom_async._core.bson_elements import elements

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
    for name, kind, begin, end in found:
        alone = bson.encode({name: VALUES[name]})
        head = 4 + 1 + len(name.encode()) + 1
        assert (kind, raw[begin:end]) == (alone[4], alone[head:-1])


def test_elements_of_a_document_at_an_offset() -> None:
    raw = b"before" + bson.encode({"x": 1, "y": None}) + b"behind"
    assert [name for name, *_ in elements(raw, 6)] == ["x", "y"]
