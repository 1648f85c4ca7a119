"""Documents that are read back after their updates."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from bson import Int64, ObjectId

import loom_async as lm
from loom_async._core.bson_codec import decode_bson, encode_bson
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.read_back import as_updated, by_id, id_bytes
from loom_async._core.model.write_attempt import Modification
from loom_async._core.model.write_plan import plan_persist


class Task(lm.PersistableBase):
    name: str = ""
    tags: set[str] = set()


def renamed(name: str) -> Modification:
    """Return the update of a stored task whose name has changed and that has a new tag."""
    task: Task = hydrator(Task).one({"_id": ObjectId(), "name": "old", "tags": ["a"]})
    task.name, task.tags = name, {"a", "b"}
    plan = plan_persist(task)
    assert isinstance(plan, Modification)
    return plan


IDS = [ObjectId("0" * 24), UUID(int=1), 1, Int64(1), 1.0, "1", b"1", {"a": 1}, None, True]


@pytest.mark.parametrize("id", IDS, ids=repr)
def test_documents_are_found_by_type_and_bytes_of_their_ids(id: Any) -> None:
    raws = [encode_bson({"name": "x", "_id": other}) for other in IDS]
    assert decode_bson(by_id(raws)[id_bytes(id)])["_id"] == id
    assert len(by_id(raws)) == len(IDS)


def test_documents_without_later_writes_are_as_expected() -> None:
    plans = [renamed("one"), renamed("two")]
    raws = [plan.expected for plan in reversed(plans)]
    assert as_updated(plans, raws) == [plan.expected for plan in plans]


def test_a_document_that_was_deleted_since_is_as_expected() -> None:
    plan = renamed("one")
    assert as_updated([plan], []) == [plan.expected]


def test_a_document_with_later_writes_has_its_own_update_and_these() -> None:
    plan = renamed("mine")
    later = encode_bson({"_id": plan.id, "name": "theirs", "tags": ["c"], "done": True})
    (raw,) = as_updated([plan], [later])
    assert isinstance(raw, bytes)
    assert decode_bson(raw) == {"_id": plan.id, "name": "mine", "tags": ["c", "b"], "done": True}


def test_an_unreadable_document_does_not_affect_the_others() -> None:
    plans = [renamed("one"), renamed("two")]
    date = encode_bson({"_id": plans[0].id, "at": Int64(10**18)}).replace(b"\x12at", b"\x09at")
    error, raw = as_updated(plans, [date, plans[1].expected])
    assert isinstance(error, Exception)
    assert raw == plans[1].expected
