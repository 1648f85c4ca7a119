"""`declare_timeseries`, and how an existing collection differs from a declared time series."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar, get_args

from ..errors import ConfigurationError, UnknownFieldError
from ..model.append_only import is_append_only
from ..model.codecs import model_codec
from ..model.model_codec import StoredField
from ..types.scalars import ScalarCodec

T = TypeVar("T")
Granularity: TypeAlias = Literal["seconds", "minutes", "hours"]

# The limit of `expireAfterSeconds` (MongoDB manual, "TTL Indexes").
_MAX_SECONDS = 2**31 - 1


class TimeSeries(NamedTuple):
    """A declared time series: stored names, and `ttl` in seconds."""

    timefield: str
    metakey: str | None
    granularity: Granularity
    ttl: int | None

    def options(self) -> dict[str, Any]:
        """Return the options of `create` for the collection."""
        series = {"timeField": self.timefield, "granularity": self.granularity}
        if self.metakey is not None:
            series["metaField"] = self.metakey
        options: dict[str, Any] = {"timeseries": series}
        if self.ttl is not None:
            options["expireAfterSeconds"] = self.ttl
        return options

    def differences(self, info: Mapping[str, Any]) -> Iterator[tuple[str, object, object]]:
        """Yield each option that differs: its name, its declared and its existing value.

        Parameters:
            info: What `listCollections` says about the collection.
        """
        options = info.get("options", {})
        declared, existing = self.options()["timeseries"], options.get("timeseries", {})
        for name in ("timeField", "metaField", "granularity"):
            if existing.get(name) != declared.get(name):
                yield name, declared.get(name), existing.get(name)
        if options.get("expireAfterSeconds") != self.ttl:
            yield "expireAfterSeconds", self.ttl, options.get("expireAfterSeconds")


def declare_timeseries(
    *,
    metakey: str | None = None,
    granularity: Granularity = "seconds",
    ttl: float | dt.timedelta | None = None,
    timefield: str = "updated_time",
) -> Callable[[type[T]], type[T]]:
    """Declare that a model's collection is a native time series, which is created on first use.

    Parameters:
        metakey: The field that says what was measured, such as the id of a sensor. Measurements
            with the same value are stored together, and queries by it are fast.
        granularity: The usual interval between measurements with the same value of `metakey`:
            `"seconds"`, `"minutes"` or `"hours"`.
        ttl: The time after which a measurement is deleted, in seconds or as a timedelta; None keeps
            all measurements.
        timefield: The field with the time of a measurement.

    Returns:
        A decorator that returns the same class; it may stand before or after `declare_persist_db`.

    Raises:
        ConfigurationError: The model is not a `TimeSeriesLedgerModel`, `timefield` is not a
            datetime, or MongoDB does not accept a value.
        UnknownFieldError: The model lacks a field.

    Example:
        >>> import loom_async as lm
        >>> @lm.declare_persist_db("lab", "readings")
        ... @lm.declare_timeseries(metakey="sensor_id", granularity="minutes", ttl=86400)
        ... class Reading(lm.TimeSeriesLedgerModel):
        ...     sensor_id: str
        ...     celsius: float
    """
    if granularity not in get_args(Granularity):
        raise ConfigurationError(
            f"a time series has no granularity {granularity!r}",
            hint=f"use {', '.join(get_args(Granularity))}",
        )
    seconds = _seconds(ttl)

    def declare(model: type[T]) -> type[T]:
        if not is_append_only(model):
            raise ConfigurationError(
                f"{model.__name__} is not a TimeSeriesLedgerModel: measurements are never changed",
                hint=f"class {model.__name__}(lm.TimeSeriesLedgerModel)",
            )
        time = _stored_field(model, timefield, "timefield")
        entry = time.codec.entry if isinstance(time.codec, ScalarCodec) else None
        if entry is None or dt.datetime not in entry.classes:
            raise ConfigurationError(
                f"{model.__name__}.{timefield} holds no datetime, as the timefield must"
            )
        meta = None if metakey is None else _stored_field(model, metakey, "metakey")
        if meta is not None and meta.stored_name in ("_id", time.stored_name):
            raise ConfigurationError(
                f"{model.__name__}.{metakey} cannot be the metakey: it differs in each measurement",
                hint="use a field that says what was measured, such as the name of a sensor",
            )
        model.__loom_timeseries__ = TimeSeries(  # type: ignore[attr-defined]
            time.stored_name, meta.stored_name if meta else None, granularity, seconds
        )
        return model

    return declare


def _seconds(ttl: float | dt.timedelta | None) -> int | None:
    if ttl is None:
        return None
    seconds = ttl.total_seconds() if isinstance(ttl, dt.timedelta) else ttl
    if isinstance(ttl, bool) or not 1 <= seconds <= _MAX_SECONDS or seconds != int(seconds):
        raise ConfigurationError(
            f"ttl={ttl!r} is not a whole number of seconds from 1 to {_MAX_SECONDS}",
            hint="without ttl, measurements never expire",
        )
    return int(seconds)


def _stored_field(model: type[Any], name: str, parameter: str) -> StoredField:
    codec = model_codec(model)
    field = codec.declared(name)
    if field is not None:
        return field
    raise UnknownFieldError(name, where=f"{parameter} of {model.__name__}: it", known=codec.names())


def timeseries_of(model: type[Any]) -> TimeSeries | None:
    """Return the declared time series of a model; None for an ordinary collection."""
    series: TimeSeries | None = getattr(model, "__loom_timeseries__", None)
    return series
