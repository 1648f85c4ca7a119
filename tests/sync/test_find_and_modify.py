# Generated from tests/aio/test_find_and_modify.py by `nox -s sync`: edit that file.
"""Queries that update or delete their first document and return it."""

from __future__ import annotations

from typing import Any

import pytest

import loom_sync as lm
from loom_sync import fld
from tests.commands import commands_of
from tests.sync.shop import User, people

pytestmark = pytest.mark.usefixtures("db")


@lm.declare_persist_db("shop", "jobs", index=[lm.Index("name", unique=True)])
class Job(lm.Persistable):
    name: str
    state: str = "new"
    rank: int = 0
    tries: lm.IncrCounter = 0
    revision: lm.Revision


@lm.declare_persist_db("shop", "hooked")
class Hooked(lm.PersistableBase):
    calls: list[str] = []

    def after_load(self) -> None:
        self.calls.append("after_load")

    def before_delete(self) -> None:
        raise AssertionError

    after_delete = before_persist = after_persist = before_delete


@lm.declare_persist_db("shop", "entries")
class Entry(lm.LedgerModel):
    n: int = 0


@lm.declare_persist_db("shop", "files")
class File(lm.BlobModel):
    name: str


@lm.declare_persist_db("shop", "things", discriminator="kind")
class Thing(lm.PersistableBase):
    n: int = 0


class Ball(Thing):
    size: int = 1


def jobs() -> list[Job]:
    made = [Job(name=name, rank=rank) for name, rank in (("a", 2), ("b", 3), ("c", 1))]
    Job.persist_many(made)
    return made


def test_the_first_in_order_is_updated_and_returned() -> None:
    jobs()
    query = Job.filter(fld["state"] == "new").sort("rank")
    taken = [query.find_one_and_update({"$inc": {"tries": 1}}, state="taken")
             for _ in range(4)]  # fmt: skip
    assert [job and job.name for job in taken] == ["c", "a", "b", None]
    first = taken[0]
    assert first is not None
    assert (first.state, first.tries, first.revision) == ("taken", 1, 2)
    assert first.updated_time >= first.created_at
    assert first == Job.from_id(first.id)
    first.rank = 9
    assert first.persist() is True


def test_the_document_before_the_update() -> None:
    (job, *_) = jobs()
    query = Job.filter(fld["id"] == job.id)
    before = query.find_one_and_update({"state": "done"}, return_before=True)
    assert before is not None
    assert (before.state, before.revision) == ("new", 1)
    assert query.exists()
    missing = Job.filter(fld["name"] == "x")
    assert missing.find_one_and_update({"state": "y"}, return_before=True) is None


def test_find_one_and_update_inserts() -> None:
    query = Job.filter(fld["name"] == "x")
    made = query.find_one_and_update({"$inc": {"tries": 3}}, upsert=True)
    assert made is not None
    assert (made.name, made.tries, made.revision, made.state) == ("x", 3, 1, "new")
    assert made.persist() is False
    none = Job.filter(fld["name"] == "y")
    assert none.find_one_and_update({"rank": 1}, upsert=True, return_before=True) is None
    assert none.count() == 1
    with pytest.raises(lm.QueryError, match="lack name"):
        Job.filter(fld["rank"] == 5).find_one_and_update({"tries": 1}, upsert=True)


def test_find_one_and_delete() -> None:
    jobs()
    query = Job.filter(fld["rank"] < 3).sort("rank", descending=True)
    gone = query.find_one_and_delete()
    assert gone is not None
    assert gone.name == "a"
    assert Job.from_id(gone.id) is None
    assert gone.persist() is True  # as after delete(): it is inserted again
    assert Job.filter().count() == 3
    assert Job.filter(fld["rank"] > 9).find_one_and_delete() is None


def test_only_after_load_runs() -> None:
    with pytest.raises(AssertionError):
        Hooked().persist()
    collection = Hooked.get_db_collection()
    collection.insert_many([{"calls": []}, {"calls": []}])
    updated = Hooked.filter().find_one_and_update({"$push": {"calls": "x"}})
    assert updated is not None
    assert updated.calls == ["x", "after_load"]
    deleted = Hooked.filter(fld["id"] == updated.id).find_one_and_delete()
    assert deleted is not None
    assert deleted.calls == ["x", "after_load"]


@pytest.mark.parametrize(
    "query",
    [
        User.filter().skip(1),
        User.filter().limit(1),
        User.filter().limit(0),
        User.filter().sample(1),
    ],
    ids=repr,
)
def test_queries_of_no_single_document_are_refused(query: Any, client: Any) -> None:
    people()
    with commands_of(client) as sent:
        with pytest.raises(lm.QueryError, match="find_one_and_update"):
            query.find_one_and_update({"age": 1})
        with pytest.raises(lm.QueryError, match="find_one_and_delete"):
            query.find_one_and_delete()
    assert sent == []


@pytest.mark.parametrize("values", [{"agee": 1}, {"$inc": {"address.ciy": 1}}])
def test_unknown_fields_are_refused(values: Any) -> None:
    with pytest.raises(lm.UnknownFieldError):
        User.filter().find_one_and_update(values)


def test_ledgers_are_left_alone() -> None:
    Entry().persist()
    with pytest.raises(lm.LedgerIsAppendOnly):
        Entry.filter().find_one_and_update({"n": 1})
    with pytest.raises(lm.LedgerIsAppendOnly):
        Entry.filter().find_one_and_delete()
    with pytest.raises(lm.LedgerIsAppendOnly):
        Entry.filter().update(n=1, upsert=True)


def test_the_class_of_a_family() -> None:
    Thing(n=1).persist()
    Ball(n=1).persist()
    ball = Ball.filter(fld["n"] == 1).find_one_and_update({"size": 5})
    assert type(ball) is Ball
    made = Ball.filter(fld["n"] == 2).find_one_and_update({"size": 5}, upsert=True)
    assert type(made) is Ball
    assert type(Thing.filter(fld["n"] == 2).find_one_and_delete()) is Ball


def test_a_blob_is_deleted_with_its_bytes(client: Any, db: str) -> None:
    files = [File(name="a"), File(name="b")]
    for file in files:
        file.write_from(b"bytes of " + file.name.encode())
    with pytest.raises(lm.TransactionError), lm.transaction():
        File.filter().find_one_and_delete()
    assert File.filter().count() == 2
    gone = File.filter(fld["name"] == "a").find_one_and_delete()
    assert gone is not None
    assert gone.id == files[0].id
    chunks = [name for name in client[db].list_collection_names() if "chunks" in name]
    assert [client[db][name].count_documents({}) for name in chunks] == [1]
    with files[1].open_read() as stream:
        assert stream.read() == b"bytes of b"


def test_transactions_take_both_back() -> None:
    (job, *_) = jobs()

    def fail() -> None:
        with lm.transaction():
            updated = Job.filter(fld["id"] == job.id).find_one_and_update({"state": "x"})
            assert updated is not None
            assert updated.state == "x"
            assert Job.filter(fld["state"] == "new").find_one_and_delete() is not None
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert Job.filter(fld["state"] == "new").count() == 3


def test_a_duplicate_is_an_error() -> None:
    jobs()
    with pytest.raises(lm.DuplicateKey):
        Job.filter(fld["name"] == "a").find_one_and_update({"name": "b"})
    with pytest.raises(lm.DuplicateKey):
        Job.filter(fld["rank"] == 7).find_one_and_update({"name": "b"}, upsert=True)
