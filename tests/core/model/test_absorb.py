"""Objects that absorb the replies to their writes, with edits made while a write was under way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from bson import ObjectId
from pydantic import ConfigDict, Field

import loom_async as lm
from loom_async._core.bson_codec import decode_bson, encode_bson
from loom_async._core.model.absorb import (
    absorb_document,
    absorb_insertion,
    absorb_modification,
)
from loom_async._core.model.document import attempts_of, baseline, set_attempts
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.write_attempt import LOST_COMMAND, Insertion, WriteAttempt
from loom_async._core.model.write_plan import plan_persist
from tests.core.model.update_interpreter import applied
from tests.core.model.users import (
    NOW,
    STORED_NOW,
    Address,
    User,
    Visit,
    loaded,
    planned_insertion,
    planned_update,
    reply_to,
)

LOST = WriteAttempt(None, LOST_COMMAND)


class Open(lm.PersistableBase):
    model_config = ConfigDict(extra="allow")

    name: str = ""


def test_an_inserted_object_has_its_baseline_and_its_auto_values() -> None:
    user = User()  # type: ignore[call-arg]
    set_attempts(user, (LOST,))
    plan = planned_insertion(user)
    absorb_insertion(user, plan)
    assert baseline(user) is plan.raw
    assert attempts_of(user) == ()
    assert user.touched == STORED_NOW
    assert plan_persist(user) is None


def test_an_insertion_of_a_cancelled_caller_is_unreported() -> None:
    user = User()  # type: ignore[call-arg]
    plan = planned_insertion(user)
    set_attempts(user, (LOST, WriteAttempt(plan, is_abandoned=True)))
    absorb_insertion(user, plan)
    (attempt,) = attempts_of(user)
    assert attempt.is_unreported
    assert not attempt.is_unknown


def test_an_insertion_normalises_the_values_of_the_object() -> None:
    user = User.model_construct(
        id=ObjectId(), nick="ANN", last=Visit(at=NOW), seen=[NOW], touched=None
    )
    visit = user.last
    absorb_insertion(user, planned_insertion(user))
    assert user.nick == "ann"
    assert user.last is visit
    assert visit is not None
    assert visit.at == STORED_NOW
    assert user.seen == [STORED_NOW]


def test_edits_made_during_an_insertion_stay() -> None:
    user = User(seen=[NOW], nick="ann")  # type: ignore[call-arg]
    plan = planned_insertion(user)
    user.seen.append(NOW)
    user.name, user.nick = "Ann", "BEA"
    absorb_insertion(user, plan)
    assert (user.name, user.nick, user.seen) == ("Ann", "bea", [NOW, NOW])
    update = planned_update(user).update
    assert update["$set"].pop("touched") == STORED_NOW  # type: ignore[call-overload]
    assert update == {
        "$set": {"name": "Ann", "nick": "bea"},
        "$push": {"seen": {"$each": [STORED_NOW]}},
    }


def test_an_update_as_it_was_sent_changes_auto_values_alone() -> None:
    user = loaded()
    user.name = "Ann"
    set_attempts(user, (LOST,))
    plan = planned_update(user)
    raw = reply_to(user, plan)
    assert raw == plan.expected
    address = user.address
    absorb_modification(user, plan, raw)
    assert (user.name, user.touched, user.address) == ("Ann", STORED_NOW, address)
    assert user.address is address
    assert (baseline(user), attempts_of(user)) == (raw, ())
    assert plan_persist(user) is None


def test_values_of_another_writer_reach_the_object() -> None:
    user = loaded(address={"city": "Brno", "zip": "1"})
    address = user.address
    user.name = "Ann"
    plan = planned_update(user)
    absorb_modification(
        user,
        plan,
        reply_to(user, plan, visits=7, address={"city": "Praha", "zip": "1"}, tags=["x"]),
    )
    assert (user.visits, user.tags, user.address.city) == (7, {"x"}, "Praha")
    assert user.address is address, "a nested model is changed in place"
    assert plan_persist(user) is None


def test_edits_made_during_an_update_stay_beside_those_of_another_writer() -> None:
    user = loaded(visits=1, notes=[1], tags=["a"], address={"city": "Brno", "zip": "1"})
    user.name = "Ann"
    plan = planned_update(user)
    user.visits += 1
    user.notes.append(2)
    user.tags.add("mine")
    user.address.zip = "2"
    stored = {
        "visits": 10,
        "notes": [1, 9],
        "tags": ["a", "theirs"],
        "address": {"city": "Praha", "zip": "1"},
    }
    absorb_modification(user, plan, reply_to(user, plan, **stored))
    assert user.visits == 11
    assert user.notes == [1, 9, 2]
    assert user.tags == {"a", "mine", "theirs"}
    assert user.address == Address(city="Praha", zip="2")
    update = planned_update(user).update
    assert isinstance(update, dict)
    assert update["$inc"] == {"visits": 1}
    assert update["$push"] == {"notes": {"$each": [2]}}
    assert update["$addToSet"] == {"tags": {"$each": ["mine"]}}
    assert update["$set"]["address.zip"] == "2"


def test_an_edit_of_the_field_that_another_writer_has_changed_wins() -> None:
    user = loaded()
    user.notes.append(1)
    plan = planned_update(user)
    user.name = "mine"
    absorb_modification(user, plan, reply_to(user, plan, name="theirs"))
    assert user.name == "mine"
    assert planned_update(user).update["$set"]["name"] == "mine"  # type: ignore[call-overload]


def test_an_update_normalises_values_unless_they_were_edited_since() -> None:
    user = loaded()
    user.seen = [NOW]
    user.nick = "ANN"
    plan = planned_update(user)
    absorb_modification(user, plan, reply_to(user, plan))
    assert (user.seen, user.nick) == ([STORED_NOW], "ann")
    user.seen.append(NOW)
    plan = planned_update(user)
    user.seen.append(NOW)
    absorb_modification(user, plan, reply_to(user, plan))
    assert user.seen == [STORED_NOW, NOW, NOW]
    assert planned_update(user).update["$push"] == {  # type: ignore[call-overload]
        "seen": {"$each": [STORED_NOW]}
    }


def test_extra_fields_of_both_writers() -> None:
    stored = {"_id": ObjectId(), "name": "", "stays": 1, "gone": 1, "dropped": 1, "edited": 1}
    document = hydrator(Open).one(stored)
    document.name = "x"
    plan = planned_update(document)
    document.mine = 2
    document.edited = 3
    del document.dropped
    del stored["gone"]
    raw = encode_bson(applied(plan.update, {**stored, "theirs": 4}))
    absorb_modification(document, plan, raw)
    assert document.model_extra == {"stays": 1, "theirs": 4, "mine": 2, "edited": 3}
    assert planned_update(document).update == {
        "$set": {"mine": 2, "edited": 3},
        "$unset": {"dropped": ""},
    }


@pytest.mark.parametrize("edit", [5, None, [1], True])
def test_an_extra_field_that_is_edited_during_an_insertion_stays(edit: Any) -> None:
    class Log(lm.PersistableBase):
        model_config = ConfigDict(extra="allow")

        times: list[datetime] = []

    document = Log(times=[datetime(2024, 1, 1)], note=1)  # type: ignore[call-arg]
    plan = plan_persist(document)
    assert isinstance(plan, Insertion)
    document.note = edit  # type: ignore[attr-defined]
    absorb_insertion(document, plan)
    assert document.model_extra == {"note": edit}
    assert document.times == [datetime(2024, 1, 1, tzinfo=UTC)]
    assert planned_update(document).update == {"$set": {"note": edit}}


class Strict(lm.PersistableBase):
    names: list[Annotated[str, Field(max_length=3)]] = []
    count: int = 0
    other: int = 0


def strict_with_an_invalid_edit_during_an_update() -> Strict:
    """Return an object after another writer has changed `count` and `names` as well."""
    document = hydrator(Strict).one({"_id": ObjectId(), "names": [], "count": 0, "other": 0})
    document.other = 1
    plan = planned_update(document)
    document.names.append("too long")
    absorb_modification(document, plan, reply_to(document, plan, names=["x"], count=5))
    return document  # type: ignore[no-any-return]


def test_an_invalid_edit_made_during_an_update_stays() -> None:
    document = strict_with_an_invalid_edit_during_an_update()
    assert (document.names, document.other) == (["too long"], 1)


def test_values_of_another_writer_stay_stored_beside_an_invalid_edit() -> None:
    document = strict_with_an_invalid_edit_during_an_update()
    with pytest.raises(lm.InvalidDocument, match=r"names\.0: .*'too long'"):
        plan_persist(document)
    document.names = ["x"]
    assert plan_persist(document) is None


def test_a_reloaded_object_gives_up_its_edits() -> None:
    user = loaded(visits=1)
    address = user.address
    set_attempts(user, (LOST,))
    user.name, user.address.city = "mine", "Brno"
    stored = {**decode_bson(baseline(user)), "visits": 5, "address": {"city": "Praha", "zip": ""}}  # type: ignore[arg-type]
    absorb_document(user, stored)
    assert (user.name, user.visits, user.address.city) == ("", 5, "Praha")
    assert user.address is address
    assert (baseline(user), attempts_of(user)) == (encode_bson(stored), ())
    assert plan_persist(user) is None


def test_a_reloaded_object_has_assigned_the_fields_that_are_stored() -> None:
    user = hydrator(User).one({"_id": ObjectId()})
    assert "name" not in user.model_fields_set
    absorb_document(user, {"_id": user.id, "name": "x", "touched": STORED_NOW})
    assert user.model_fields_set == {"id", "name", "touched"}


def test_a_document_that_does_not_fit_leaves_the_object_as_it_was() -> None:
    user = loaded(visits=1)
    before = (baseline(user), user.model_dump())
    with pytest.raises(lm.InvalidDocument):
        absorb_document(user, {"_id": user.id, "visits": "many"})
    assert (baseline(user), user.model_dump()) == before
