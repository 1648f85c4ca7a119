# Generated from examples/async/ledgers.py by `nox -s sync`: edit that file.
"""Append-only ledgers, and measurements in a native time series."""

from datetime import UTC, datetime

# --8<-- [start:model]
import loom_sync as lm


@lm.declare_persist_db("bank", "rates")
class Rate(lm.LedgerModel):
    currency: str
    percent: float


# --8<-- [end:model]


# --8<-- [start:series]
@lm.declare_persist_db("lab", "readings")
@lm.declare_timeseries(metakey="sensor_id", granularity="minutes", ttl=86400 * 365)
class Reading(lm.TimeSeriesLedgerModel):
    sensor_id: str
    celsius: float


# --8<-- [end:series]


def main() -> None:
    with lm.embedded():
        # --8<-- [start:history]
        rate = Rate(currency="CZK", percent=3.5)
        rate.persist()
        rate.percent = 3.75
        rate.persist()  # a new document, with its own id and time
        assert [earlier.percent for earlier in rate.history()] == [3.5]
        try:
            Rate.filter().delete()
        except lm.LedgerIsAppendOnly as error:
            refused = error.hint
        assert "history()" in refused
        # --8<-- [end:history]

        # --8<-- [start:readings]
        Reading(sensor_id="roof", celsius=21.5).persist()  # now
        noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
        Reading(sensor_id="roof", celsius=19.0, updated_time=noon).persist()
        assert Reading.filter(lm.fld["sensor_id"] == "roof").count() == 2
        # --8<-- [end:readings]


if __name__ == "__main__":
    main()
