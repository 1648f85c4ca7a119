# Generated from tests/aio/test_persist_many.py by `nox -s sync`: edit that file.
"""`persist_many`: the outcome of each object, also when some cannot be written."""

from __future__ import annotations

from typing import Any

import pytest
from bson import ObjectId

import loom_sync as lm
from loom_sync import fld
from tests.commands import commands_of

pytestmark = pytest.mark.usefixtures("db")


@lm.declare_persist_db("shop", "items", index=[lm.Index("code", unique=True)])
class Item(lm.Persistable):
    code: int
    name: str = ""
    sold: lm.IncrCounter = 0
    meta: dict[str, Any] = {}


def test_an_empty_list_sends_no_command(client: Any) -> None:
    with commands_of(client) as sent:
        assert Item.persist_many([]) == lm.PersistResult(0, 0, 0)
    assert sent == []


def test_new_changed_and_unchanged_objects_are_counted() -> None:
    items = [Item(code=n) for n in range(5)]
    assert Item.persist_many(items) == lm.PersistResult(5, 0, 0)
    assert Item.persist_many(iter(items)) == lm.PersistResult(0, 0, 5)
    items[0].name = "a"
    items[1].sold += 3
    mixed = [*items, Item(code=9), items[0]]
    assert Item.persist_many(mixed) == lm.PersistResult(1, 2, 4)
    assert Item.filter().sort("code").load_many() == [*items, mixed[5]]
    assert all(item.created_at is not None for item in items)


def test_large_batches(client: Any) -> None:
    items = [Item(code=n) for n in range(12_345)]
    result = Item.persist_many(items)
    assert result.inserted == 12_345
    for item in items:
        item.sold += 1
    with commands_of(client, "update") as sent:
        assert Item.persist_many(items).updated == 12_345
    assert len(sent) < 10
    assert Item.filter(fld["sold"] == 1).count() == 12_345


def test_objects_receive_the_stored_values() -> None:
    item = Item(code=1)
    item.persist()
    other = Item.from_id(item.id)
    assert other is not None
    other.sold += 5
    other.name = "theirs"
    other.persist()
    item.sold += 1
    Item.persist_many([item])
    assert (item.sold, item.name) == (6, "theirs")
    assert item.persist() is False


def test_entries_name_duplicate_keys_and_the_rest_is_written() -> None:
    Item(code=3).persist()
    items = [Item(code=n) for n in range(6)] + [Item(code=0)]
    with pytest.raises(lm.BulkError) as caught:
        Item.persist_many(items)
    error = caught.value
    assert [(entry.index, entry.id) for entry in error.entries] == [
        (3, items[3].id),
        (6, items[6].id),
    ]
    assert "code=3" in error.entries[0].reason
    assert error.inserted == 5
    assert Item.filter().count() == 6
    items[3].code, items[6].code = 33, 66
    assert Item.persist_many(items) == lm.PersistResult(2, 0, 5)


def test_ordered_stops_at_the_first_failure() -> None:
    items = [Item(code=n) for n in (0, 1, 1, 2)]
    with pytest.raises(lm.BulkError) as caught:
        Item.persist_many(items, ordered=True)
    assert [entry.index for entry in caught.value.entries] == [2]
    assert sorted(item.code for item in Item.filter().load_many()) == [0, 1]
    assert items[3].created_at is None


def test_ordered_keeps_the_order_of_updates_and_insertions() -> None:
    first = Item(code=1)
    first.persist()
    first.code = 2
    second = Item(code=1)
    assert Item.persist_many([first, second], ordered=True) == lm.PersistResult(1, 1, 0)


def test_only_the_object_with_an_unstorable_value_fails() -> None:
    items = [Item(code=1), Item(code=2, meta={"x": 2**65}), Item(code=3)]
    with pytest.raises(lm.BulkError) as caught:
        Item.persist_many(items)
    assert [entry.index for entry in caught.value.entries] == [1]
    assert "meta.x" in caught.value.entries[0].reason
    assert Item.filter().count() == 2


def test_a_deleted_document_has_an_entry() -> None:
    items = [Item(code=n) for n in range(3)]
    Item.persist_many(items)
    Item.filter(fld["code"] == 1).delete()
    for item in items:
        item.name = "new"
    with pytest.raises(lm.BulkError) as caught:
        Item.persist_many(items)
    assert [entry.index for entry in caught.value.entries] == [1]
    assert caught.value.updated == 2
    assert Item.filter().count() == 2


@pytest.mark.parametrize("bad", [None, 3, "text", {"code": 1}, [{"code": 1}], [None]])
def test_other_arguments_raise(bad: Any) -> None:
    with pytest.raises(TypeError):
        Item.persist_many(bad)


def test_one_wrong_argument_prevents_all_writes() -> None:
    with pytest.raises(TypeError, match="element 1"):
        Item.persist_many([Item(code=1), "x"])  # type: ignore[list-item]
    assert Item.filter().count() == 0


def test_documents_with_given_ids_are_upserted() -> None:
    key = ObjectId()
    Item.persist_many([Item(id=key, code=1, name="a")])
    Item.persist_many([Item(id=key, code=1, name="b")])
    assert [item.name for item in Item.filter().load_many()] == ["b"]
