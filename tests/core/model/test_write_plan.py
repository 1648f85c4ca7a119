"""Write plans: the smallest update of a loaded object."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from bson import ObjectId
from pydantic import ConfigDict, Field, model_validator

import loom_async as lm
from loom_async._core.bson_codec import encode_bson
from loom_async._core.model.edits import Inc, Set
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.write_plan import Modification, plan_persist


def test_fields_that_a_validator_adds_are_set_whole_when_edited() -> None:
    class Legacy(lm.PersistableBase):
        tags: list[str]
        count: lm.IncrCounter

        @model_validator(mode="before")
        @classmethod
        def complete(cls, data: Any) -> Any:
            if isinstance(data, dict):
                data.setdefault("tags", ["old"])
                data.setdefault("count", 10)
            return data

    document = hydrator(Legacy).many(encode_bson({"_id": ObjectId()}))[0]
    document.tags.append("new")
    document.count += 1
    plan = plan_persist(document, datetime.now(UTC))
    assert isinstance(plan, Modification)
    assert plan.edits == [Set(("tags",), ["old", "new"]), Inc(("count",), 1, start=10)]


def test_unassigned_default_that_differs_each_time_is_no_edit() -> None:
    class Unstable(lm.PersistableBase):
        key: UUID = Field(default_factory=uuid4)
        name: lm.StrLower = Field(default_factory=lambda: uuid4().hex)
        either: int | str = Field(default_factory=lambda: uuid4().hex)

    document = hydrator(Unstable).many(encode_bson({"_id": ObjectId()}))[0]
    assert plan_persist(document, datetime.now(UTC)) is None
    document.name = "Chosen"
    plan = plan_persist(document, datetime.now(UTC))
    assert isinstance(plan, Modification)
    assert plan.update == {"$set": {"name": "chosen"}}


class Open(lm.PersistableBase):
    model_config = ConfigDict(extra="allow")
    size: int | None = None


def _loaded(document: dict[str, Any]) -> Open:
    return hydrator(Open).many(encode_bson({"_id": ObjectId(), "size": None, **document}))[0]  # type: ignore[no-any-return]


def test_added_and_removed_extra_fields_are_edits() -> None:
    document = _loaded({"gone": 1, "stays": 2})
    del document.gone  # type: ignore[attr-defined]
    document.new = 3  # type: ignore[attr-defined]
    plan = plan_persist(document)
    assert isinstance(plan, Modification)
    assert plan.update == {"$set": {"new": 3}, "$unset": {"gone": ""}}
    document = _loaded({"gone": 1})
    assert plan_persist(document) is None
    del document.gone  # type: ignore[attr-defined]
    plan = plan_persist(document)
    assert isinstance(plan, Modification)
    assert plan.update == {"$unset": {"gone": ""}}


def test_edit_that_bson_cannot_hold_is_named() -> None:
    document = _loaded({})
    document.size = 2**70
    with pytest.raises(lm.EncodingError, match="size"):
        plan_persist(document)
