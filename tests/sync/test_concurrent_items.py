# Generated from tests/aio/test_concurrent_items.py by `nox -s sync`: edit that file.
"""Edits of list items: undeclared fields stay, and the edits of other writers too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

import loom_sync as lm
from tests.commands import commands_of
from tests.sync._concurrency import gathered
from tests.sync.ways_of_saving import WAYS, Save

pytestmark = pytest.mark.usefixtures("db")

#: So many objects are saved at once that their updates are batched.
MANY = 12


class Item(BaseModel):
    name: str = ""
    size: int = 0
    hits: lm.IncrCounter = 0
    notes: dict[str, Any] = {}
    parts: list[Item] = []


class Box(BaseModel):
    items: list[Item] = []


@lm.declare_persist_db("shop", "orders")
class Order(lm.PersistableBase):
    name: str = ""
    items: list[Item] = []
    pair: tuple[Item, ...] = ()
    optional: list[Item | None] | None = None
    rows: list[list[Item]] = []
    box: Box = Box()
    boxes: dict[str, list[Item]] = {}
    total: int = 0


def item(name: str, **fields: Any) -> dict[str, Any]:
    """Return an item as another program stores it."""
    return {"name": name, "size": 1, "hits": 0, "notes": {}, "parts": [], "of": name, **fields}


def order() -> dict[str, Any]:
    """Return an order as another program stores it."""

    def items() -> list[Any]:
        return [item("a"), item("b", parts=[item("c"), item("d")]), item("e")]

    return {
        "name": "n",
        "items": items(),
        "pair": items(),
        "optional": [None, *items()],
        "rows": [items(), items()],
        "box": {"items": items()},
        "boxes": {"k": items(), "x.y": items(), "": items()},
        "total": 1,
    }


def loaded(count: int = MANY) -> list[Order]:
    """Return the objects of documents that another program has stored."""
    collection = Order.get_db_collection()
    ids = collection.insert_many([order() for _ in range(count)]).inserted_ids
    found = [Order.from_id(id) for id in ids]
    return [document for document in found if document is not None]


def stored(document: Order) -> dict[str, Any]:
    found = Order.get_db_collection().find_one({"_id": document.id})
    assert found is not None
    return {key: value for key, value in found.items() if key != "_id"}


LISTS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "list": (lambda o: o.items, lambda d: d["items"]),
    "tuple": (lambda o: o.pair, lambda d: d["pair"]),
    "optional": (lambda o: o.optional[1:], lambda d: d["optional"][1:]),
    "list in a list": (lambda o: o.rows[1], lambda d: d["rows"][1]),
    "in a model": (lambda o: o.box.items, lambda d: d["box"]["items"]),
    "in a dict": (lambda o: o.boxes["k"], lambda d: d["boxes"]["k"]),
    "at an odd key": (lambda o: o.boxes["x.y"], lambda d: d["boxes"]["x.y"]),
    "at an empty key": (lambda o: o.boxes[""], lambda d: d["boxes"][""]),
}


def edit_items(items: Any) -> None:
    items[0].size += 4
    items[0].notes["k"] = 1
    items[1].hits += 2
    items[1].parts[1].name = "new"


def edit_stored_items(items: Any) -> None:
    items[0]["size"] += 4
    items[0]["notes"]["k"] = 1
    items[1]["hits"] += 2
    items[1]["parts"][1]["name"] = "new"


@pytest.mark.parametrize("save", WAYS)
@pytest.mark.parametrize("name", LISTS)
def test_undeclared_fields_of_items_stay(name: str, save: Save) -> None:
    objects = loaded()
    find, find_stored = LISTS[name]
    for document in objects:
        edit_items(find(document))
    expected = order()
    edit_stored_items(find_stored(expected))
    shown = [document.model_dump() for document in objects]
    save(objects)
    assert [stored(document) for document in objects] == [expected] * MANY
    assert [document.model_dump() for document in objects] == shown
    assert [document.persist() for document in objects] == [False] * MANY


def change_other_field(items: list[Any]) -> None:
    items[0]["of"] = items[1]["more"] = "theirs"
    items[1]["parts"][0]["size"] = 9
    items[2]["size"] = 9


def add_items(items: list[Any]) -> None:
    items.append(item("z"))
    items.insert(0, item("y"))


def remove_item(items: list[Any]) -> None:
    items.pop()


def reverse(items: list[Any]) -> None:
    items.reverse()


@pytest.mark.parametrize("save", WAYS)
@pytest.mark.parametrize("change", [change_other_field, add_items, remove_item, reverse])
@pytest.mark.parametrize("name", ["list", "optional", "at an odd key"])
def test_both_writers_keep_their_edits(name: str, change: Any, save: Save) -> None:
    objects = loaded()
    find, find_stored = LISTS[name]
    expected = order()
    collection = Order.get_db_collection()

    def change_stored(document: dict[str, Any]) -> None:
        if name == "optional":  # whose first item is null
            document["optional"] = items = document["optional"][1:]
        else:
            items = find_stored(document)
        change(items)

    theirs = order()
    change_stored(theirs)
    theirs["total"] = 5
    for document in objects:
        collection.replace_one({"_id": document.id}, theirs)
        edit_items(find(document))
    edit_stored_items(find_stored(expected))
    change_stored(expected)
    expected["total"] = 5
    save(objects)
    assert [stored(document) for document in objects] == [expected] * MANY
    assert [document.persist() for document in objects] == [False] * MANY
    found = [Order.from_id(document.id) for document in objects]
    assert [document.model_dump() for document in objects] == [
        document.model_dump() for document in found if document is not None
    ]


@pytest.mark.parametrize("save", WAYS)
@pytest.mark.parametrize("value", [None, [], "unset"])
def test_a_list_that_is_gone_is_sent_whole(value: Any, save: Save) -> None:
    objects = loaded()
    operator = "$unset" if value == "unset" else "$set"
    Order.get_db_collection().update_many({}, {operator: {"optional": value}})
    expected = order()["optional"]
    expected[1]["size"] = 7
    for document in objects:
        assert document.optional is not None
        assert document.optional[1] is not None
        document.optional[1].size = 7
    save(objects)
    assert [stored(document)["optional"] for document in objects] == [expected] * MANY


def test_the_update_is_one_command_that_names_the_positions(client: Any) -> None:
    (document,) = loaded(1)
    document.items[1].name = "x"
    document.items[1].hits += 1
    with commands_of(client) as sent:
        document.persist()
    (command,) = sent
    assert command["update"] == {
        "$set": {"items.1.name": "x"},
        "$inc": {"items.1.hits": 1},
    }
    assert command["query"] == {"_id": document.id, "items": {"$eq": order()["items"]}}
    document.items.append(Item(name="f"))
    with commands_of(client) as sent:
        document.persist()
    assert sent[0]["update"].keys() == {"$push"}


def test_increments_of_the_counter_of_one_item_add_up() -> None:
    (document,) = loaded(1)
    objects = [Order.from_id(document.id) for _ in range(40)]
    for writer in objects:
        assert writer is not None
        writer.items[1].hits += 1
        writer.items[1].parts[0].hits += 1
    gathered(*(writer.persist for writer in objects if writer is not None))
    expected = order()["items"]
    expected[1]["hits"] = expected[1]["parts"][0]["hits"] = 40
    assert stored(document)["items"] == expected


def test_a_document_that_is_gone() -> None:
    objects = loaded()
    Order.get_db_collection().delete_many({})
    for document in objects:
        document.items[0].size = 7
    with pytest.raises(lm.DocumentNotFound):
        objects[0].persist()
    with pytest.raises(lm.BulkError) as raised:
        Order.persist_many(objects)
    assert len(raised.value.entries) == MANY


NAMES = ("a", "b", "e")
FIELDS = ("name", "total", "items", "box", "boxes")
# An edit: the list or field, the item, the field of it, and the value.
paths = st.one_of(
    st.tuples(st.just("total"), st.none(), st.none()),
    st.tuples(st.just("name"), st.none(), st.none()),
    st.tuples(
        st.sampled_from(["list", "optional", "in a model", "in a dict", "at an odd key"]),
        st.sampled_from(NAMES),
        st.sampled_from(["size", "hits", "notes.k", "notes.x.y", "notes."]),
    ),
)
edits = st.dictionaries(paths, st.integers(2, 9), max_size=5)
moves = st.dictionaries(
    st.sampled_from(["list", "in a model", "in a dict", "at an odd key"]),
    st.tuples(st.permutations(NAMES), st.integers(0, 3)),
    max_size=2,
)


def make(document: Any, path: Any, value: int, get: Any, put: Any, find: Any) -> None:
    """Make an edit in an object or a document."""
    where, name, field = path
    if name is None:
        put(document, where, value if where == "total" else str(value))
        return
    (found,) = (i for i in find(document, where) if i is not None and get(i, "name") == name)
    first, _, key = field.partition(".")
    if first == "hits":
        put(found, "hits", get(found, "hits") + value)
    elif first == "notes":
        get(found, "notes")[key] = value
    else:
        put(found, first, value)


def make_in_object(document: Order, path: Any, value: int) -> None:
    make(document, path, value, getattr, setattr, lambda d, where: LISTS[where][0](d))


def make_in_document(document: dict[str, Any], path: Any, value: int) -> None:
    def find(holder: Any, where: str) -> Any:
        return LISTS[where][1](holder)

    make(document, path, value, dict.get, dict.__setitem__, find)


def move(document: dict[str, Any], where: str, order_of_names: Any, count: int) -> None:
    """Reorder the items of a list, and insert some."""
    items = LISTS[where][1](document)
    by_name = {each["name"]: each for each in items}
    items[:] = [by_name[name] for name in order_of_names]
    for number in range(count):
        items.insert(number * 2, item(f"new {number}"))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(edits, edits, moves, st.sampled_from(WAYS))
def test_edits_of_two_writers_equal_the_edits_of_one(
    mine: dict[Any, int], theirs: dict[Any, int], moved: dict[str, Any], save: Save
) -> None:
    theirs = {path: v for path, v in theirs.items() if path not in mine or path[2] == "hits"}
    objects = loaded(8)
    expected, changed = order(), order()
    for document in (expected, changed):
        for path, value in theirs.items():
            make_in_document(document, path, value)
    for path, value in mine.items():
        make_in_document(expected, path, value)
        for each in objects:
            make_in_object(each, path, value)
    for document in (expected, changed):
        for where, (names, count) in moved.items():
            move(document, where, names, count)
    collection = Order.get_db_collection()
    for each in objects:
        collection.replace_one({"_id": each.id}, changed)
    save(objects)
    assert [stored(each) for each in objects] == [expected] * len(objects)
