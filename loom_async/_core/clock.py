"""The current time, by the setting `clock`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from .bson_codec import utc_milliseconds
from .settings import clock

_HALF_MILLISECOND = 500


def now() -> datetime:
    """Return the current time by the setting `clock`, in UTC and rounded to milliseconds.

    Raises:
        ConfigurationError: A setting is not accepted.

    Example:
        >>> now().microsecond % 1000
        0
    """
    read = clock()
    return round_to_milliseconds(read() if read else datetime.now(UTC))


def round_to_milliseconds(moment: datetime) -> datetime:
    """Return the nearest whole millisecond, in UTC."""
    return utc_milliseconds(moment + timedelta(microseconds=_HALF_MILLISECOND))
