# Generated from tests/aio/test_unset_defaults.py by `nox -s sync`: edit that file.
"""Stored items without a field whose default differs each time: no write of unedited objects."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel, Field

import loom_sync as lm

pytestmark = pytest.mark.usefixtures("db")


class Item(BaseModel):
    name: str = ""
    uid: UUID = Field(default_factory=uuid4)


@lm.declare_persist_db("shop", "orders")
class Order(lm.Persistable):
    name: str = ""
    items: list[Item] = []
    by_key: dict[str, list[Item]] = {}


def loaded_without_defaults() -> Order:
    collection = Order.get_db_collection()
    items = [{"name": "a"}, {"name": "b"}]
    done = collection.insert_one({"items": items, "by_key": {"k": items}})
    order = Order.from_id(done.inserted_id)
    assert order is not None
    return order


def test_an_unedited_object_is_not_written() -> None:
    order = loaded_without_defaults()
    assert not order.persist()
    assert Order.persist_many([order]) == lm.PersistResult(0, 0, 1)


def test_another_field_is_written_alone_and_the_defaults_stay() -> None:
    order = loaded_without_defaults()
    uids = [item.uid for item in order.items]
    order.name = "x"
    assert order.persist()
    assert [item.uid for item in order.items] == uids
    stored = Order.get_db_collection().find_one({"_id": order.id})
    assert stored is not None
    assert stored["items"] == [{"name": "a"}, {"name": "b"}]
    assert not order.persist()


def test_an_assigned_default_is_written() -> None:
    order = loaded_without_defaults()
    order.items[0].uid = UUID(int=1)
    assert order.persist()
    found = Order.from_id(order.id)
    assert found is not None
    assert found.items[0].uid == UUID(int=1)
    raw = Order.get_db_collection().find_one({"_id": order.id})
    assert raw is not None
    assert ["uid" in item for item in raw["items"]] == [True, False]
