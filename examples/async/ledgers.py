"""Append-only ledgers, and measurements in a native time series."""

import asyncio
from datetime import UTC, datetime

# --8<-- [start:model]
import loom_async as lm


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


async def main() -> None:
    async with lm.embedded():
        # --8<-- [start:history]
        rate = Rate(currency="CZK", percent=3.5)
        await rate.persist()
        rate.percent = 3.75
        await rate.persist()  # a new document, with its own id and time
        assert [earlier.percent for earlier in await rate.history()] == [3.5]
        try:
            await Rate.filter().delete()
        except lm.LedgerIsAppendOnly as error:
            refused = error.hint
        assert "history()" in refused
        # --8<-- [end:history]

        # --8<-- [start:readings]
        await Reading(sensor_id="roof", celsius=21.5).persist()  # now
        noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
        await Reading(sensor_id="roof", celsius=19.0, updated_time=noon).persist()
        assert await Reading.filter(lm.fld["sensor_id"] == "roof").count() == 2
        # --8<-- [end:readings]


if __name__ == "__main__":
    asyncio.run(main())
