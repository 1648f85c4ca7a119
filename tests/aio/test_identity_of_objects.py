"""Objects that the caller holds stay parts of the model, whatever is written or loaded."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import loom_async as lm
from tests.aio._concurrency import gathered
from tests.aio.held_objects import (
    FINE,
    Checked,
    FrozenLine,
    Item,
    Line,
    Order,
    Slotted,
    full,
    mutables,
)

pytestmark = pytest.mark.usefixtures("db")


async def reloaded(order: Order) -> Order:
    found = await Order.from_id(order.id)
    assert found is not None
    return found


def check_held(order: Order, held: dict[str, Any]) -> None:
    now = dict(mutables(order))
    assert [path for path in held if now.get(path) is not held[path]] == []


async def check_same(order: Order, held: dict[str, Any]) -> None:
    """Check that each object is where it was, and that the object is as it is stored."""
    check_held(order, held)
    assert order == await reloaded(order)
    assert not await order.persist()


def edit_all(order: Order, held: dict[str, Any]) -> None:
    """Edit every object through an earlier reference to it."""
    for value in held.values():
        match value:
            case Item():
                value.qty += 10
                value.at = FINE + timedelta(days=value.qty)
                value.notes.append("new")
            case Line() | Slotted() | Checked():
                value.at = FINE - timedelta(hours=1)
            case set():
                value.add(FINE + timedelta(hours=2))
            case dict() if "at" in value:
                value["at"] = FINE + timedelta(hours=3)
            case _:
                pass


async def test_an_item_of_a_new_object_is_edited_after_persist() -> None:
    item = Item(at=datetime.now(UTC))
    order = Order(items=[item])
    await order.persist()
    item.qty = 5
    assert await order.persist()
    assert order.items[0] is item
    assert (await reloaded(order)).items[0].qty == 5


@pytest.mark.parametrize("way", ["persist", "insert", "persist_many", "transaction"])
async def test_objects_stay_when_a_new_object_is_stored(way: str) -> None:
    order = full()
    held = dict(mutables(order))
    await store(way, order)
    await check_same(order, held)
    edit_all(order, held)
    await store("persist_many" if way == "persist_many" else "persist", order)
    check_held(order, held)
    assert order == await reloaded(order)
    assert {item.qty for item in held.values() if isinstance(item, Item)} == {11, 12}


async def store(way: str, order: Order) -> None:
    match way:
        case "persist":
            assert await order.persist()
        case "insert":
            assert await order.insert()
        case "persist_many":
            await Order.persist_many([order, Order()])
        case _:
            async with lm.transaction():
                await order.persist()


@pytest.mark.parametrize("way", ["persist", "persist_many", "transaction"])
async def test_objects_of_a_loaded_object_stay(way: str) -> None:
    new = full()
    await new.persist()
    order = await reloaded(new)
    held = dict(mutables(order))
    edit_all(order, held)
    await store(way, order)
    check_held(order, held)
    assert order == await reloaded(order)


@pytest.mark.parametrize("way", ["persist", "persist_many"])
async def test_objects_stay_when_another_writer_changes_their_neighbours(way: str) -> None:
    order = full()
    await order.persist()
    held = dict(mutables(order))
    other = await reloaded(order)
    for key in "queue", "items", "many":
        first = getattr(other, key)[0]
        first.qty = 77
    other.meta["list"][1]["x"].append(2)
    other.by_key["a.b"].notes.append("theirs")
    assert other.line is not None
    other.line.item.code = "theirs"
    await other.persist()
    order.name = "changed"
    await store(way, order)
    check_held(order, held)
    assert order == await reloaded(order)
    assert order.items[0].qty == 77


async def test_an_item_stays_itself_when_another_writer_inserts_one_before_it() -> None:
    first, second = Item(code="a"), Item(code="b")
    order = Order(items=[first, second])
    await order.persist()
    other = await reloaded(order)
    other.items = [Item(code="new"), *other.items]
    await other.persist()
    order.name = "changed"
    await order.persist()
    assert order.items[1] is first
    assert order.items[2] is second
    second.qty = 9
    await order.persist()
    assert [item.qty for item in (await reloaded(order)).items] == [1, 1, 9]


async def test_a_reload_changes_objects_in_place() -> None:
    order = full()
    await order.persist()
    held = dict(mutables(order))
    other = await reloaded(order)
    edit_all(other, dict(mutables(other)))
    await other.persist()
    await order.reload()
    check_held(order, held)
    assert order == other
    order.items[0].notes.append("mine")
    await order.reload()
    assert order == other


async def test_objects_stay_when_a_transaction_is_aborted() -> None:
    order = full()
    await order.persist()
    held = dict(mutables(order))
    before = await reloaded(order)
    with pytest.raises(ZeroDivisionError):
        await edit_in_aborted_transaction(order, held)
    assert order == before
    await check_same(order, held)


async def edit_in_aborted_transaction(order: Order, held: dict[str, Any]) -> None:
    async with lm.transaction():
        await order.persist()
        edit_all(order, held)
        await order.persist()
        raise ZeroDivisionError


async def test_an_object_in_two_documents_is_edited_in_both() -> None:
    item = Item()
    orders = [Order(items=[item]), Order(items=[item, item])]
    await Order.persist_many(orders)
    item.qty = 3
    await Order.persist_many(orders)
    stored = [found.qty for order in orders for found in (await reloaded(order)).items]
    assert stored == [3, 3, 3]
    assert all(found is item for order in orders for found in order.items)


times = st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1))
scalars = st.integers(-9, 9) | st.text("aB", max_size=2) | times | st.none() | st.booleans()
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b.c", "$d", ""]), inner, max_size=3)
    ),
    max_leaves=8,
)
items = st.builds(
    Item,
    at=times,
    qty=st.integers(0, 3),
    code=st.sampled_from(["a", "B"]),
    notes=st.lists(st.just("n"), max_size=2),
)
orders = st.builds(
    Order,
    items=st.lists(items, max_size=3),
    by_key=st.dictionaries(st.sampled_from(["a", "b.c", "$d"]), items, max_size=2),
    pair=st.none() | st.tuples(items, times),
    many=st.lists(items, max_size=2).map(tuple),
    queue=st.lists(items, max_size=2).map(deque),
    lines=st.lists(st.builds(Line, items, times), max_size=2),
    frozen=st.none() | st.builds(FrozenLine, times, st.lists(items, max_size=2)),
    anything=anything,
    meta=st.dictionaries(st.sampled_from("ab"), anything, max_size=2),
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_any_shape_stays(data: st.DataObject) -> None:
    order: Order = data.draw(orders)
    is_many = data.draw(st.booleans())
    held = dict(mutables(order))
    await (Order.persist_many([order]) if is_many else order.persist())
    await check_same(order, held)
    target = data.draw(st.sampled_from(sorted(held)))
    edit(target, held[target], data.draw(anything))
    await (Order.persist_many([order]) if is_many else order.persist())
    now = dict(mutables(order))
    assert all(now[path] is value for path, value in held.items() if path in now)
    assert now[target] is held[target]
    assert order == await reloaded(order)


def edit(path: str, value: Any, content: Any) -> None:
    is_anything = path.startswith(("/anything", "/meta"))
    match value:
        case Item():
            value.qty += 1
        case Line():
            value.at = datetime(2031, 1, 1)
        case Order():
            value.meta["more"] = content
        case dict() if is_anything:
            value["more"] = content
        case list() if is_anything:
            value.append(content)
        case _:
            pass


async def test_objects_stay_when_many_tasks_persist_at_once() -> None:
    made = [full() for _ in range(20)]
    await Order.persist_many(made)
    held = [dict(mutables(order)) for order in made]
    for order, objects in zip(made, held, strict=True):
        edit_all(order, objects)
    await gathered(*(order.persist for order in made))
    for order, objects in zip(made, held, strict=True):
        check_held(order, objects)
        assert order == await reloaded(order)
