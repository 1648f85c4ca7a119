"""Reads by plain commands find what the driver's own methods find, and close what they open."""

from __future__ import annotations

import random
from typing import Any

import pymongo
import pytest
from bson import ObjectId, Regex
from pymongo import ReadPreference
from pymongo.read_concern import ReadConcern

import loom_async as lm
from loom_async import fld
from loom_async.collections.find import collection_of
from loom_async.operations import read_commands
from loom_async.operations.read_commands import reads_by_commands
from loom_async.operations.target import Target, target_of
from loom_async.queries import query
from tests.commands import commands_of

pytestmark = pytest.mark.usefixtures("db")


@lm.declare_persist_db("reads_none", "rows")
class Row(lm.PersistableBase):
    number: int
    text: str = ""
    parts: list[dict[str, int]] = []


@lm.declare_persist_db("reads_none", "keyed")
class Keyed(lm.PersistableBase):
    id: Any  # type: ignore[assignment]
    n: int = 0


async def store(count: int) -> list[Row]:
    rows = [Row(number=n, text="x" * (n % 7), parts=[{"a": n}] * (n % 3)) for n in range(count)]
    await Row.persist_many(rows)
    return rows


def by_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_commands, "_ONE_SERVER", set())


def random_query(rows: list[Row], chance: random.Random) -> lm.LoadDirective[Row]:
    known, unknown = chance.choice(rows), ObjectId()
    conditions = [
        fld["id"] == known.id,
        fld["id"] == unknown,
        fld["id"].is_in([known.id, unknown]),
        fld["number"] >= chance.randrange(len(rows)),
        fld["text"].starts_with("xx"),
        fld["parts"].has_size(2),
    ]
    found = Row.filter(*chance.sample(conditions, chance.choice([0, 1, 1, 1, 2])))
    if chance.random() < 0.6:
        found = found.sort(*chance.choice([("number",), ("-text", "number"), ("-id",)]))
    if chance.random() < 0.3:
        found = found.skip(chance.randrange(3))
    if chance.random() < 0.3:
        found = found.limit(chance.randrange(8))
    if chance.random() < 0.3:
        found = found.options(batch_size=chance.randint(1, 5), comment={"by": "test"})
    if chance.random() < 0.2:
        found = found.options(hint="_id_", max_time_ms=60_000, allow_disk_use=True)
    if chance.random() < 0.2:
        found = found.options(read_preference=chance.choice(["primary", "nearest"]))
    return found


async def results(found: lm.LoadDirective[Row]) -> list[Any]:
    one = await found.load_one()
    stream = [row async for row in found.stream()]
    return [one, await found.load_many(), await found.load_docs(), stream, await found.exists()]


async def test_random_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = await store(40)
    collection = await Row.get_db_collection()
    chance = random.Random(20)
    for _ in range(40):
        found = random_query(rows, chance)
        by_commands = await results(found)
        with monkeypatch.context() as patch:
            by_the_driver(patch)
            assert await results(found) == by_commands
        if found._spec.limit == 0:
            assert by_commands[:3] == [None, [], []]
            continue
        spec = found._spec
        plain = collection.find(spec.filter, skip=spec.skip, limit=spec.limit or 0)
        documents = await (plain.sort(list(spec.sort)) if spec.sort else plain).to_list()
        assert by_commands[2] == documents
        assert [row.dump_doc() for row in by_commands[1]] == documents


@pytest.mark.parametrize(
    "key", ["a", 5, 5.0, b"x", ObjectId(), True, {"a": 1}, {"a": {"b": [1]}}, 2**40]
)
async def test_an_id_alone_is_compared_as_a_value(key: Any) -> None:
    await Keyed.persist_many([Keyed(id=key, n=1), Keyed(id="other"), Keyed(id="aa")])
    found = Keyed.filter(fld["id"] == key)
    for loaded in (await found.load_one(), *await found.load_many(), await Keyed.from_id(key)):
        assert loaded is not None
        assert (loaded.id, loaded.n) == (key, 1)
    assert await found.count() == 1
    assert await Keyed.filter(lm.raw({"_id": {"$eq": Regex("a")}})).load_many() == []
    assert len(await Keyed.filter(lm.raw({"_id": Regex("a")})).load_many()) >= 1


async def test_the_server_need_not_plan_a_query_for_an_id(client: Any) -> None:
    (row, *_) = await store(3)
    with commands_of(client, "find") as sent:
        await Row.filter(fld["id"] == row.id).load_one()
        await Row.filter(fld["id"] == row.id).load_many()
        await Row.from_id(row.id)
    assert [command["filter"] for command in sent] == [{"_id": row.id}] * 3
    assert all(command["singleBatch"] for command in sent)


async def test_a_filter_is_not_changed_by_its_queries() -> None:
    given = {"number": {"$in": [1, 2]}}
    found = Row.filter(lm.raw(given), fld["parts"] == [{"a": 1}])
    given["number"]["$in"].append(3)
    found._spec.filter["$and"][0]["number"]["$in"].append(4)
    await found.load_many()
    assert found._spec.filter["$and"][0] == {"number": {"$in": [1, 2]}}


async def test_what_only_the_driver_reads(client: Any, db: str) -> None:
    await store(1)
    target = await target_of(Row)
    assert reads_by_commands(target)
    with pymongo.timeout(30):
        assert not reads_by_commands(target)
        assert len(await Row.filter().load_many()) == 1
    async with lm.transaction():
        assert not reads_by_commands(await target_of(Row))
        assert len(await Row.filter().load_many()) == 1
    collection = await collection_of(Row)
    near = collection.with_options(read_preference=ReadPreference.NEAREST)
    assert not reads_by_commands(Target(near))


async def test_the_read_concern_is_kept(client: Any) -> None:
    await store(1)
    concern = ReadConcern("majority")
    collection = (await collection_of(Row)).with_options(read_concern=concern)
    with commands_of(client, "find") as sent:
        await read_commands.find_one(Target(collection), Row.filter()._spec)
    assert sent[0]["readConcern"] == {"level": "majority"}


async def test_the_options_are_those_of_every_batch(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(5)
    monkeypatch.setattr(query, "_BATCH_SIZE", 2)
    with commands_of(client) as sent:
        await Row.filter().options(comment="c").load_many()
    assert [next(iter(command)) for command in sent] == ["find", "getMore", "getMore"]
    assert [(command["batchSize"], command["comment"]) for command in sent] == [(2, "c")] * 3
    assert len({command["lsid"]["id"] for command in sent}) == 1
