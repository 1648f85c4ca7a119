"""Collections dropped through a client of Loom get their indexes again on next use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pymongo import AsyncMongoClient

import loom_async as lm
from loom_async.collections import find
from tests.commands import commands_of


@lm.declare_persist_db("drops_none", "users", index=[lm.Index("name", unique=True)])
class User(lm.PersistableBase):
    name: str


@lm.declare_persist_db("drops_none", "tags", index=[lm.Index("name", unique=True)])
class Tag(lm.PersistableBase):
    name: str


@lm.declare_persist_db("drops_none", "readings")
@lm.declare_timeseries(metakey="sensor")
class Reading(lm.TimeSeriesLedgerModel):
    sensor: str


Drop = Callable[[Any, str], Awaitable[object]]


async def of_the_client(client: Any, db: str) -> None:
    await client.drop_database(db)


async def of_the_database_object(client: Any, db: str) -> None:
    await client.drop_database(client[db])


async def by_name(client: Any, db: str) -> None:
    await client[db].drop_collection("users")


async def by_attribute(client: Any, db: str) -> None:
    await getattr(client, db).users.drop()


async def with_options(client: Any, db: str) -> None:
    await client.get_database(db).with_options().drop_collection(client[db]["users"])


async def of_the_model(client: Any, db: str) -> None:
    await (await User.get_db_collection()).drop()


async def of_the_models_database(client: Any, db: str) -> None:
    await (await User.get_db()).drop_collection("users")


DROPS = [
    of_the_client, of_the_database_object, by_name, by_attribute, with_options, of_the_model,
    of_the_models_database,
]  # fmt: skip


@pytest.mark.parametrize("drop", DROPS)
async def test_indexes_are_created_again(client: Any, db: str, drop: Drop) -> None:
    await User(name="Ann").persist()
    await drop(client, db)
    await User(name="Ann").persist()
    with pytest.raises(lm.DuplicateKey):
        await User(name="Ann").persist()
    assert "name_1" in await (await User.get_db_collection()).index_information()


async def test_a_time_series_is_created_again(client: Any, db: str) -> None:
    await Reading(sensor="a").persist()
    await client.drop_database(db)
    await Reading(sensor="a").persist()
    (info,) = await (await client[db].list_collections(filter={"name": "readings"})).to_list()
    assert info["type"] == "timeseries"


async def test_only_the_indexes_of_dropped_collections_are_listed(client: Any, db: str) -> None:
    for model in (User, Tag):
        await model(name="Ann").persist()
    with lm.using(database=f"{db}_2"):
        await User(name="Ann").persist()
    await client[db].drop_collection("users")
    with commands_of(client, "listIndexes") as sent:
        await Tag.filter().count()
        with lm.using(database=f"{db}_2"):
            await User.filter().count()
        await User.filter().count()
        await User.filter().count()
    assert [(command["listIndexes"], command["$db"]) for command in sent] == [("users", db)]
    await client.drop_database(f"{db}_2")


async def test_a_dropped_index_is_not_created_again(client: Any, db: str) -> None:
    await User(name="Ann").persist()
    collection = await User.get_db_collection()
    await collection.drop_index("name_1")
    await User(name="Ann").persist()
    assert list(await collection.index_information()) == ["_id_"]


async def test_all_clients_of_the_process_learn_of_a_drop(
    client: Any, db: str, mongo_uri: str
) -> None:
    async with lm.connect(mongo_uri) as other:
        await User(name="Ann").persist()
        with lm.using(client=client):
            await User(name="Bea").persist()
            await client.drop_database(db)
        assert other is not client
        await User(name="Ann").persist()
        with pytest.raises(lm.DuplicateKey):
            await User(name="Ann").persist()


async def test_drops_by_others_are_found_by_sync_indexes(
    client: Any, db: str, mongo_uri: str
) -> None:
    await User(name="Ann").persist()
    async with AsyncMongoClient[Any](mongo_uri) as other:
        await other.drop_database(db)
    await User(name="Ann").persist()
    await (await User.get_db_collection()).delete_many({})
    assert (await User.sync_indexes()).created == ("name_1",)


async def test_a_drop_while_indexes_are_created(
    client: Any, db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = find.ensure_indexes

    async def slowly(model: type, collection: Any) -> None:
        monkeypatch.undo()
        await make(model, collection)
        await client.drop_database(db)

    monkeypatch.setattr(find, "ensure_indexes", slowly)
    await User(name="Ann").persist()
    await User(name="Bea").persist()
    with pytest.raises(lm.DuplicateKey):
        await User(name="Ann").persist()


async def test_clients_have_the_repr_of_pymongos(client: Any, db: str) -> None:
    assert repr(client).startswith("AsyncMongoClient(")
    assert repr(client[db]).startswith("AsyncDatabase(AsyncMongoClient(")
    assert client.get_default_database(db).name == db
    assert client.get_database(db) == client[db]
