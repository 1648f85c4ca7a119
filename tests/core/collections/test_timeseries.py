"""The declaration of a time series, compared with what `listCollections` says."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

import loom_async as lm
from loom_async._core.collections.timeseries import TimeSeries, timeseries_of

SERIES = TimeSeries("updated_time", "sensor", "minutes", 60)
OPTIONS = {
    "timeseries": {
        "timeField": "updated_time", "metaField": "sensor", "granularity": "minutes",
    },
    "expireAfterSeconds": 60,
}  # fmt: skip


class Reading(lm.TimeSeriesLedgerModel):
    sensor: str


def test_options_of_the_collection() -> None:
    assert SERIES.options() == OPTIONS
    assert TimeSeries("t", None, "seconds", None).options() == {
        "timeseries": {"timeField": "t", "granularity": "seconds"}
    }


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"options": OPTIONS}, []),
        (
            {"options": {**OPTIONS, "expireAfterSeconds": 5}},
            [("expireAfterSeconds", 60, 5)],
        ),
        (
            {"options": {**OPTIONS, "timeseries": {"timeField": "at", "granularity": "minutes"}}},
            [("timeField", "updated_time", "at"), ("metaField", "sensor", None)],
        ),
    ],
)
def test_differences(info: dict[str, Any], expected: list[tuple[str, object, object]]) -> None:
    assert list(SERIES.differences(info)) == expected


@pytest.mark.parametrize("ttl", [86400, 86400.0, dt.timedelta(days=1)])
def test_a_declared_series(ttl: Any) -> None:
    model = lm.declare_timeseries(metakey="sensor", ttl=ttl)(Reading)
    assert timeseries_of(model) == TimeSeries("updated_time", "sensor", "seconds", 86400)
    assert timeseries_of(lm.PersistableBase) is None


@pytest.mark.parametrize("ttl", [0, -1, 1.5, True, 2**31, dt.timedelta(seconds=0.5)])
def test_a_ttl_that_mongodb_refuses(ttl: Any) -> None:
    with pytest.raises(lm.ConfigurationError, match="whole number of seconds"):
        lm.declare_timeseries(ttl=ttl)
