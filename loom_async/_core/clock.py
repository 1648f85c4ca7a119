"""The current time, by the setting `clock`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from .bson_codec import utc_milliseconds
from .settings import clock

_HALF_MILLISECOND = timedelta(microseconds=500)


def now() -> datetime:
    """Return the current time by the setting `clock`, in UTC and rounded to milliseconds.

    Raises:
        ConfigurationError: A setting is not accepted.

    Example:
        >>> now().microsecond % 1000
        0
    """
    read = clock()
    moment = read() if read else datetime.now(UTC)
    return utc_milliseconds(moment + _HALF_MILLISECOND)
