"""What is declared of a time-series collection, and how one that exists differs from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar, get_args

from ..errors import ConfigurationError, UnknownFieldError
from ..model.annotations import model_codec
from ..model.append_only import is_append_only
from ..model.model_codec import StoredField
from ..types.scalars import Scalar

T = TypeVar("T")
Granularity: TypeAlias = Literal["seconds", "minutes", "hours"]

# Of `expireAfterSeconds` (MongoDB manual, "TTL Indexes").
_LONGEST = 2**31 - 1


@dataclass(frozen=True)
class TimeSeries:
    """A time-series collection, by stored names; `ttl` in seconds."""

    timefield: str
    metakey: str | None
    granularity: Granularity
    ttl: int | None

    def options(self) -> dict[str, Any]:
        """Return the options that the collection is created with."""
        series = {"timeField": self.timefield, "granularity": self.granularity}
        if self.metakey is not None:
            series["metaField"] = self.metakey
        options: dict[str, Any] = {"timeseries": series}
        if self.ttl is not None:
            options["expireAfterSeconds"] = self.ttl
        return options

    def differences(self, info: Mapping[str, Any]) -> Iterator[tuple[str, object, object]]:
        """Yield what differs in an entry of listCollections: name, declared, existing value."""
        there = info.get("options", {})
        series = there.get("timeseries", {})
        wanted = self.options()
        for name in ("timeField", "metaField", "granularity"):
            if series.get(name) != wanted["timeseries"].get(name):
                yield name, wanted["timeseries"].get(name), series.get(name)
        if there.get("expireAfterSeconds") != self.ttl:
            yield "expireAfterSeconds", self.ttl, there.get("expireAfterSeconds")


def declare_timeseries(
    *,
    metakey: str | None = None,
    granularity: Granularity = "seconds",
    ttl: float | dt.timedelta | None = None,
    timefield: str = "updated_time",
) -> Callable[[type[T]], type[T]]:
    """Have a model's collection be a native time series; it is made on first use.

    Parameters:
        metakey: The field that says what was measured; measurements of one value are stored
            together, and queries by it are fast.
        granularity: How far apart measurements of one `metakey` are: `"seconds"`, `"minutes"` or
            `"hours"`.
        ttl: Seconds after its time at which a measurement is removed, or a timedelta; None keeps
            them all.
        timefield: The field with the time of a measurement.

    Returns:
        A decorator that gives back the same class; before or after `declare_persist_db`.

    Raises:
        ConfigurationError: The model is no `TimeSeriesLedgerModel`, `timefield` holds no time, or
            a value is not one that MongoDB accepts.
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
                f"{model.__name__} is no TimeSeriesLedgerModel: measurements are never changed",
                hint=f"class {model.__name__}(lm.TimeSeriesLedgerModel)",
            )
        time = _field(model, timefield, "timefield")
        entry = time.codec.entry if isinstance(time.codec, Scalar) else None
        if entry is None or dt.datetime not in entry.classes:
            raise ConfigurationError(
                f"{model.__name__}.{timefield} holds no datetime, the time of a measurement"
            )
        meta = None if metakey is None else _field(model, metakey, "metakey")
        if meta is not None and meta.stored_name in ("_id", time.stored_name):
            raise ConfigurationError(
                f"{model.__name__}.{metakey} cannot be the metakey: it differs in each measurement",
                hint="use a field that says what was measured, such as a sensor's name",
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
    if isinstance(ttl, bool) or not 1 <= seconds <= _LONGEST or seconds != int(seconds):
        raise ConfigurationError(
            f"ttl={ttl!r}: measurements are kept for a whole number of seconds, 1 to {_LONGEST}",
            hint="leave ttl out to keep them for ever",
        )
    return int(seconds)


def _field(model: type[Any], name: str, what: str) -> StoredField:
    fields = model_codec(model).fields
    for field in fields:
        if name in (field.name, field.stored_name):
            return field
    raise UnknownFieldError(
        name, where=f"{what} of {model.__name__}: it", known=[field.name for field in fields]
    )


def timeseries_of(model: type[Any]) -> TimeSeries | None:
    """Return what is declared of a model's time series; None for an ordinary collection."""
    found: TimeSeries | None = getattr(model, "__loom_timeseries__", None)
    return found
