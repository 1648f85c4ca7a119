"""Ids of any type: each one finds its own document and no other."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import Any

import pandas as pd
import pytest
from pydantic import BaseModel, ConfigDict
from pymongo.errors import WriteError

import loom_async as lm
from tests.aio._concurrency import together
from tests.core.model.test_identity import COMPARED, PLAIN, REFUSED

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
async def others(client: Any, db: str) -> Any:
    """A collection with documents that tests must not change."""
    collection = client[db]["things"]
    documents = [{"_id": id, "n": n} for n, id in enumerate(["other", -1, {"other": 1}, {"b": 1}])]
    await collection.insert_many(documents)
    yield collection
    query = {"_id": {"$in": [document["_id"] for document in documents]}}
    assert await collection.find(query).sort("n").to_list() == documents


@pytest.mark.parametrize("in_transaction", [False, True])
@pytest.mark.parametrize("id", [*PLAIN, *COMPARED], ids=repr)
async def test_each_id_finds_only_its_document(id: Any, in_transaction: bool, others: Any) -> None:
    async with lm.transaction() if in_transaction else nullcontext():
        thing = Thing(id=id, n=5)
        await thing.persist()
        thing.n = 6
        await thing.persist()
        found = await Thing.from_id(id)
        assert found is not None
        assert (found.id, found.n) == (thing.id, 6)
        found.n = 7
        assert (await Thing.persist_many([found, Thing(id=id, n=7)])).updated == 1
        await thing.reload()
        assert thing.n == 7
        assert await Thing.filter(lm.fld["id"] == id).count() == 1
        assert await thing.delete()
        assert await Thing.from_id(id) is None


@pytest.mark.parametrize("id", REFUSED, ids=repr)
async def test_impossible_ids_raise(id: Any, others: Any) -> None:
    with pytest.raises(WriteError):  # MongoDB itself refuses it
        await others.insert_one({"_id": list(id) if isinstance(id, set) else id})
    for operation in (Thing(id=id).persist, Thing(id=id).delete, Thing(id=id).reload):
        with pytest.raises(lm.InvalidId, match="can never be the id of a Thing"):
            await operation()
    with pytest.raises(lm.InvalidId):
        await Thing.from_id(id)
    with pytest.raises(lm.BulkError) as caught:
        await Thing.persist_many([Thing(id="good"), Thing(id=id)])
    assert caught.value.inserted == 1
    assert [entry.index for entry in caught.value.entries] == [1]
    assert "can never be the id" in caught.value.entries[0].reason


async def test_many_concurrent_calls(others: Any) -> None:
    ids: list[Any] = [{"a": n} if n % 2 else n for n in range(40)]
    await Thing.persist_many([Thing(id=id) for id in ids])
    loaded = await together(*(partial(Thing.from_id, id) for id in ids))
    things = [thing for thing in loaded if thing is not None]
    assert [thing.id for thing in things] == ids
    for thing in things:
        thing.n = 1
    await together(*(thing.persist for thing in things))
    assert await Thing.filter((lm.fld["n"] == 1) & lm.fld["id"].is_in(ids)).count() == 40


async def test_ids_that_are_models(others: Any) -> None:
    keyed = Keyed(id=Key(place="b", number=1))
    await keyed.persist()
    found = await Keyed.from_id({"place": "b", "number": 1})
    assert found == keyed
    assert await keyed.delete()
    assert await Keyed.from_id(keyed.id) is None


@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize("on_duplicate", ["raise", "ignore", "replace"])
async def test_frames_refuse_rows_with_impossible_ids(
    validate: bool, on_duplicate: Any, others: Any
) -> None:
    ids: list[Any] = ["a", {"$ne": None}, {"b": 2}, [1]]
    frame = pd.DataFrame({"id": ids, "n": [1, 2, 3, 4]})
    options: Any = {"validate": validate, "on_duplicate": on_duplicate}
    with pytest.raises(lm.FrameError, match="can never be the id of a Thing") as caught:
        await Thing.insert_dataframe(frame, **options)
    assert caught.value.rows == [1, 3]
    assert caught.value.columns == ["_id"]
    assert caught.value.written == []
    result = await Thing.insert_dataframe(frame, on_error="skip", **options)
    assert (result.inserted, [error.row for error in result.errors]) == (2, [1, 3])
    assert await Thing.from_id({"b": 2}) == Thing(id={"b": 2}, n=3)


@pytest.mark.parametrize("upsert", [True, False])
async def test_frame_updates_change_only_the_documents_of_their_ids(
    upsert: bool, others: Any
) -> None:
    await Thing(id={"b": 2}, n=3).persist()
    ids: list[Any] = [{"b": 2}, {"$ne": None}, [1]]
    frame = pd.DataFrame({"id": ids, "n": [30, 40, 50]})
    result = await Thing.update_dataframe(frame, upsert=upsert, on_error="skip")
    assert (result.matched, result.inserted) == (1, 0)
    assert [(error.row, error.column) for error in result.errors] == [(1, "_id"), (2, "_id")]
    found = await Thing.from_id({"b": 2})
    assert found is not None
    assert found.n == 30
