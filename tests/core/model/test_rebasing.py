"""Updates of documents that another writer has changed since the object was loaded."""

from __future__ import annotations

from typing import Any

import pytest
from bson import ObjectId
from pydantic import BaseModel

import loom_async as lm
from loom_async._core.errors import DocumentNotFound, OperationFailed, StaleDocument
from loom_async._core.model.bson_equality import MISSING
from loom_async._core.model.edits import EditItems, Inc, Push, Replace, Set
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.rebasing import raise_if_type_changed, rebased, unconditional
from loom_async._core.model.write_attempt import Modification
from loom_async._core.model.write_plan import plan_persist


class Item(BaseModel):
    name: str
    size: int = 0
    hits: lm.IncrCounter = 0


class Holder(lm.PersistableBase):
    meta: dict[str, Any] = {}
    counts: dict[str, lm.IncrCounter] | None = {}
    items: list[Item] = []
    total: int = 0


ID = ObjectId()
A, B = ({"name": name, "size": 0, "hits": 0, "undeclared": name} for name in "ab")
STORED: dict[str, Any] = {
    "_id": ID,
    "meta": {"a": {"b": 1, "c": [1]}},
    "counts": {"k": 1},
    "items": [A, B],
    "total": 0,
}


def planned(change: Any, **stored: Any) -> tuple[Holder, Modification]:
    holder = hydrator(Holder).one(STORED | stored)
    change(holder)
    plan = plan_persist(holder)
    assert isinstance(plan, Modification)
    return holder, plan


def edits_after(change: Any, **now: Any) -> Any:
    """Return the edits for the document as another writer has left it; None if there are none."""
    left = {name: value for name, value in (STORED | now).items() if value is not MISSING}
    following = rebased(*planned(change), left)
    return None if following is None else list(following.edits)


def test_a_missing_parent_is_set_whole_if_it_is_still_missing() -> None:
    def change(holder: Holder) -> None:
        holder.meta["a"]["b"] = 2
        holder.meta["x.y"] = 3
        holder.total = 5

    whole = {"a": {"b": 2, "c": [1]}, "x.y": 3}
    expected = [Replace(("meta",), MISSING, whole), Set(("total",), 5)]
    assert edits_after(change, meta=MISSING) == expected
    expected = [
        Replace(("meta", "a"), MISSING, whole["a"]),
        Set(("meta", "x.y"), 3),
        Set(("total",), 5),
    ]
    assert edits_after(change, meta={}) == expected


def test_nothing_is_left_to_remove_from_a_missing_parent() -> None:
    assert edits_after(lambda h: h.meta["a"].pop("b"), meta={}) is None


@pytest.mark.parametrize("parent", [None, 5, [{"a": {}}], "text"])
def test_a_parent_that_is_no_document(parent: Any) -> None:
    for key in ("a", "x.y"):
        with pytest.raises(OperationFailed, match="reload") as raised:
            edits_after(lambda h, key=key: h.meta.update({key: 1}), meta=parent)
        assert repr(parent) in raised.value.message


def test_counters_of_two_writers_that_create_their_dict() -> None:
    holder, plan = planned(lambda h: setattr(h, "counts", {"k": 1, "j": 2}), counts=None)
    assert plan.edits == [Replace(("counts",), None, {"k": 1, "j": 2}, {})]
    following = rebased(holder, plan, STORED | {"counts": {"k": 4}})
    assert following is not None
    assert following.edits == [Inc(("counts", "k"), 1), Inc(("counts", "j"), 2)]
    following = rebased(holder, plan, {"_id": ID})
    assert following is not None
    assert following.edits == [Replace(("counts",), MISSING, {"k": 1, "j": 2}, {})]


def edit_second(holder: Holder) -> None:
    holder.items[1].size = 7
    holder.items[1].hits += 1


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ([A | {"size": 3}, B], [A | {"size": 3}, B | {"size": 7, "hits": 1}]),
        ([A, B | {"hits": 5, "more": 1}], [A, B | {"size": 7, "hits": 6, "more": 1}]),
        ([B], [B | {"size": 7, "hits": 1}]),
        ([B, A], [B | {"size": 7, "hits": 1}, A]),
        ([A], [A, B | {"size": 7, "hits": 1}]),
        (None, [A, B | {"size": 7, "hits": 1}]),
        (MISSING, [A, B | {"size": 7, "hits": 1}]),
    ],
    ids=["other item", "same item", "removed", "moved", "gone", "null", "unset"],
)
def test_an_array_that_has_changed_gets_the_edits_of_its_items(now: Any, expected: Any) -> None:
    assert edits_after(edit_second, items=now) == [Replace(("items",), now, expected)]


def test_an_array_that_is_as_it_was_keeps_its_edits() -> None:
    (edit,) = edits_after(edit_second)
    assert isinstance(edit, EditItems)
    assert edits_after(lambda h: setattr(h.items[1], "size", 7), items=[A, B | {"size": 7}]) is None


def test_documents_that_are_gone_or_have_another_revision() -> None:
    holder, plan = planned(edit_second)
    with pytest.raises(DocumentNotFound):
        rebased(holder, plan, None)
    with pytest.raises(StaleDocument):
        rebased(holder, plan._replace(revision={"total": 9}), STORED)


@pytest.mark.parametrize(
    ("edit", "value"),
    [
        (Push(("v",), [1]), None),
        (Push(("v",), [1]), 5),
        (Inc(("v",), 1), None),
        (Inc(("v",), 1), True),
        (Inc(("v",), 1, 0), "x"),
    ],
)
def test_a_value_of_another_type_than_the_edit_needs(edit: Any, value: Any) -> None:
    with pytest.raises(OperationFailed, match="'v' is"):
        raise_if_type_changed(edit, {"v": value})
    raise_if_type_changed(edit, {})
    raise_if_type_changed(Set(("v",), 1), {"v": value})


def test_an_update_without_conditions_on_values() -> None:
    _, plan = planned(edit_second)
    sent = unconditional(plan)
    assert sent.update == {"$set": {"items": [A, B | {"size": 7, "hits": 1}]}}
    assert sent.condition == {}
    _, plan = planned(lambda h: setattr(h, "counts", {"k": 1}), counts=None)
    assert unconditional(plan).condition == {}
