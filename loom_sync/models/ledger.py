# Generated from loom_async/models/ledger.py by `nox -s sync`: edit that file.
"""Ledgers and time series: what is recorded stays as it is."""

from __future__ import annotations

from typing import Any, ClassVar, Self, cast

from bson import ObjectId
from pydantic import Field

from loom_async._core.model.declaration import Index
from loom_async._core.model.fields import PyObjectId, TimeInserted, TimeUpdated
from loom_async.queries import history as async_history

from ..queries import history
from .persistable import PersistableBase


class AppendOnly(PersistableBase):
    """A model each of whose writes is a new document."""

    __loom_append_only__: ClassVar[bool] = True


class LedgerModel(AppendOnly):
    """A model whose objects are recorded anew each time, and never changed.

    Every `persist()` inserts a new document with a fresh id and the present time as `recorded_at`;
    `persist_many` as well. Calls that would change or delete documents raise `LedgerIsAppendOnly`.
    `lineage` is what the versions of one object have in common.

    Example:
        >>> import loom_sync as lm
        >>> @lm.declare_persist_db("bank", "rates")
        ... class Rate(lm.LedgerModel):
        ...     currency: str
        ...     percent: float
        >>> def main() -> None:
        ...     rate = Rate(currency="CZK", percent=3.5)
        ...     rate.persist()
        ...     rate.percent = 3.75
        ...     rate.persist()
        ...     print(rate.history())
    """

    __loom_indexes__: ClassVar[tuple[Index, ...]] = (Index("lineage", "recorded_at"),)

    # None until the first persist; typed as what it is from then on.
    recorded_at: TimeUpdated = Field(default=cast("Any", None))
    lineage: PyObjectId = Field(default_factory=ObjectId)

    def history(self) -> list[Self]:
        """Return the versions of this object that were recorded before it, the first one first.

        Raises:
            InvalidDocument: A version does not fit the model.
        """
        return history.versions_before(self, self.lineage)

    async def history_async(self) -> list[Self]:
        """Do as `history` does, without blocking the event loop."""
        return await async_history.versions_before(self, self.lineage)


class TimeSeriesLedgerModel(AppendOnly):
    """A measurement of a native time series, as `declare_timeseries` says; never changed.

    `updated_time` is the time of the measurement: a time that is given is kept, so that history can
    be filled in later; else it is the time of `persist()`.

    Example:
        >>> import loom_sync as lm
        >>> @lm.declare_persist_db("lab", "readings")
        ... @lm.declare_timeseries(metakey="sensor_id")
        ... class Reading(lm.TimeSeriesLedgerModel):
        ...     sensor_id: str
        ...     celsius: float
        >>> def main() -> None:
        ...     Reading(sensor_id="roof", celsius=21.5).persist()
    """

    updated_time: TimeInserted = Field(default=cast("Any", None))
