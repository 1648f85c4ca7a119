"""The upsert of a new object by its natural key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import ObjectId
from pydantic import ConfigDict, Field

import loom_async as lm
from loom_async._core.model.upsert_plan import is_lost_race, joint_filters, plan_upsert
from loom_async._core.model.write_attempt import Upsert
from loom_async._core.model.write_statements import statement

NOW = datetime(2024, 5, 1, tzinfo=UTC)
ID = ObjectId("0" * 24)


class User(lm.Persistable):
    model_config = ConfigDict(extra="allow")

    email: lm.StrLower
    age: int = 3
    visits: lm.IncrCounter = 0
    maybe: lm.IncrCounter | None = None
    tags: list[str] = Field(default_factory=list)
    revision: lm.Revision


class Code(lm.PersistableBase):
    id: str


def update_of(document: Any, *names: str) -> Any:
    return plan_upsert(document, names or ("email",), NOW).change.update


def test_fields_that_are_set_and_those_of_a_new_document() -> None:
    assert update_of(User(id=ID, email="A", age=3)) == {
        "$set": {"age": 3, "updated_time": NOW},
        "$inc": {"revision": 1},
        "$setOnInsert": {"_id": ID, "created_at": NOW, "visits": 0, "maybe": None, "tags": []},
    }


def test_counters_are_added() -> None:
    update = update_of(User(email="a", visits=4))
    assert update["$inc"] == {"revision": 1, "visits": 4}
    assert update_of(User.model_validate({"email": "a", "other": 1}))["$set"]["other"] == 1


def test_edits_in_place_count_as_set() -> None:
    user = User(email="a")
    user.tags.append("x")
    assert update_of(user)["$set"]["tags"] == ["x"]


def test_an_update_never_replaces_the_document() -> None:
    assert update_of(Code(id="a"), "_id") == {"$setOnInsert": {"_id": "a"}}


def test_the_statement() -> None:
    plan = plan_upsert(User(email="A"), ["email"], NOW)
    sent = statement(plan)
    assert (sent["q"], sent["upsert"]) == ({"email": {"$eq": "a"}}, True)


def test_keys_need_values() -> None:
    user = User.model_construct(email=None, revision=None)
    with pytest.raises(lm.QueryError, match="email is None"):
        update_of(user)


def test_extra_fields_need_names_that_an_update_can_name() -> None:
    with pytest.raises(lm.EncodingError, match=r"a\.b"):
        update_of(User.model_validate({"email": "a", "a.b": 1}))


def error(**key: Any) -> dict[str, Any]:
    return {"code": 11000, "keyValue": key}


def test_lost_races_are_those_of_the_key() -> None:
    plan = plan_upsert(User(email="A"), ["email"], NOW)
    assert is_lost_race(plan, error(email="a"))
    assert not is_lost_race(plan, error(email="b"))
    assert not is_lost_race(plan, error(nick="a"))
    assert not is_lost_race(plan, {"code": 11000})
    assert not is_lost_race(plan, {"code": 66, "keyValue": {"email": "a"}})


def test_documents_of_many_keys_are_found_by_few_filters() -> None:
    plans = [plan_upsert(User(email=f"{n}"), ["email"], NOW) for n in range(3)]
    assert list(joint_filters(plans)) == [{"email": {"$in": ["0", "1", "2"]}}]
    both: list[Upsert] = [plan_upsert(User(email=f"{n}", age=n), ["email", "age"], NOW)
                          for n in range(501)]  # fmt: skip
    first, second = joint_filters(both)
    assert len(first["$or"]) == 500
    assert second == {"$or": [{"email": {"$eq": "500"}, "age": {"$eq": 500}}]}
