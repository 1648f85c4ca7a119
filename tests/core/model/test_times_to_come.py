"""Fields whose times have to be in the future when they are assigned."""

from __future__ import annotations

import datetime as dt

import pytest
from bson import ObjectId
from pydantic import BaseModel, FutureDate, FutureDatetime, ValidationError

import loom_async as lm
from loom_async._core.bson_codec import encode_bson
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.write_plan import plan_persist
from tests.core.storing import NOW

PAST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


class Slot(BaseModel):
    day: FutureDate


class Booking(lm.PersistableBase):
    at: FutureDatetime
    slots: list[Slot] = []
    name: str = ""


def test_they_load_after_their_time_has_come() -> None:
    raw = encode_bson({"_id": ObjectId(), "at": PAST, "slots": [{"day": PAST}]})
    (loaded,) = hydrator(Booking).many(raw)
    assert loaded.at == PAST
    assert loaded.slots[0].day == PAST.date()
    assert plan_persist(loaded, NOW) is None
    loaded.name = "new"
    assert plan_persist(loaded, NOW).update == {"$set": {"name": "new"}}


def test_an_assigned_time_has_to_be_in_the_future() -> None:
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    booking = Booking(at=later)
    with pytest.raises(ValidationError):
        booking.at = PAST
