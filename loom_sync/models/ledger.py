# Generated from loom_async/models/ledger.py by `nox -s sync`: edit that file.
"""Models of ledgers and time series, whose documents are inserted and never changed."""

from __future__ import annotations

from typing import Any, ClassVar, Self, cast

from bson import ObjectId
from pydantic import Field

from loom_async._core.model.fields import PyObjectId, TimeInserted, TimeUpdated
from loom_async._core.model.indexes import Index
from loom_async.queries import history as async_history

from ..queries import history
from .persistable import PersistableBase


class AppendOnly(PersistableBase):
    """A model whose writes all insert new documents."""

    __loom_append_only__: ClassVar[bool] = True


class LedgerModel(AppendOnly):
    """An append-only model: each `persist` inserts a new document, and no document is changed.

    Each document has a new id and the time of its insertion as `recorded_at`. All versions of one
    object have the same `lineage`. Calls that would change or delete documents raise
    `LedgerIsAppendOnly`.

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

    # None until the first persist; the type is that afterwards.
    recorded_at: TimeUpdated = Field(default=cast("Any", None))
    lineage: PyObjectId = Field(default_factory=ObjectId)

    def history(self) -> list[Self]:
        """Return the versions of this object that were recorded before it, oldest first.

        Raises:
            InvalidDocument: A version does not fit the model.
        """
        return history.versions_before(self, self.lineage)

    async def history_async(self) -> list[Self]:
        """Do as `history` does, without blocking the event loop."""
        return await async_history.versions_before(self, self.lineage)


class TimeSeriesLedgerModel(AppendOnly):
    """A measurement of a native time series (`declare_timeseries`), which is never changed.

    `updated_time` is the time of the measurement. If it is set, it is kept, so that past
    measurements can be stored later; otherwise it is the time of `persist()`.

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
