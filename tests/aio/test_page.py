"""Pages have each result once, in the query's order, whatever other writers insert."""

from __future__ import annotations

import base64
import datetime as dt
import math
import os
import random
import struct
import subprocess
import sys
import uuid
from typing import Any

import pytest
from bson import Code, DBRef, Decimal128, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.raw_bson import RawBSONDocument

import loom_async as lm
from loom_async._core.bson_codec import decode_bson, encode_bson
from loom_async.collections.find import collection_of

pytestmark = pytest.mark.usefixtures("db")


@lm.declare_persist_db("shop", "anything")
class Thing(lm.PersistableBase):
    id: Any = None
    a: Any = None
    b: Any = None
    c: Any = None


@lm.declare_persist_db("shop", "scores")
class Score(lm.PersistableBase):
    name: str
    points: int = 0


async def walk(query: Any, size: int) -> list[Any]:
    page = await query.page(size)
    items = list(page.items)
    while page.next is not None:
        assert len(page.items) == size
        page = await query.page(size, after=page.next)
        items += page.items
    return items


VALUES: list[Any] = [
    None, ..., MinKey(), MaxKey(), 1, 1.0, -3, 2.5, 2**60, math.nan, math.inf, -math.inf,
    Decimal128("1"), Decimal128("1E+30"), Decimal128("NaN"), "", "a", "b", {}, {"x": 1}, {"x": "1"},
    b"", b"ab", uuid.UUID(int=5), ObjectId(), True, False, dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
    Timestamp(1, 2), Code("a"), Code("b"), Code("a", {"x": 1}), Code("a", {"x": 2}), Code(""),
]  # fmt: skip


@pytest.mark.parametrize("keys", [("a",), ("-a",), ("a", "-b"), ("-b", "a"), ("-a", "-id"), ()])
@pytest.mark.parametrize("size", [1, 7, 100])
async def test_every_type_in_order(keys: tuple[str, ...], size: int) -> None:
    chance = random.Random(size)
    pairs = [(chance.choice(VALUES), chance.choice(VALUES)) for _ in range(90)]
    pairs += [(value, value) for value in VALUES]
    collection = await collection_of(Thing)
    documents: list[dict[str, Any]] = [
        {"_id": n, **{k: v for k, v in zip("ab", pair, strict=True) if v is not ...}}
        for n, pair in enumerate(pairs)
    ]
    await collection.insert_many(documents)
    query = Thing.filter().sort(*keys) if keys else Thing.filter()
    expected = [d["_id"] async for d in query.sort("id").load_aggregate()]
    assert [thing.id for thing in await walk(query, size)] == expected


def of_type(id: int, kind: int, value: bytes) -> Any:
    """Return a document whose `a` is of a type that the driver cannot write."""
    body = b"\x10_id\0" + struct.pack("<i", id) + bytes([kind]) + b"a\0" + value + b"\0"
    return RawBSONDocument(struct.pack("<i", len(body) + 4) + body)


def text(content: bytes) -> bytes:
    return struct.pack("<i", len(content) + 1) + content + b"\0"


@pytest.mark.parametrize("key", ["a", "-a"])
@pytest.mark.parametrize("size", [1, 2, 3])
async def test_deprecated_types(key: str, size: int) -> None:
    collection = await collection_of(Thing)
    await collection.insert_many([{"_id": n, "a": a} for n, a in enumerate(["a", "c", {}, 1])])
    await collection.insert_many([of_type(n, 14, text(b)) for n, b in enumerate((b"b", b"d"), 4)])
    query = Thing.filter().sort(key)
    expected = [d["_id"] async for d in query.sort("id").load_aggregate()]
    assert [thing.id for thing in await walk(query, size)] == expected
    # A value that cannot be compared is refused: its document is never skipped.
    await collection.insert_one(of_type(6, 12, text(b"db.c") + bytes(12)))
    with pytest.raises(lm.QueryError, match="is a reference in document 6"):
        await walk(query, size)


