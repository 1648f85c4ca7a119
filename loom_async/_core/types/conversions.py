"""Single values of one class to their stored form, back again, and as keys of dicts."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal, DecimalException
from typing import Any, cast

from bson import Decimal128, Regex
from pydantic import SecretBytes, SecretStr

from ..errors import EncodingError

_MIDNIGHT = dt.time(tzinfo=dt.UTC)


def date_to_bson(value: dt.date) -> dt.datetime:
    """Return midnight UTC of a date: BSON has no date without a time."""
    return dt.datetime.combine(value, _MIDNIGHT)


def decimal_to_bson(value: Decimal) -> Decimal128:
    """Return the Decimal128 of the same value, digits and exponent.

    Raises:
        EncodingError: The value has more than 34 significant digits.
    """
    try:
        return Decimal128(value)
    except DecimalException:
        raise EncodingError(
            f"{value!r} has more than the 34 significant digits that Decimal128 holds",
            path="",
            hint="round it first",
        ) from None


def decimal_from_bson(stored: Any) -> Any:
    """Return the Decimal of a stored Decimal128; another value as it is."""
    return stored.to_decimal() if type(stored) is Decimal128 else stored


def bytearray_from_bson(stored: Any) -> Any:
    """Return the bytearray of stored bytes; another value as it is."""
    return bytearray(stored) if type(stored) is bytes else stored


def pattern_from_bson(stored: Any) -> Any:
    """Return the compiled pattern of a stored regular expression; another value as it is."""
    return cast("Any", stored).try_compile() if isinstance(stored, Regex) else stored


def secret_to_bson(value: SecretStr | SecretBytes) -> str | bytes:
    """Return the text or the bytes of a secret."""
    return value.get_secret_value()


def isoformat(value: dt.date | dt.time) -> str:
    """Return a date or a time in ISO 8601."""
    return value.isoformat()


def naive_from_bson(stored: Any) -> Any:
    """Return a stored datetime without its time zone; another value as it is."""
    return stored.replace(tzinfo=None) if isinstance(stored, dt.datetime) else stored


def pattern_to_bson(value: re.Pattern[Any]) -> re.Pattern[Any]:
    """Return a pattern, which the driver stores as a regular expression.

    Raises:
        EncodingError: BSON has no form for its flags, or it is a pattern over bytes.
    """
    if isinstance(value.pattern, bytes) or value.flags & ~_REGEX_FLAGS:
        raise EncodingError(
            f"BSON has no form for {value!r}",
            path="",
            hint="BSON has regular expressions over text, without the flag ASCII",
        )
    return value


def time_to_bson(value: dt.time) -> str:
    """Return a time in ISO 8601, to microseconds."""
    # All texts have the same width, so that they are ordered as the times are.
    return value.isoformat(timespec="microseconds")


# BSON specification, "Regular expression": the options that it has.
_REGEX_FLAGS = re.IGNORECASE | re.LOCALE | re.MULTILINE | re.DOTALL | re.UNICODE | re.VERBOSE
_MICROSECOND = dt.timedelta(microseconds=1)
_MAX_INT64 = 2**63 - 1


def timedelta_to_bson(value: dt.timedelta) -> int:
    """Return the whole microseconds of a duration.

    Raises:
        EncodingError: They need more than 64 bits.
    """
    microseconds = value // _MICROSECOND
    if abs(microseconds) > _MAX_INT64:
        raise EncodingError(
            f"{value!r} has more microseconds than 64 bits hold",
            path="",
            hint="store durations of less than 292,000 years",
        )
    return microseconds


def timedelta_from_bson(stored: Any) -> Any:
    """Return the duration of stored microseconds; another value as it is."""
    return stored * _MICROSECOND if isinstance(stored, int) else stored


def timedelta_key(value: dt.timedelta) -> str:
    """Return the text of a duration that is a key of a dict."""
    return str(timedelta_to_bson(value))


def complex_to_bson(value: complex) -> str:
    """Return the text that pydantic reads as a complex number."""
    return str(value).strip("()")


def secret_key(value: SecretStr | SecretBytes) -> str:
    """Return the text of a secret that is a key of a dict."""
    secret = value.get_secret_value()
    return secret if isinstance(secret, str) else secret.hex()


def bytes_key(value: bytes | bytearray) -> str:
    """Return the text of bytes that are a key of a dict: hexadecimal digits."""
    return value.hex()
