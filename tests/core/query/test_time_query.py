from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import loom_async as lm
from loom_async import TimeQuery, fld
from tests.core.query.models import compiled

PRAGUE = ZoneInfo("Europe/Prague")
NOON = datetime(2024, 3, 31, 12, tzinfo=UTC)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("span", "start", "end"),
    [
        (TimeQuery(), None, None),
        (TimeQuery.between(utc(2024, 1, 1), utc(2024, 1, 2)), utc(2024, 1, 1), utc(2024, 1, 2)),
        (TimeQuery.since(utc(2024, 1, 1)), utc(2024, 1, 1), None),
        (TimeQuery.before(utc(2024, 1, 1)), None, utc(2024, 1, 1)),
        (TimeQuery.last(days=1, hours=2, minutes=3, now=NOON), utc(2024, 3, 30, 9, 57), NOON),
        (TimeQuery.on(date(2024, 2, 29)), utc(2024, 2, 29), utc(2024, 3, 1)),
        (TimeQuery.on(date(2024, 3, 31), PRAGUE), utc(2024, 3, 30, 23), utc(2024, 3, 31, 22)),
        (TimeQuery.month(2024, 12), utc(2024, 12, 1), utc(2025, 1, 1)),
        (TimeQuery.month(2024, 3, PRAGUE), utc(2024, 2, 29, 23), utc(2024, 3, 31, 22)),
        (TimeQuery.year(2024), utc(2024, 1, 1), utc(2025, 1, 1)),
    ],
)
def test_span(span: TimeQuery, start: datetime | None, end: datetime | None) -> None:
    assert (span.start, span.end) == (start, end)


def test_naive_is_utc_and_aware_is_converted() -> None:
    plus2 = timezone(timedelta(hours=2))
    span = TimeQuery(datetime(2024, 1, 1), datetime(2024, 1, 1, 3, tzinfo=plus2))
    assert (span.start, span.end) == (utc(2024, 1, 1), utc(2024, 1, 1, 1))


def test_last_and_today_read_the_clock_of_the_settings() -> None:
    with lm.config_context(clock=lambda: NOON):
        assert TimeQuery.today() == TimeQuery.on(date(2024, 3, 31))
        assert TimeQuery.last(days=7).start == NOON - timedelta(days=7) + timedelta(milliseconds=1)
        last = TimeQuery.last(hours=1).end
    assert last is not None
    assert last > NOON
    late = utc(2024, 3, 31, 23)
    with lm.config_context(clock=lambda: late):
        assert TimeQuery.today(PRAGUE) == TimeQuery.on(date(2024, 4, 1), PRAGUE)


@pytest.mark.parametrize(
    "build",
    [
        lambda: TimeQuery(utc(2024, 1, 2), utc(2024, 1, 1)),
        lambda: TimeQuery(datetime(2024, 1, 2), utc(2024, 1, 1)),
        lambda: TimeQuery(date(2024, 1, 1)),
        lambda: TimeQuery("2024-01-01"),
        lambda: TimeQuery.last(),
        lambda: TimeQuery.last(days=-1),
    ],
)
def test_impossible_span_is_refused(build: Callable[[], Any]) -> None:
    with pytest.raises(lm.QueryError):
        build()


def test_compiled_form_is_half_open() -> None:
    start, end = utc(2024, 1, 1), utc(2024, 1, 2)
    seen = fld["seen"]
    assert compiled(seen.is_within(TimeQuery(start, end))) == {"seen": {"$gte": start, "$lt": end}}
    assert compiled(seen.is_within(TimeQuery.since(start))) == {"seen": {"$gte": start}}
    assert compiled(seen.is_within(TimeQuery())) == {"seen": {"$type": ["date"]}}
    assert compiled(~seen.is_within(TimeQuery(start, end))) == {
        "$nor": [{"seen": {"$gte": start, "$lt": end}}]
    }
