"""Values that the library fills in at a write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from typing import Annotated, Any

import pytest
from pydantic import Field

import loom_async as lm
from loom_async._core.clock import now as current_time
from loom_async._core.model.auto_fields import (
    auto_value,
    insertion_auto_values,
    latest_order,
    stored_auto_value,
    write_auto_values,
)
from loom_async._core.model.codecs import model_codec

NOW = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=timezone(timedelta(hours=1)))
STORED_NOW = datetime(2026, 1, 2, 2, 4, 5, 678_000, tzinfo=UTC)
serials = count(1)


class Ticket(lm.PersistableBase):
    title: str = ""
    opened: lm.TimeInserted = Field(default=None, validation_alias="opened_at")
    seen: lm.TimeUpdated = Field(default=None, validation_alias="seen_at")
    serial: Annotated[int, lm.CoalesceOnInsert(lambda: next(serials))]
    host: Annotated[str, lm.RefreshOnSet(lambda: "worker-1")]
    revision: lm.Revision


def filled_in(ticket: Ticket) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the encoded ticket after its insertion was filled in, and the values yielded."""
    codec = model_codec(Ticket)
    encoded = codec.encode(ticket)
    values = dict(insertion_auto_values(codec, encoded, NOW))
    return encoded, values


def test_an_insertion_fills_in_every_missing_value() -> None:
    encoded, values = filled_in(Ticket())  # type: ignore[call-arg]
    assert encoded["opened_at"] == encoded["seen_at"] == STORED_NOW
    assert values["opened"] == values["seen"] == NOW
    assert values["serial"] == encoded["serial"] == next(serials) - 1
    assert (values["host"], values["revision"]) == ("worker-1", 1)
    assert "title" not in values


def test_an_insertion_keeps_given_values_except_those_of_every_write() -> None:
    earlier = datetime(2020, 1, 1, tzinfo=UTC)
    ticket = Ticket(opened=earlier, seen=earlier, serial=0, host="other", revision=7)
    encoded, values = filled_in(ticket)
    assert values.keys() == {"seen", "host"}
    assert (encoded["opened_at"], encoded["serial"], encoded["revision"]) == (earlier, 0, 7)
    assert (encoded["seen_at"], encoded["host"]) == (STORED_NOW, "worker-1")


def test_the_object_itself_is_not_changed() -> None:
    ticket = Ticket()  # type: ignore[call-arg]
    filled_in(ticket)
    assert (ticket.opened, ticket.serial, ticket.revision) == (None, None, None)


def test_a_write_refreshes_by_stored_name() -> None:
    assert write_auto_values(Ticket, NOW) == {"seen_at": STORED_NOW, "host": "worker-1"}


def test_stamp_is_the_stored_form() -> None:
    fields = {field.name: field for field in model_codec(Ticket).auto_fields}
    assert stored_auto_value(fields["opened"], NOW) == STORED_NOW
    assert stored_auto_value(fields["revision"], NOW) == 1


def test_all_times_of_an_operation_are_the_same() -> None:
    assert auto_value(current_time, NOW) is NOW
    assert auto_value(lambda: "other", NOW) == "other"


class Numbered(lm.PersistableBase):
    id: int  # type: ignore[assignment]


class Dated(Numbered):
    made_at: lm.TimeInserted = Field(default=None, validation_alias="made")
    touched: lm.TimeUpdated


@pytest.mark.parametrize(
    ("model", "order"),
    [
        (Ticket, (("_id", -1),)),
        (Numbered, (("_id", -1),)),
        (Dated, (("made", -1), ("_id", -1))),
    ],
)
def test_order_of_the_latest_document(model: Any, order: Any) -> None:
    assert latest_order(model) == order
