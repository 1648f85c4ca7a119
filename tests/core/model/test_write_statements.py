"""Write plans as statements of MongoDB's commands, and statements in batches."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import loom_async as lm
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.write_plan import Insertion, Modification, plan_persist
from loom_async._core.model.write_statements import (
    MAX_BYTES,
    batches,
    deletion,
    find_and_modify,
    insert_many,
    insertion,
    replacement,
    selection,
    size_of,
    statement,
    update_many,
)


class Address(BaseModel):
    city: str = ""


class User(lm.PersistableBase):
    id: Any
    name: str = ""
    address: Address = Address()
    notes: dict[str, int] = {}


class Counted(lm.PersistableBase):
    id: int  # type: ignore[assignment]
    name: str = ""
    revision: lm.Revision


def planned_insertion(id: Any = 1) -> Insertion:
    plan = plan_persist(User(id=id))
    assert isinstance(plan, Insertion)
    return plan


def planned_update(document: Any) -> Modification:
    plan = plan_persist(document)
    assert isinstance(plan, Modification)
    return plan


def loaded_user(**fields: Any) -> User:
    stored = {"_id": 1, "name": "", "address": {"city": ""}, "notes": {}, **fields}
    return hydrator(User).one(stored)  # type: ignore[no-any-return]


def loaded_counted() -> Counted:
    return hydrator(Counted).one({"_id": 1, "name": "", "revision": 3})  # type: ignore[no-any-return]


def test_a_document_with_a_new_id_is_inserted() -> None:
    plan = planned_insertion()._replace(replace=False)
    assert insertion("users", plan) == {
        "insert": "users",
        "documents": [RawBSONDocument(plan.raw)],
    }


@pytest.mark.parametrize(("id", "query"), [(1, 1), ({"a": 1}, {"$eq": {"a": 1}})])
def test_a_document_that_may_exist_is_upserted(id: Any, query: Any) -> None:
    plan = planned_insertion(id)
    upsert = {"q": {"_id": query}, "u": RawBSONDocument(plan.raw), "upsert": True}
    assert insertion("users", plan) == {"update": "users", "updates": [upsert]}
    assert statement(plan) == replacement(id, RawBSONDocument(plan.raw)) == upsert


def test_an_update_of_one_document_returns_it() -> None:
    user = loaded_user()
    user.name = "Ann"
    assert find_and_modify("users", planned_update(user)) == {
        "findAndModify": "users",
        "query": {"_id": 1},
        "update": {"$set": {"name": "Ann"}},
        "new": True,
    }


def test_selection_names_the_revision_and_the_parents() -> None:
    user, counted = loaded_user(), loaded_counted()
    user.address.city = "Brno"
    assert selection(planned_update(user)) == {"_id": 1, "address": {"$type": "object"}}
    counted.name = "x"
    assert selection(planned_update(counted)) == {"_id": 1, "revision": 3}


def test_a_statement_of_an_update_makes_the_server_refuse_a_new_document() -> None:
    user = loaded_user()
    user.name = "Ann"
    sent = statement(planned_update(user))
    other = sent["u"].pop("$setOnInsert")["_id"]
    assert isinstance(other, ObjectId)
    assert sent == {"q": {"_id": 1}, "u": {"$set": {"name": "Ann"}}, "upsert": True}


def test_a_statement_of_a_pipeline_refuses_a_new_document_by_its_first_stage() -> None:
    user = loaded_user(notes={"a.b": 1})
    user.notes["a.b"] = 2
    plan = planned_update(user)
    first, *stages = statement(plan)["u"]
    assert stages == plan.update
    is_new, other, same = first["$set"]["_id"]["$cond"]
    assert is_new == {"$eq": ["$$ROOT", {"_id": "$_id"}]}
    assert isinstance(other, ObjectId)
    assert same == "$_id"


def test_a_new_document_of_a_pipeline_also_begins_with_the_revision() -> None:
    plan = planned_update(_renamed(loaded_counted()))._replace(update=[{"$unset": "x"}])
    first, _ = statement(plan)["u"]
    start = {"_id": "$_id", "revision": "$revision"}
    assert first["$set"]["_id"]["$cond"][0] == {"$eq": ["$$ROOT", start]}


def _renamed(counted: Counted) -> Counted:
    counted.name = "x"
    return counted


def test_commands_of_many_statements_and_of_a_deletion() -> None:
    raw = RawBSONDocument(bson.encode({"_id": 1}))
    assert insert_many("users", [raw], ordered=True) == {
        "insert": "users",
        "documents": [raw],
        "ordered": True,
    }
    one = replacement(1, raw)
    assert update_many("users", [one], ordered=False) == {
        "update": "users",
        "updates": [one],
        "ordered": False,
    }
    assert deletion("users", {"_id": 1}) == {
        "delete": "users",
        "deletes": [{"q": {"_id": 1}, "limit": 1}],
    }


def test_size_of_a_plan() -> None:
    inserted = planned_insertion()
    assert size_of(inserted) == len(inserted.raw)
    user = loaded_user(name="x" * 100)
    user.name = ""
    assert size_of(planned_update(user)) > 100  # the longer of the two documents


def test_batches_end_at_the_count_and_at_the_bytes() -> None:
    half = MAX_BYTES // 2
    assert list(batches([], 2)) == []
    assert list(batches([1] * 5, 2)) == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert list(batches([half, half, 1], 9)) == [slice(0, 2), slice(2, 3)]
    assert list(batches([half, half + 1], 9)) == [slice(0, 1), slice(1, 2)]
    assert list(batches([MAX_BYTES + 1, 1], 9)) == [slice(0, 1), slice(1, 2)]


sizes = st.integers(1, 100) | st.integers(MAX_BYTES // 4, 2 * MAX_BYTES)


@given(st.lists(sizes, max_size=30), st.integers(1, 5))
def test_batches_hold_every_statement_once_and_are_as_long_as_they_may_be(
    sizes: list[int], most: int
) -> None:
    parts = list(batches(sizes, most))
    assert [index for part in parts for index in range(part.start, part.stop)] == [
        *range(len(sizes))
    ]
    for part in parts:
        batch = sizes[part]
        assert 0 < len(batch) <= most
        assert len(batch) == 1 or sum(batch) <= MAX_BYTES
        if part.stop < len(sizes):
            assert len(batch) == most or sum(batch) + sizes[part.stop] > MAX_BYTES
