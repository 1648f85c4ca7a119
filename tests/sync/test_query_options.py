# Generated from tests/aio/test_query_options.py by `nox -s sync`: edit that file.
"""The options of queries: each is sent with every command that a query runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from pymongo import MongoClient

import loom_sync as lm
from loom_sync import fld
from tests.commands import commands_of
from tests.sync.shop import User, names, people

pytestmark = pytest.mark.usefixtures("db")

COMMENT = {"job": "nightly"}
SERVER_FIELDS = {
    "hint": {"_id": 1},
    "collation": {"locale": "en", "strength": 2},
    "comment": COMMENT,
    "maxTimeMS": 60_000,
}
# The server checks its time limit between documents: a sum over each takes far longer.
SUM = {
    "$reduce": {
        "input": {"$range": [0, 500_000]},
        "initialValue": 0,
        "in": {"$add": ["$$value", {"$multiply": ["$$this", "$age"]}]},
    }
}
SLOW = lm.raw({"$expr": {"$gt": [SUM, -1]}})


def with_options(query: Any, **more: Any) -> Any:
    return query.options(
        hint=["id"],
        collation={"locale": "en", "strength": 2},
        comment=COMMENT,
        max_time_ms=60_000,
        **more,
    )


def listed(results: Any) -> list[Any]:
    return list(results)


def pages(query: Any) -> list[Any]:
    return list(query.page(1).items)


# Each runs a query; the command that it sends.
READING: list[Any] = [
    pytest.param(lambda q: q.load_one(), "find", id="load_one"),
    pytest.param(lambda q: q.load_many(), "find", id="load_many"),
    pytest.param(lambda q: q.load_latest(), "find", id="load_latest"),
    pytest.param(lambda q: q.load_latest(2), "find", id="load_latest(2)"),
    pytest.param(lambda q: q.load_docs(), "find", id="load_docs"),
    pytest.param(lambda q: listed(q.stream()), "find", id="stream"),
    pytest.param(lambda q: listed(q.load_aggregate()), "find", id="load_aggregate"),
    pytest.param(lambda q: q.exists(), "find", id="exists"),
    pytest.param(lambda q: pages(q), "find", id="page"),
    pytest.param(lambda q: q.count(), "aggregate", id="count"),
    pytest.param(lambda q: q.sample(3).load_many(), "aggregate", id="sample"),
    pytest.param(lambda q: q.sample(3).load_one(), "aggregate", id="load_one of a sample"),
    pytest.param(lambda q: q.sample(3).count(), "aggregate", id="count of a sample"),
    pytest.param(lambda q: q.sample(3).distinct("age"), "aggregate", id="distinct of a sample"),
    pytest.param(lambda q: q.project("age").load_many(), "aggregate", id="project"),
    pytest.param(lambda q: listed(q.project("age").stream()), "aggregate", id="stream of dicts"),
    pytest.param(lambda q: q.merge_into("copies"), "aggregate", id="merge_into"),
    pytest.param(lambda q: q.out("copies"), "aggregate", id="out"),
    pytest.param(lambda q: q.load_table(), "find", id="load_table"),
    pytest.param(lambda q: q.sample(3).load_table(), "aggregate", id="load_table of a sample"),
    pytest.param(lambda q: q.load_dataframe(), "find", id="load_dataframe"),
    pytest.param(lambda q: q.load_polars(), "find", id="load_polars"),
    pytest.param(lambda q: listed(q.load_batches(rows=1)), "find", id="load_batches"),
]


@pytest.mark.parametrize("in_transaction", [False, True], ids=["alone", "in a transaction"])
@pytest.mark.parametrize(("run", "command"), READING)
def test_every_read_sends_the_options(
    client: MongoClient[Any], run: Any, command: str, in_transaction: bool, request: Any
) -> None:
    people()
    query = with_options(User.filter(), allow_disk_use=True, batch_size=1)
    with commands_of(client, command) as sent:
        if in_transaction and not request.node.callspec.id.startswith(("merge", "out")):
            with lm.transaction():
                run(query)
        else:
            run(query)
    options = {name: sent[0].get(name) for name in SERVER_FIELDS}
    assert options == SERVER_FIELDS
    if command == "aggregate" and request.node.callspec.id.endswith(" count"):
        assert "allowDiskUse" not in sent[0]


@pytest.mark.parametrize("command", ["find", "aggregate"])
@pytest.mark.parametrize(
    "run",
    [
        lambda q: q.load_many(),
        lambda q: listed(q.stream()),
        lambda q: q.load_docs(),
        lambda q: q.load_table(),
        lambda q: listed(q.load_batches()),
    ],
    ids=["load_many", "stream", "load_docs", "load_table", "load_batches"],
)
def test_batch_size_and_disk_use(client: MongoClient[Any], run: Any, command: str) -> None:
    people()
    query: Any = User.filter().options(batch_size=3, allow_disk_use=False, comment="c")
    with commands_of(client) as sent:
        run(query if command == "find" else query.agg(lm.AggregationStages().match({})))
    first, *rest = [c for c in sent if next(iter(c)) in (command, "getMore")]
    assert first["allowDiskUse"] is False
    # The driver opens the cursor of an aggregation with an empty batch.
    assert first.get("batchSize", first.get("cursor", {}).get("batchSize")) in (0, 3)
    assert rest
    assert {(c["batchSize"], c["comment"]) for c in rest} == {(3, "c")}


def test_collation_decides_what_is_equal() -> None:
    people()
    query = User.filter(fld["name"] == "ANN").options(collation={"locale": "en", "strength": 2})
    assert names(query) == ["Ann"]
    assert query.count() == 1
    assert query.exists()
    assert query.distinct("name") == ["Ann"]
    assert query.skip(0).limit(3).distinct("name") == ["Ann"]
    assert query.load_table().num_rows == 1
    assert [u.name for u in query.page(5).items] == ["Ann"]
    assert query.update(age=31) == 1
    assert query.options(max_time_ms=60_000).update(age=32) == 1
    assert query.filter(fld["age"] == 32).options(max_time_ms=60_000).delete() == 1


def test_pages_of_a_collation() -> None:
    users = [User(name=name) for name in ("b", "A", "a", "B", "c", "C")]
    User.persist_many(users)
    query = User.filter().sort("name").options(collation={"locale": "en", "strength": 1})
    found, token = list[str](), None
    while True:
        page = query.page(1, token)
        found += [user.name for user in page.items]
        token = page.next
        if token is None:
            break
    assert "".join(found).lower() == "aabbcc"
    assert sorted(found) == sorted(user.name for user in users)
    first = query.page(1)
    with pytest.raises(lm.QueryError, match="another query"):
        User.filter().sort("name").page(1, first.next)


@lm.declare_persist_db("shop", "countries")
class Country(lm.PersistableBase):
    id: str


def test_pages_of_a_collation_with_text_ids_are_refused() -> None:
    Country.persist_many([Country(id=id) for id in ("a", "A", "b")])
    with pytest.raises(lm.QueryError, match="collation"):
        Country.filter().options(collation={"locale": "en", "strength": 1}).page(1)


def test_distinct_of_a_part_of_the_results_has_a_collation() -> None:
    Country.persist_many([Country(id=id) for id in ("a", "A", "b")])
    query = Country.filter().options(collation={"locale": "en", "strength": 1})
    assert query.sort("id").limit(1).distinct("id") in (["a"], ["A"])
    assert len(query.distinct("id")) == 2


def test_hint_is_used(client: MongoClient[Any]) -> None:
    people()
    collection = User.get_db_collection()
    collection.create_index([("storedAs", 1)])
    for hint in (["alias"], "storedAs_1", fld["alias"]):
        plan = User.filter(fld["age"] > 3).options(hint=hint).explain()
        assert "storedAs_1" in str(plan["queryPlanner"]["winningPlan"])
        assert len(User.filter().options(hint=hint).load_many()) == 4
    with commands_of(client, "update") as sent:
        User.filter(fld["age"] > 3).options(hint=["alias"]).update(age=5)
        User.filter().options(hint="storedAs_1", max_time_ms=60_000).update(age=6)
    assert [c["updates"][0]["hint"] for c in sent] == [{"storedAs": 1}, "storedAs_1"]
    with pytest.raises(lm.OperationFailed):
        User.filter().options(hint="no such index").load_many()


def test_distinct_takes_a_hint_where_the_server_does(client: MongoClient[Any]) -> None:
    people()
    query = User.filter(fld["age"] > 20).options(hint=["id"])
    version = client.server_info()["versionArray"]
    if version[:2] >= [7, 1]:
        assert query.distinct("age") == [30, 40]
    else:
        with pytest.raises(lm.QueryError, match="hint"):
            query.distinct("age")
    assert query.sort("age").limit(2).distinct("age") == [30]


@pytest.mark.parametrize("limited", [False, True])
def test_writes_send_the_options(client: MongoClient[Any], limited: bool) -> None:
    people()
    query = User.filter(fld["age"] >= 30).options(
        hint=["id"],
        collation={"locale": "en"},
        comment=COMMENT,
        batch_size=1,
        allow_disk_use=True,
        read_preference="secondary",
        on_invalid="skip",
    )
    if limited:
        query = query.options(max_time_ms=60_000)
    for in_transaction in (False, True):
        with commands_of(client) as sent:
            if in_transaction:
                with lm.transaction():
                    counts = query.update(age=33), query.delete()
            else:
                counts = query.update(age=34), 3
        assert counts == (3, 3)
        assert counts[0].matched == 3
        for command in sent:
            for statement in command.get("updates", ()) or command.get("deletes", ()):
                assert statement["hint"] == {"_id": 1}
                assert statement["collation"]["locale"] == "en"
                assert command["comment"] == COMMENT
                assert command.get("maxTimeMS") == (60_000 if limited else None)


TIMED: list[Callable[[Any], Any]] = [
    lambda q: q.count(),
    lambda q: q.load_one(),
    lambda q: q.load_many(),
    lambda q: q.load_docs(),
    lambda q: listed(q.stream()),
    lambda q: q.exists(),
    lambda q: q.distinct("age"),
    lambda q: q.page(2),
    lambda q: q.load_table(),
    lambda q: listed(q.load_batches()),
    lambda q: q.agg(lm.AggregationStages().match({})).load_many(),
    lambda q: q.sample(3).load_table(),
    lambda q: q.sample(3).distinct("age"),
    lambda q: q.update(age=3),
    lambda q: q.delete(),
]


@pytest.mark.parametrize("in_transaction", [False, True], ids=["alone", "in a transaction"])
@pytest.mark.parametrize("run", TIMED)
def test_exceeded_time_limit_is_a_timeout(run: Any, in_transaction: bool) -> None:
    people()
    query = User.filter(SLOW).options(max_time_ms=1)

    def run_it() -> None:
        with lm.transaction() if in_transaction else nullcontext():
            run(query)

    with pytest.raises(lm.OperationTimeout, match="time limit") as caught:
        run_it()
    assert isinstance(caught.value, TimeoutError)
    assert "max_time_ms" in str(caught.value)


@pytest.mark.parametrize(("run", "command"), READING)
def test_read_preference_is_sent(client: MongoClient[Any], run: Any, command: str) -> None:
    people()
    query = User.filter().options(read_preference="secondaryPreferred")
    with commands_of(client, command) as sent:
        run(query)
    mode = {command.get("$readPreference", {}).get("mode") for command in sent}
    assert mode <= {"secondaryPreferred", "primaryPreferred"}
    assert mode


def test_read_preference_of_commands(client: MongoClient[Any]) -> None:
    people()
    query = User.filter().options(read_preference="secondaryPreferred")
    for run, command in ((query.explain, "explain"), (lambda: query.distinct("age"), "distinct")):
        with commands_of(client, command) as sent:
            run()
        assert sent[0]["$readPreference"]["mode"] == "secondaryPreferred"


@pytest.mark.parametrize("run", [*TIMED[:-2], lambda q: q.merge_into("copies")])
def test_transaction_reads_from_the_primary_alone(run: Any) -> None:
    people()
    query = User.filter()
    with lm.transaction():
        with pytest.raises(lm.TransactionError, match="secondary"):
            run(query.options(read_preference="secondary"))
        assert query.options(read_preference="primary").count() == 4


def test_explain_has_the_options(client: MongoClient[Any]) -> None:
    people()
    for query, name in ((User.filter(), "find"), (User.filter().sample(2), "aggregate")):
        with commands_of(client, "explain") as sent:
            with_options(query, allow_disk_use=True).explain()
        (command,) = sent
        assert command["maxTimeMS"] == 60_000
        assert {key: command["explain"][key] for key in SERVER_FIELDS} == SERVER_FIELDS
        assert command["explain"]["allowDiskUse"] is True
        assert name in command["explain"]


def test_count_near_a_point_has_the_options(client: MongoClient[Any]) -> None:
    collection = User.get_db_collection()
    collection.create_index([("place", "2dsphere")])
    User(name="Ann", place={"type": "Point", "coordinates": [14.4, 50.1]}).persist()
    query = User.filter(fld["place"].near((14.4, 50.1))).options(
        max_time_ms=60_000, comment=COMMENT, hint={"place": "2dsphere"}
    )
    with commands_of(client, "count") as sent:
        assert query.count() == 1
    assert sent[0]["maxTimeMS"] == 60_000
    assert sent[0]["hint"] == {"place": "2dsphere"}
    assert sent[0]["comment"] == COMMENT


def test_change_stream_has_the_options(client: MongoClient[Any]) -> None:
    query = User.filter(fld["name"] == "Ann").options(
        comment=COMMENT, read_preference="primaryPreferred"
    )
    with commands_of(client, "aggregate") as sent, query.watch() as changes:
        User(name="Bea").persist()
        User(name="Ann").persist()
        for change in changes:
            assert change.document is not None
            assert change.document.name == "Ann"
            break
    assert sent[0]["comment"] == COMMENT
    assert sent[0]["$readPreference"]["mode"] == "primaryPreferred"


def test_query_without_options_sends_none(client: MongoClient[Any]) -> None:
    people()
    with commands_of(client, "find") as sent:
        User.filter().load_many()
        User.filter().load_one()
    for command in sent:
        extra = {"hint", "collation", "comment", "maxTimeMS", "allowDiskUse"} & command.keys()
        assert not extra
