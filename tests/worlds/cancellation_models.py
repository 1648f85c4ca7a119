"""The models whose calls are cancelled, and what a case of cancellation consists of."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

import loom_async as lm

#: The number of rows that are stored before a call.
ROWS = 1_200


@lm.declare_persist_db("calls", "rows")
class Row(lm.Persistable):
    number: int = -1
    group: int = 0
    text: str = "x" * 100
    count: lm.IncrCounter = 0


@lm.declare_persist_db("calls", "halves")
class Half(lm.Persistable):
    pair: int


@lm.declare_persist_db("calls", "framed")
class FrameRow(lm.PersistableBase):
    batch: int
    number: int


@lm.declare_persist_db("calls", "targets")
class Target(lm.Persistable):
    number: int
    group: int
    text: str
    count: lm.IncrCounter = 0


@lm.declare_persist_db("calls", "set_up", index=[lm.Index("name"), lm.Index("age")])
class SetUp(lm.PersistableBase):
    name: str = ""
    age: int = 0


@lm.declare_persist_db("calls", "gauges")
@lm.declare_timeseries(metakey="name", granularity="seconds")
class Gauge(lm.TimeSeriesLedgerModel):
    name: str = "a"
    value: int = 0


@lm.declare_persist_db("calls", "files")
class File(lm.BlobModel):
    pass


Call = Callable[[], Coroutine[Any, Any, object]]


async def check_nothing() -> None:
    """Find check_nothing to be check_each."""


class CancellationCase(NamedTuple):
    """A call that is cancelled again and again.

    `check_each` runs after each cancellation, and `check_end` when all have been made.
    """

    call: Call
    check_each: Call = check_nothing
    check_end: Call = check_nothing
