"""`TimeQuery`: intervals of time for `is_within`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from ..bson_codec import utc_milliseconds
from ..clock import now as clock_time
from ..errors import QueryError


@dataclass(frozen=True, slots=True)
class TimeQuery:
    """The times from `start` up to, but not including, `end`.

    None leaves an end of the interval open. Naive datetimes are taken as UTC.

    Example:
        >>> from datetime import datetime
        >>> import loom_async as lm
        >>> january = lm.TimeQuery.month(2026, 1)
        >>> january.end
        datetime.datetime(2026, 2, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            value = getattr(self, name)
            if value is None:
                continue
            if not isinstance(value, datetime):
                raise QueryError(f"TimeQuery: {name} is {value!r}, which is not a datetime")
            # In UTC, so that naive and aware datetimes can be compared.
            object.__setattr__(self, name, _utc(value))
        if self.start is not None and self.end is not None and self.end < self.start:
            raise QueryError(
                f"TimeQuery: the end {self.end} is before the start {self.start}",
                hint="swap them",
            )

    @classmethod
    def between(cls, start: datetime, end: datetime) -> TimeQuery:
        """Return the times from `start` up to, but not including, `end`."""
        return cls(start, end)

    @classmethod
    def since(cls, start: datetime) -> TimeQuery:
        """Return the times from `start`, without an end."""
        return cls(start, None)

    @classmethod
    def before(cls, end: datetime) -> TimeQuery:
        """Return the times before `end`."""
        return cls(None, end)

    @classmethod
    def last(
        cls, *, days: float = 0, hours: float = 0, minutes: float = 0, now: datetime | None = None
    ) -> TimeQuery:
        """Return the interval of a given length that ends now, by the setting `clock`.

        Parameters:
            days: Days of 24 hours.
            hours: Hours.
            minutes: Minutes.
            now: The end of the interval; None for the time of the clock.
        """
        length = timedelta(days=days, hours=hours, minutes=minutes)
        if length <= timedelta(0):
            raise QueryError("TimeQuery.last() needs a length", hint="TimeQuery.last(days=7)")
        end = now if now is not None else clock_time() + timedelta(milliseconds=1)
        return cls(end - length, end)

    @classmethod
    def on(cls, day: date, tz: tzinfo = UTC) -> TimeQuery:
        """Return the times of a day in a time zone."""
        return cls(_midnight(day, tz), _midnight(day + timedelta(days=1), tz))

    @classmethod
    def today(cls, tz: tzinfo = UTC) -> TimeQuery:
        """Return the times of the current day in a time zone."""
        return cls.on(clock_time().astimezone(tz).date(), tz)

    @classmethod
    def month(cls, year: int, month: int, tz: tzinfo = UTC) -> TimeQuery:
        """Return the times of a month in a time zone."""
        following = date(year + month // 12, month % 12 + 1, 1)
        return cls(_midnight(date(year, month, 1), tz), _midnight(following, tz))

    @classmethod
    def year(cls, year: int, tz: tzinfo = UTC) -> TimeQuery:
        """Return the times of a year in a time zone."""
        return cls(_midnight(date(year, 1, 1), tz), _midnight(date(year + 1, 1, 1), tz))


def _midnight(day: date, tz: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=tz)


def _utc(value: datetime) -> datetime:
    return utc_milliseconds(value).astimezone(UTC)
