"""The steps of a bulk write, and the account of its documents."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

import loom_async as lm
from loom_async._core.model.bulk_plan import (
    BulkAccount,
    Step,
    check_documents,
    first_of_each,
    groups,
    plan_steps,
)
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.write_plan import plan_persist

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@lm.declare_persist_db("core", "items")
class Item(lm.PersistableBase):
    value: Any = None
    notes: dict[str, Any] = {}


@lm.declare_persist_db("core", "items")
class Special(Item):
    extra: int = 0


@lm.declare_persist_db("core", "other_items")
class Elsewhere(Item):
    pass


def new() -> Item:
    """Return an object whose id is new."""
    return Item()


def given_id() -> Item:
    """Return a new object whose document may exist."""
    return Item(id=ObjectId())


def loaded() -> Item:
    """Return an object that was loaded, and has no edits."""
    stored = {"_id": ObjectId(), "value": 0, "notes": {"a.b": {}}}
    return hydrator(Item).one(stored)  # type: ignore[no-any-return]


def edited() -> Item:
    item = loaded()
    item.value = 1
    return item


def edited_below_an_odd_key() -> Item:
    item = loaded()
    item.notes["a.b"]["c"] = 1
    return item


def unstorable() -> Item:
    return Item(value=2**70)


def step(item: Item, index: int = 0) -> Step:
    plan = plan_persist(item, NOW)
    assert plan is not None
    return Step(index, item, plan)


@pytest.mark.parametrize(
    ("make", "is_insert", "is_alone"),
    [
        (new, True, False),
        (given_id, False, False),
        (edited, False, False),
        (edited_below_an_odd_key, False, True),
    ],
)
def test_kind_of_a_step(make: Any, is_insert: bool, is_alone: bool) -> None:
    made = step(make())
    assert (made.is_insert, made.is_alone) == (is_insert, is_alone)


def test_documents_of_the_model_and_of_its_subclasses_are_accepted() -> None:
    items = [Item(), Special()]
    assert check_documents(Item, iter(items)) == items
    assert check_documents(Item, []) == []


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ("text", "takes Item objects, not 'text'"),
        (b"x", "takes Item objects"),
        ({"a": Item()}, "takes Item objects"),
        (Item, "takes Item objects"),
        (3, "takes Item objects, not 3"),
        ([Item(), {"value": 1}], "element 1 is a dict, not a Item"),
        ([Elsewhere()], "element 0 is a Elsewhere, which has a collection of its own"),
    ],
)
def test_other_values_are_refused(documents: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        check_documents(Item, documents)


def test_an_object_that_is_given_twice_is_written_once() -> None:
    a, b, account = Item(), Item(), BulkAccount(ordered=True)
    assert first_of_each([a, b, a, a], account) == [(0, a), (1, b)]
    assert account.unchanged == 2


def test_steps_of_documents_that_need_a_write() -> None:
    items = [new(), loaded(), edited()]
    account = BulkAccount(ordered=False)
    steps = plan_steps(list(enumerate(items)), NOW, account)
    assert [(made.position, made.document) for made in steps] == [(0, items[0]), (2, items[2])]
    assert account.finish(Item) == lm.PersistResult(0, 0, unchanged=1)


@pytest.mark.parametrize(("ordered", "planned"), [(True, [0]), (False, [0, 2])])
def test_a_document_that_cannot_be_encoded_fails(ordered: bool, planned: list[int]) -> None:
    items = [new(), unstorable(), new()]
    account = BulkAccount(ordered)
    steps = plan_steps(list(enumerate(items)), NOW, account)
    assert [made.position for made in steps] == planned
    (failure,) = account.failures
    assert (failure.index, failure.id) == (1, items[1].id)
    assert "value" in failure.reason
    assert account.is_stopped is ordered


kinds = st.lists(st.sampled_from([new, given_id, edited, edited_below_an_odd_key]), max_size=8)


def kind_of(made: Step) -> tuple[bool, bool]:
    return made.is_insert, made.is_alone


@given(kinds, st.booleans())
def test_groups_hold_every_step_and_one_kind_each(makers: list[Any], ordered: bool) -> None:
    steps = [step(make(), index) for index, make in enumerate(makers)]
    found = list(groups(steps, ordered=ordered))
    indexes = [made.position for group in found for made in group]
    assert sorted(indexes) == [*range(len(steps))]
    assert all(len(set(map(kind_of, group))) == 1 for group in found)
    for group in found:
        assert [made.position for made in group] == sorted(made.position for made in group)
    if ordered:
        assert indexes == [*range(len(steps))]
        for group, following in pairwise(found):
            assert kind_of(group[0]) != kind_of(following[0])
    else:
        assert len(found) <= 3


def test_an_account_counts_what_was_written() -> None:
    account = BulkAccount(ordered=True)
    written = [step(new()), step(given_id()), step(edited())]
    for made in written:
        account.written(made)
    account.without_plan(loaded())
    assert account.finish(Item) == lm.PersistResult(inserted=2, updated=1, unchanged=1)
    assert account.documents == [made.document for made in written]


def test_an_earlier_write_that_was_settled_counts_as_written() -> None:
    stored, updated = loaded(), loaded()
    settled = {id(stored): True, id(updated): False}
    account = BulkAccount(ordered=True, settled=settled)
    account.without_plan(stored)
    account.without_plan(updated)
    assert account.finish(Item) == lm.PersistResult(inserted=1, updated=1, unchanged=0)
    assert account.documents == [stored, updated]


@pytest.mark.parametrize(
    ("ordered", "given_up", "failed", "is_stopped"),
    [
        (True, False, False, False),
        (True, False, True, True),
        (False, False, True, False),
        (False, True, False, True),
    ],
)
def test_when_nothing_more_is_sent(
    ordered: bool, given_up: bool, failed: bool, is_stopped: bool
) -> None:
    account = BulkAccount(ordered, is_given_up=given_up)
    if failed:
        account.fail(step(new()), "refused")
    assert account.is_stopped is is_stopped


@pytest.mark.parametrize("ordered", [True, False])
def test_failures_raise_one_error_in_the_order_of_the_input(ordered: bool) -> None:
    account = BulkAccount(ordered)
    first, second = step(new(), 1), step(edited(), 4)
    account.fail(second, "second")
    account.fail(first, "first")
    account.written(step(new(), 0))
    with pytest.raises(lm.BulkError, match=r"2 of the Item .* at index 1 .*first") as caught:
        account.finish(Item)
    assert [entry.index for entry in caught.value.entries] == [1, 4]
    assert [entry.id for entry in caught.value.entries] == [first.plan.id, second.plan.id]
    assert (caught.value.inserted, caught.value.updated) == (1, 0)
    assert ("were not sent" in str(caught.value)) is ordered
