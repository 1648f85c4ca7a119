"""The driver's own client, database and collection of a model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from bson.binary import UuidRepresentation
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

import loom_async as lm
from tests.aio._concurrency import gathered


@lm.declare_persist_db("handles_none", "users", version=2, index=[lm.Index("name", unique=True)])
class User(lm.Persistable):
    name: str
    key: UUID | None = None


@lm.declare_persist_db("handles_none", "rows", remote_db=True)
class RemoteRow(lm.PersistableBase):
    number: int


class Undeclared(lm.Persistable):
    name: str


async def test_handles_are_those_of_the_operations(client: Any, db: str) -> None:
    collection = await User.get_db_collection()
    assert isinstance(collection, AsyncCollection)
    assert (collection.name, collection.database.name) == ("users_v2", db)
    assert await User.get_db_client() is client
    database = await User.get_db()
    assert isinstance(database, AsyncDatabase)
    assert (database.name, database.client is client) == (db, True)
    await User(name="Ann").persist()
    assert await collection.distinct("name") == ["Ann"]
    assert await database["users_v2"].distinct("name") == ["Ann"]


async def test_the_collection_has_its_indexes(client: Any, db: str) -> None:
    collection = await User.get_db_collection()
    await collection.insert_one({"name": "Ann"})
    with pytest.raises(DuplicateKeyError):
        await collection.insert_one({"name": "Ann"})


async def test_data_that_refuses_an_index_can_be_mended_through_get_db(
    client: Any, db: str
) -> None:
    database = await User.get_db()
    await database["users_v2"].insert_many([{"name": "Ann"}, {"name": "Ann"}])
    with pytest.raises(lm.IndexConflict):
        await User.get_db_collection()
    await database["users_v2"].delete_one({"name": "Ann"})
    assert await (await User.get_db_collection()).count_documents({}) == 1


async def test_each_context_has_its_own_handles(client: Any, db: str, mongo_uri: str) -> None:
    async def name(tenant: str) -> str:
        with lm.using(database=tenant):
            collection = await User.get_db_collection()
            assert (await User.get_db()).name == collection.database.name
            return collection.database.name

    async def one() -> str:
        return await name(f"{db}_1")

    async def two() -> str:
        return await name(f"{db}_2")

    assert await gathered(one, two) == [f"{db}_1", f"{db}_2"]
    for tenant in (1, 2):
        await client.drop_database(f"{db}_{tenant}")
    async with lm.connect(mongo_uri) as other:
        assert await User.get_db_client() is other
        assert (await User.get_db_collection()).database.client is other


async def test_values_are_as_loom_stores_them(db: str, mongo_uri: str) -> None:
    """Even if `using` was given a client with other options."""
    user = User(name="Ann", key=UUID(int=7))
    await user.persist()
    async with AsyncMongoClient[dict[str, Any]](mongo_uri) as plain:
        with lm.using(client=plain):
            found = await (await User.get_db_collection()).find_one()
            options = (await User.get_db()).codec_options
    assert found is not None
    assert found["key"] == UUID(int=7)
    assert found["created_at"] == user.created_at
    assert found["created_at"] < datetime.now(UTC)
    assert options.uuid_representation == UuidRepresentation.STANDARD


async def test_a_remote_model_has_its_own_client(
    mongo_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOM_REMOTE_URI", mongo_uri)
    assert await RemoteRow.get_db_client() is await lm.get_async_remote_db_client()
    assert (await RemoteRow.get_db()).name == "handles_none"
    await lm.close()


async def test_a_model_that_was_not_declared(db: str) -> None:
    for get in (Undeclared.get_db_client, Undeclared.get_db, Undeclared.get_db_collection):
        with pytest.raises(lm.ConfigurationError, match="Undeclared"):
            await get()
