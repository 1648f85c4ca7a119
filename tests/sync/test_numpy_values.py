# Generated from tests/aio/test_numpy_values.py by `nox -s sync`: edit that file.
"""Values of numpy and pandas are stored as Python's, in documents and in updates."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ConfigDict, ValidationError

import loom_sync as lm
from loom_sync import fld

pytestmark = pytest.mark.usefixtures("db")

LARGE = 2**60 + 1  # no float has this value
MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=dt.UTC)


@lm.declare_persist_db("shop", "measured")
class Measured(lm.Persistable):
    number: int = 0
    ratio: float = 0
    price: Decimal = Decimal(0)
    active: bool = False
    name: lm.StrLower = ""
    moment: dt.datetime | None = None
    needed: dt.datetime = MOMENT
    day: dt.date | None = None
    span: dt.timedelta | None = None
    numbers: list[int] = []
    anything: Any = None
    count: lm.IncrCounter = 0


VALUES: list[tuple[str, Any, Any]] = [
    ("number", np.int64(LARGE), LARGE),
    ("number", np.uint8(3), 3),
    ("ratio", np.float64(1.5), 1.5),
    ("ratio", np.float32(1.5), 1.5),
    ("ratio", np.float16(1.5), 1.5),
    ("ratio", np.longdouble(1.5), 1.5),
    ("ratio", np.int32(2), 2.0),
    ("price", np.float64(1.5), Decimal("1.5")),
    ("price", np.int64(2), Decimal(2)),
    ("active", np.bool_(True), True),
    ("name", np.str_("ANN"), "ann"),
    ("moment", np.datetime64("2026-01-02T03:04:05.678", "ns"), MOMENT),
    ("moment", np.datetime64("2026-01-02T03:04:05.678", "ms"), MOMENT),
    ("moment", pd.Timestamp(MOMENT) + pd.Timedelta(3, "ns"), MOMENT),
    ("moment", pd.NaT, None),
    ("moment", np.datetime64("NaT"), None),
    ("moment", pd.NA, None),
    ("day", np.datetime64("2026-01-02"), dt.date(2026, 1, 2)),
    ("day", pd.Timestamp("2026-01-02"), dt.date(2026, 1, 2)),
    ("span", np.timedelta64(5, "s"), dt.timedelta(seconds=5)),
    ("span", pd.Timedelta(seconds=5), dt.timedelta(seconds=5)),
    ("span", pd.NaT, None),
    ("numbers", np.array([1, LARGE]), [1, LARGE]),
    ("numbers", pd.Series([1, LARGE]), [1, LARGE]),
    ("anything", np.int64(LARGE), LARGE),
    ("anything", np.bool_(False), False),
    ("anything", np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    ("anything", {"a": [np.int64(LARGE), pd.NaT]}, {"a": [LARGE, None]}),
    ("anything", [pd.Timestamp(MOMENT)], [MOMENT]),
    ("count", np.int64(7), 7),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "expected"), VALUES, ids=repr)
def test_a_value_is_stored_as_pythons(name: str, value: Any, expected: Any) -> None:
    made, assigned, updated = Measured(**{name: value}), Measured(), Measured()
    Measured.persist_many([assigned, updated])
    setattr(assigned, name, value)
    made.persist()
    assigned.persist()
    Measured.filter(fld["id"] == updated.id).update({name: value})
    updated.reload()
    for measured in (made, assigned, updated):
        found = Measured.from_id(measured.id)
        assert getattr(measured, name) == getattr(found, name) == expected
        assert isinstance(getattr(found, name), type(expected))
        assert measured.persist() is False
    assert Measured.filter(fld[name] == value).count() >= 3


def test_a_missing_value_needs_a_field_that_may_be_none() -> None:
    with pytest.raises(ValidationError):
        Measured(needed=pd.NaT)
    measured = Measured()
    with pytest.raises(ValidationError):
        measured.needed = pd.NaT
    with pytest.raises(ValidationError):
        measured.number = np.int64(3) + 0.5  # type: ignore[assignment]
    assert (measured.needed, measured.number) == (MOMENT, 0)


def test_ids_and_operators() -> None:
    @lm.declare_persist_db("shop", "numbered")
    class Numbered(lm.PersistableBase):
        id: int
        number: int = 0
        numbers: list[int] = []

    Numbered(id=np.int64(LARGE)).persist()  # type: ignore[arg-type]
    assert Numbered.from_id(np.int64(LARGE)) is not None
    assert Numbered.from_id(np.int64(LARGE - 1)) is None
    two: Any = np.int64(2)
    Numbered.filter().update(
        {"$inc": {"number": two}, "$push": {"numbers": {"$each": [two, two], "$slice": -two}}}
    )
    assert Numbered.filter(lm.raw({"number": two, "numbers": [two, two]})).count() == 1
    Numbered.filter().update({"$pull": {"numbers": {"$gte": two}}})
    stages = lm.AggregationStages().add_fields(sum={"$add": ["$number", two]})
    assert Numbered.agg(stages).load_many()[0]["sum"] == 4


class Celsius(np.float64):
    """A user's own class, which belongs to neither library."""


def test_fields_of_the_librarys_own_types_keep_them() -> None:
    class Holder(lm.PersistableBase):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        array: np.ndarray[Any, Any] | None = None
        stamp: pd.Timestamp | None = None
        degrees: float = 0

    array, stamp = np.array([1]), pd.Timestamp(MOMENT)
    holder = Holder(array=array, stamp=stamp, degrees=Celsius(3))
    assert holder.array is array
    assert holder.stamp is stamp
    holder.stamp = stamp + pd.Timedelta(1, "D")
    assert type(holder.stamp) is pd.Timestamp
