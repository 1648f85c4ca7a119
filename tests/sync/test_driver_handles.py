# Generated from tests/aio/test_driver_handles.py by `nox -s sync`: edit that file.
"""The driver's own client, database and collection of a model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from bson.binary import UuidRepresentation
from pymongo import MongoClient
from pymongo.errors import DuplicateKeyError
from pymongo.synchronous.collection import Collection
from pymongo.synchronous.database import Database

import loom_sync as lm
from tests.sync._concurrency import gathered


@lm.declare_persist_db("handles_none", "users", version=2, index=[lm.Index("name", unique=True)])
class User(lm.Persistable):
    name: str
    key: UUID | None = None


@lm.declare_persist_db("handles_none", "rows", remote_db=True)
class RemoteRow(lm.PersistableBase):
    number: int


class Undeclared(lm.Persistable):
    name: str


def test_handles_are_those_of_the_operations(client: Any, db: str) -> None:
    collection = User.get_db_collection()
    assert isinstance(collection, Collection)
    assert (collection.name, collection.database.name) == ("users_v2", db)
    assert User.get_db_client() is client
    database = User.get_db()
    assert isinstance(database, Database)
    assert (database.name, database.client is client) == (db, True)
    User(name="Ann").persist()
    assert collection.distinct("name") == ["Ann"]
    assert database["users_v2"].distinct("name") == ["Ann"]


def test_the_collection_has_its_indexes(client: Any, db: str) -> None:
    collection = User.get_db_collection()
    collection.insert_one({"name": "Ann"})
    with pytest.raises(DuplicateKeyError):
        collection.insert_one({"name": "Ann"})


def test_data_that_refuses_an_index_can_be_mended_through_get_db(client: Any, db: str) -> None:
    database = User.get_db()
    database["users_v2"].insert_many([{"name": "Ann"}, {"name": "Ann"}])
    with pytest.raises(lm.IndexConflict):
        User.get_db_collection()
    database["users_v2"].delete_one({"name": "Ann"})
    assert User.get_db_collection().count_documents({}) == 1


def test_each_context_has_its_own_handles(client: Any, db: str, mongo_uri: str) -> None:
    def name(tenant: str) -> str:
        with lm.using(database=tenant):
            collection = User.get_db_collection()
            assert User.get_db().name == collection.database.name
            return collection.database.name

    def one() -> str:
        return name(f"{db}_1")

    def two() -> str:
        return name(f"{db}_2")

    assert gathered(one, two) == [f"{db}_1", f"{db}_2"]
    for tenant in (1, 2):
        client.drop_database(f"{db}_{tenant}")
    with lm.connect(mongo_uri) as other:
        assert User.get_db_client() is other
        assert User.get_db_collection().database.client is other


def test_values_are_as_loom_stores_them(db: str, mongo_uri: str) -> None:
    """Even if `using` was given a client with other options."""
    user = User(name="Ann", key=UUID(int=7))
    user.persist()
    with MongoClient[dict[str, Any]](mongo_uri) as plain, lm.using(client=plain):
        found = User.get_db_collection().find_one()
        options = User.get_db().codec_options
    assert found is not None
    assert found["key"] == UUID(int=7)
    assert found["created_at"] == user.created_at
    assert found["created_at"] < datetime.now(UTC)
    assert options.uuid_representation == UuidRepresentation.STANDARD


def test_a_remote_model_has_its_own_client(mongo_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOM_REMOTE_URI", mongo_uri)
    assert RemoteRow.get_db_client() is lm.get_remote_db_client()
    assert RemoteRow.get_db().name == "handles_none"
    lm.close()


def test_a_model_that_was_not_declared(db: str) -> None:
    for get in (Undeclared.get_db_client, Undeclared.get_db, Undeclared.get_db_collection):
        with pytest.raises(lm.ConfigurationError, match="Undeclared"):
            get()
