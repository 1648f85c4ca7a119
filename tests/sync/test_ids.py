# Generated from tests/aio/test_ids.py by `nox -s sync`: edit that file.
"""Ids of any type: each one finds its own document and no other."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import Any

import pandas as pd
import pytest
from pydantic import BaseModel, ConfigDict
from pymongo.errors import WriteError

import loom_sync as lm
from tests.core.model.test_identity import COMPARED, PLAIN, REFUSED
from tests.sync._concurrency import together

pytestmark = pytest.mark.usefixtures("db")


@lm.declare_persist_db("shop", "things")
class Thing(lm.PersistableBase):
    id: Any
    n: int = 0


class Key(BaseModel):
    model_config = ConfigDict(frozen=True)

    place: str
    number: int


@lm.declare_persist_db("shop", "things")
class Keyed(lm.PersistableBase):
    id: Key
    n: int = 0


@pytest.fixture
def others(client: Any, db: str) -> Any:
    """A collection with documents that tests must not change."""
    collection = client[db]["things"]
    documents = [{"_id": id, "n": n} for n, id in enumerate(["other", -1, {"other": 1}, {"b": 1}])]
    collection.insert_many(documents)
    yield collection
    query = {"_id": {"$in": [document["_id"] for document in documents]}}
    assert collection.find(query).sort("n").to_list() == documents


@pytest.mark.parametrize("in_transaction", [False, True])
@pytest.mark.parametrize("id", [*PLAIN, *COMPARED], ids=repr)
def test_each_id_finds_only_its_document(id: Any, in_transaction: bool, others: Any) -> None:
    with lm.transaction() if in_transaction else nullcontext():
        thing = Thing(id=id, n=5)
        thing.persist()
        thing.n = 6
        thing.persist()
        found = Thing.from_id(id)
        assert found is not None
        assert (found.id, found.n) == (thing.id, 6)
        found.n = 7
        assert Thing.persist_many([found, Thing(id=id, n=7)]).updated == 1
        thing.reload()
        assert thing.n == 7
        assert Thing.filter(lm.fld["id"] == id).count() == 1
        assert thing.delete()
        assert Thing.from_id(id) is None


@pytest.mark.parametrize("id", REFUSED, ids=repr)
def test_impossible_ids_raise(id: Any, others: Any) -> None:
    with pytest.raises(WriteError):  # MongoDB itself refuses it
        others.insert_one({"_id": list(id) if isinstance(id, set) else id})
    for operation in (Thing(id=id).persist, Thing(id=id).delete, Thing(id=id).reload):
        with pytest.raises(lm.InvalidId, match="can never be the id of a Thing"):
            operation()
    with pytest.raises(lm.InvalidId):
        Thing.from_id(id)
    with pytest.raises(lm.BulkError) as caught:
        Thing.persist_many([Thing(id="good"), Thing(id=id)])
    assert caught.value.inserted == 1
    assert [entry.index for entry in caught.value.entries] == [1]
    assert "can never be the id" in caught.value.entries[0].reason


def test_many_concurrent_calls(others: Any) -> None:
    ids: list[Any] = [{"a": n} if n % 2 else n for n in range(40)]
    Thing.persist_many([Thing(id=id) for id in ids])
    loaded = together(*(partial(Thing.from_id, id) for id in ids))
    things = [thing for thing in loaded if thing is not None]
    assert [thing.id for thing in things] == ids
    for thing in things:
        thing.n = 1
    together(*(thing.persist for thing in things))
    assert Thing.filter((lm.fld["n"] == 1) & lm.fld["id"].is_in(ids)).count() == 40


def test_ids_that_are_models(others: Any) -> None:
    keyed = Keyed(id=Key(place="b", number=1))
    keyed.persist()
    found = Keyed.from_id({"place": "b", "number": 1})
    assert found == keyed
    assert keyed.delete()
    assert Keyed.from_id(keyed.id) is None


@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize("on_duplicate", ["raise", "ignore", "replace"])
def test_frames_refuse_rows_with_impossible_ids(
    validate: bool, on_duplicate: Any, others: Any
) -> None:
    ids: list[Any] = ["a", {"$ne": None}, {"b": 2}, [1]]
    frame = pd.DataFrame({"id": ids, "n": [1, 2, 3, 4]})
    options: Any = {"validate": validate, "on_duplicate": on_duplicate}
    with pytest.raises(lm.FrameError, match="can never be the id of a Thing") as caught:
        Thing.insert_dataframe(frame, **options)
    assert caught.value.rows == [1, 3]
    assert caught.value.columns == ["_id"]
    assert caught.value.written == []
    result = Thing.insert_dataframe(frame, on_error="skip", **options)
    assert (result.inserted, [error.row for error in result.errors]) == (2, [1, 3])
    assert Thing.from_id({"b": 2}) == Thing(id={"b": 2}, n=3)


@pytest.mark.parametrize("upsert", [True, False])
def test_frame_updates_change_only_the_documents_of_their_ids(upsert: bool, others: Any) -> None:
    Thing(id={"b": 2}, n=3).persist()
    ids: list[Any] = [{"b": 2}, {"$ne": None}, [1]]
    frame = pd.DataFrame({"id": ids, "n": [30, 40, 50]})
    result = Thing.update_dataframe(frame, upsert=upsert, on_error="skip")
    assert (result.matched, result.inserted) == (1, 0)
    assert [(error.row, error.column) for error in result.errors] == [(1, "_id"), (2, "_id")]
    found = Thing.from_id({"b": 2})
    assert found is not None
    assert found.n == 30