async def test_documents_inserted_between_pages() -> None:
    await Score.persist_many([Score(name=str(n), points=n // 3) for n in range(30)])
    query = Score.filter(lm.fld["points"] < 9).sort("points", descending=True)
    first = await query.page(10)
    await Score.persist_many([Score(name="new", points=p) for p in (8, 8, 7)])
    await Score.filter(lm.fld["name"] == first.items[3].name).delete()
    names = [score.name for score in first.items]
    page = first
    while page.next is not None:
        page = await query.page(10, page.next)
        names += [score.name for score in page.items]
    old = [name for name in names if name != "new"]
    assert sorted(old, key=int) == [str(n) for n in range(27)]


async def test_loaded_objects_are_whole() -> None:
    await Score.persist_many([Score(name="a"), Score(name="b")])
    page = await Score.filter().sort("name").page(2)
    assert page.next is None
    page.items[0].points = 5
    assert await page.items[0].persist()
    assert (await Score.filter(lm.fld["id"] == ObjectId()).page(3)) == lm.Page([], None)


async def test_tokens_of_other_queries() -> None:
    await Score.persist_many([Score(name=str(n)) for n in range(3)])
    token = (await Score.filter().sort("name").page(1)).next
    assert token is not None
    for query in (
        Score.filter(),
        Score.filter().sort("points"),
        Score.filter().sort("-name"),
        Score.filter(lm.fld["points"] == 1).sort("name"),
        Thing.filter().sort("a"),
    ):
        with pytest.raises(lm.QueryError, match="another query"):
            await query.page(1, after=token)
    for broken in ("", "x", token[:-4], "ä", "!" * 8, "AAAA"):
        with pytest.raises(lm.QueryError, match=r"not the token|another query"):
            await Score.filter().sort("name").page(1, after=broken)


async def test_queries_without_pages() -> None:
    for query in (
        Score.filter().limit(3),
        Score.filter().skip(1),
        Score.filter().sample(2),
    ):
        with pytest.raises(lm.QueryError, match="filters and sort keys"):
            await query.page(2)
    for size in (0, -1, True, 2.0):
        with pytest.raises(lm.QueryError, match="1 or more"):
            await Score.filter().page(size)  # type: ignore[arg-type]
    await (await collection_of(Thing)).insert_many([{"a": [1, 2]}, {"b": Regex("x")}])
    with pytest.raises(lm.QueryError, match="is an array"):
        await Thing.filter().sort("a").page(5)
    with pytest.raises(lm.QueryError, match="is a regular expression"):
        await Thing.filter().sort("b").page(5)
    await (await collection_of(Thing)).insert_one({"c": DBRef("users", 1)})
    with pytest.raises(lm.QueryError, match="is a reference"):
        await Thing.filter().sort(lm.fld["c"]).page(5)


async def test_forged_tokens() -> None:
    await Score.persist_many([Score(name=str(n)) for n in range(3)])
    query = Score.filter().sort("name")
    token = (await query.page(1)).next
    assert token is not None
    mark = decode_bson(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))["q"]
    values: list[Any] = [
        [1], [1, 2, 3], 5, None, "ab", {"a": 1, "b": 2}, [{"$gt": ""}, {"$ne": 1}],
        [Decimal128("sNaN"), ObjectId()], [Regex("x"), 1],
    ]  # fmt: skip
    for value in values:
        made_up = base64.urlsafe_b64encode(encode_bson({"q": mark, "v": value})).decode()
        try:
            page = await query.page(2, after=made_up.rstrip("="))
        except lm.QueryError:
            continue
        assert len(page.items) <= 3


def test_a_query_is_the_same_in_every_process() -> None:
    script = """
import loom_async as lm
class Score(lm.PersistableBase):
    name: str
print(Score.filter(lm.fld["name"].is_in({"a", "b", "c", "d"})))
"""
    shown = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (1, 2, 3)
    }
    assert len(shown) == 1


async def test_empty_arrays_are_not_skipped() -> None:
    collection = await collection_of(Thing)
    await collection.insert_many([{"_id": n, "a": a} for n, a in enumerate([3, 2, None, []])])
    with pytest.raises(lm.QueryError, match="is an array"):
        await walk(Thing.filter().sort("-a"), 2)
