"""Which ids MongoDB can store, and the filter that matches exactly one id."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from bson import Code, DBRef, Decimal128, Int64, MaxKey, ObjectId, Regex, Timestamp

import loom_async as lm
from loom_async._core.model.identity import checked_id, id_filter, parse_id, stored_id


class Thing(lm.PersistableBase):
    id: Any
    n: int = 0


PLAIN = [
    ObjectId(b"twelve bytes"),
    "x",
    7,
    Int64(7),
    True,
    1.5,
    b"x",
    UUID(int=1),
    datetime(2020, 1, 1, tzinfo=UTC),
    Decimal128("1.5"),
]
COMPARED: list[Any] = [
    {},
    {"a": 1},
    {"a": [1, {"b": 2}]},
    {"a.b": 1, "": 2},
    {"a": Regex("x")},
    {"$ref": "c", "$id": 1},
    {"$ref": "c", "$id": 1, "$db": "d", "more": 2},
    {"a": {"$ref": "c", "$id": 1}},
    {"a": {"$ref": "c", "$id": {"$ne": 1}}},
    DBRef("c", 1, "d"),
    MaxKey(),
    Timestamp(1, 1),
]
# The server refuses each of these when it is inserted: tests/aio/test_ids.py asks it.
REFUSED: list[Any] = [
    re.compile(".*"),
    Regex(".*"),
    [],
    [1],
    (1, 2),
    {1, 2},
    {"$ne": None},
    {"a": 1, "$b": 2},
    {"a": {"$ne": 1}},
    {"a": [{"b": {"$x": 1}}]},
    {"$id": 1},
    {"$ref": "c"},
    {"$ref": 1, "$id": 2},
    {"$ref": "c", "$db": "d"},
    {"$id": 1, "$ref": "c"},
    {"a": 1, "$ref": "c", "$id": 1},
    {"$ref": "c", "$id": 1, "$db": 2},
    {"$ref": "c", "$id": 1, "more": {"$ne": 1}},
    DBRef("c", 1, more={"$ne": 1}),
]


@pytest.mark.parametrize("key", PLAIN, ids=repr)
def test_filter_has_scalar_ids_as_they_are(key: Any) -> None:
    assert id_filter(key) == {"_id": key}
    assert parse_id(Thing, key) == stored_id(Thing(id=key)) == checked_id(Thing, key) == key


@pytest.mark.parametrize("key", COMPARED, ids=repr)
def test_filter_compares_other_ids_by_eq(key: Any) -> None:
    assert id_filter(key) == {"_id": {"$eq": key}}
    assert parse_id(Thing, key) == stored_id(Thing(id=key)) == checked_id(Thing, key) == key


@pytest.mark.parametrize("key", REFUSED, ids=repr)
def test_ids_that_mongodb_refuses(key: Any) -> None:
    with pytest.raises(lm.InvalidId, match="can never be the id of a Thing: MongoDB stores no"):
        parse_id(Thing, key)
    with pytest.raises(lm.InvalidId):
        stored_id(Thing(id=key))


@pytest.mark.parametrize("key", [None, 2**70, "\ud800", {"a\0": 1}, {"a": 2**70}, object()])
def test_ids_that_bson_cannot_hold(key: Any) -> None:
    with pytest.raises(lm.InvalidId) as caught:
        parse_id(Thing, key)
    assert caught.value.value is key


def test_filter_has_code_as_it_is() -> None:
    code = Code("x", {"a": 1})
    assert parse_id(Thing, code) == code
    assert id_filter(code) == {"_id": code}
