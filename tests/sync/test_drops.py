# Generated from tests/aio/test_drops.py by `nox -s sync`: edit that file.
"""Collections dropped through a client of Loom get their indexes again on next use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pymongo import MongoClient

import loom_sync as lm
from loom_sync.collections import find
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


Drop = Callable[[Any, str], object]


def of_the_client(client: Any, db: str) -> None:
    client.drop_database(db)


def of_the_database_object(client: Any, db: str) -> None:
    client.drop_database(client[db])


def by_name(client: Any, db: str) -> None:
    client[db].drop_collection("users")


def by_attribute(client: Any, db: str) -> None:
    getattr(client, db).users.drop()


def with_options(client: Any, db: str) -> None:
    client.get_database(db).with_options().drop_collection(client[db]["users"])


def of_the_model(client: Any, db: str) -> None:
    User.get_db_collection().drop()


def of_the_models_database(client: Any, db: str) -> None:
    User.get_db().drop_collection("users")


DROPS = [
    of_the_client, of_the_database_object, by_name, by_attribute, with_options, of_the_model,
    of_the_models_database,
]  # fmt: skip


@pytest.mark.parametrize("drop", DROPS)
def test_indexes_are_created_again(client: Any, db: str, drop: Drop) -> None:
    User(name="Ann").persist()
    drop(client, db)
    User(name="Ann").persist()
    with pytest.raises(lm.DuplicateKey):
        User(name="Ann").persist()
    assert "name_1" in User.get_db_collection().index_information()


def test_a_time_series_is_created_again(client: Any, db: str) -> None:
    Reading(sensor="a").persist()
    client.drop_database(db)
    Reading(sensor="a").persist()
    (info,) = client[db].list_collections(filter={"name": "readings"}).to_list()
    assert info["type"] == "timeseries"


def test_only_the_indexes_of_dropped_collections_are_listed(client: Any, db: str) -> None:
    for model in (User, Tag):
        model(name="Ann").persist()
    with lm.using(database=f"{db}_2"):
        User(name="Ann").persist()
    client[db].drop_collection("users")
    with commands_of(client, "listIndexes") as sent:
        Tag.filter().count()
        with lm.using(database=f"{db}_2"):
            User.filter().count()
        User.filter().count()
        User.filter().count()
    assert [(command["listIndexes"], command["$db"]) for command in sent] == [("users", db)]
    client.drop_database(f"{db}_2")


def test_a_dropped_index_is_not_created_again(client: Any, db: str) -> None:
    User(name="Ann").persist()
    collection = User.get_db_collection()
    collection.drop_index("name_1")
    User(name="Ann").persist()
    assert list(collection.index_information()) == ["_id_"]


def test_all_clients_of_the_process_learn_of_a_drop(client: Any, db: str, mongo_uri: str) -> None:
    with lm.connect(mongo_uri) as other:
        User(name="Ann").persist()
        with lm.using(client=client):
            User(name="Bea").persist()
            client.drop_database(db)
        assert other is not client
        User(name="Ann").persist()
        with pytest.raises(lm.DuplicateKey):
            User(name="Ann").persist()


def test_drops_by_others_are_found_by_sync_indexes(client: Any, db: str, mongo_uri: str) -> None:
    User(name="Ann").persist()
    with MongoClient[Any](mongo_uri) as other:
        other.drop_database(db)
    User(name="Ann").persist()
    User.get_db_collection().delete_many({})
    assert User.sync_indexes().created == ("name_1",)


def test_a_drop_while_indexes_are_created(
    client: Any, db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = find.ensure_indexes

    def slowly(model: type, collection: Any) -> None:
        monkeypatch.undo()
        make(model, collection)
        client.drop_database(db)

    monkeypatch.setattr(find, "ensure_indexes", slowly)
    User(name="Ann").persist()
    User(name="Bea").persist()
    with pytest.raises(lm.DuplicateKey):
        User(name="Ann").persist()


def test_clients_have_the_repr_of_pymongos(client: Any, db: str) -> None:
    assert repr(client).startswith("MongoClient(")
    assert repr(client[db]).startswith("Database(MongoClient(")
    assert client.get_default_database(db).name == db
    assert client.get_database(db) == client[db]
