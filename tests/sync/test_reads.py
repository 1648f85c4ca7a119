# Generated from tests/aio/test_reads.py by `nox -s sync`: edit that file.
"""Reads by plain commands find what the driver's own methods find, and close what they open."""

from __future__ import annotations

import random
from typing import Any

import pymongo
import pytest
from bson import ObjectId, Regex
from pymongo import ReadPreference
from pymongo.read_concern import ReadConcern

import loom_sync as lm
from loom_sync import fld
from loom_sync.collections.find import collection_of
from loom_sync.operations import read_commands
from loom_sync.operations.read_commands import reads_by_commands
from loom_sync.operations.target import Target, target_of
from loom_sync.queries import query
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


def store(count: int) -> list[Row]:
    rows = [Row(number=n, text="x" * (n % 7), parts=[{"a": n}] * (n % 3)) for n in range(count)]
    Row.persist_many(rows)
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


def results(found: lm.LoadDirective[Row]) -> list[Any]:
    one = found.load_one()
    stream = list(found.stream())
    return [one, found.load_many(), found.load_docs(), stream, found.exists()]


def test_random_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = store(40)
    collection = Row.get_db_collection()
    chance = random.Random(20)
    for _ in range(40):
        found = random_query(rows, chance)
        by_commands = results(found)
        with monkeypatch.context() as patch:
            by_the_driver(patch)
            assert results(found) == by_commands
        if found._spec.limit == 0:
            assert by_commands[:3] == [None, [], []]
            continue
        spec = found._spec
        plain = collection.find(spec.filter, skip=spec.skip, limit=spec.limit or 0)
        documents = (plain.sort(list(spec.sort)) if spec.sort else plain).to_list()
        assert by_commands[2] == documents
        assert [row.dump_doc() for row in by_commands[1]] == documents


@pytest.mark.parametrize(
    "key", ["a", 5, 5.0, b"x", ObjectId(), True, {"a": 1}, {"a": {"b": [1]}}, 2**40]
)
def test_an_id_alone_is_compared_as_a_value(key: Any) -> None:
    Keyed.persist_many([Keyed(id=key, n=1), Keyed(id="other"), Keyed(id="aa")])
    found = Keyed.filter(fld["id"] == key)
    for loaded in (found.load_one(), *found.load_many(), Keyed.from_id(key)):
        assert loaded is not None
        assert (loaded.id, loaded.n) == (key, 1)
    assert found.count() == 1
    assert Keyed.filter(lm.raw({"_id": {"$eq": Regex("a")}})).load_many() == []
    assert len(Keyed.filter(lm.raw({"_id": Regex("a")})).load_many()) >= 1


def test_the_server_need_not_plan_a_query_for_an_id(client: Any) -> None:
    (row, *_) = store(3)
    with commands_of(client, "find") as sent:
        Row.filter(fld["id"] == row.id).load_one()
        Row.filter(fld["id"] == row.id).load_many()
        Row.from_id(row.id)
    assert [command["filter"] for command in sent] == [{"_id": row.id}] * 3
    assert all(command["singleBatch"] for command in sent)


def test_a_filter_is_not_changed_by_its_queries() -> None:
    given = {"number": {"$in": [1, 2]}}
    found = Row.filter(lm.raw(given), fld["parts"] == [{"a": 1}])
    given["number"]["$in"].append(3)
    found._spec.filter["$and"][0]["number"]["$in"].append(4)
    found.load_many()
    assert found._spec.filter["$and"][0] == {"number": {"$in": [1, 2]}}


def test_what_only_the_driver_reads(client: Any, db: str) -> None:
    store(1)
    target = target_of(Row)
    assert reads_by_commands(target)
    with pymongo.timeout(30):
        assert not reads_by_commands(target)
        assert len(Row.filter().load_many()) == 1
    with lm.transaction():
        assert not reads_by_commands(target_of(Row))
        assert len(Row.filter().load_many()) == 1
    collection = collection_of(Row)
    near = collection.with_options(read_preference=ReadPreference.NEAREST)
    assert not reads_by_commands(Target(near))


def test_the_read_concern_is_kept(client: Any) -> None:
    store(1)
    concern = ReadConcern("majority")
    collection = collection_of(Row).with_options(read_concern=concern)
    with commands_of(client, "find") as sent:
        read_commands.find_one(Target(collection), Row.filter()._spec)
    assert sent[0]["readConcern"] == {"level": "majority"}


def test_the_options_are_those_of_every_batch(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store(5)
    monkeypatch.setattr(query, "_BATCH_SIZE", 2)
    with commands_of(client) as sent:
        Row.filter().options(comment="c").load_many()
    assert [next(iter(command)) for command in sent] == ["find", "getMore", "getMore"]
    assert [(command["batchSize"], command["comment"]) for command in sent] == [(2, "c")] * 3
    assert len({command["lsid"]["id"] for command in sent}) == 1
