# Generated from tests/aio/test_records.py by `nox -s sync`: edit that file.
"""Dataclasses and `TypedDict`s in documents, in each way of writing them."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

import loom_sync as lm
from loom_sync import fld
from tests.sync.ways_of_saving import WAYS, Save

pytestmark = pytest.mark.usefixtures("db")

T = TypeVar("T")
LONG = dt.timedelta(days=1, seconds=1)
each_way = pytest.mark.parametrize("save", WAYS)


@dataclass
class Box(Generic[T]):
    value: T


@dataclass
class LabelledBox(Box[T]):
    label: str = ""


@dataclass
class Counting:
    n: int
    twice: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.n += 1
        self.twice = self.n * 2


@dataclass
class Swapped:
    a: Annotated[int, lm.StoredName("b")] = 1
    b: Annotated[dt.timedelta, lm.StoredName("a")] = LONG


class Times(TypedDict, extra_items=dt.timedelta):
    number: int


class Delays(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, dt.timedelta]

    key: Annotated[int, lm.StoredName("k")] = 0


@lm.declare_persist_db("shop", "parcels")
class Parcel(lm.PersistableBase):
    box: Box[dt.timedelta] = Box(LONG)
    boxes: list[Box[dt.timedelta]] = []
    counting: Counting = Counting(0)
    swapped: Swapped = Swapped()
    times: Times = {"number": 1, "more": LONG}
    delays: Delays = Delays()


def parcel(**values: Any) -> Parcel:
    delays: Any = {"customs": LONG}
    return Parcel(counting=Counting(0), boxes=[Box(LONG)], **{"delays": delays, **values})


@each_way
def test_records_are_loaded_as_they_are_stored(save: Save) -> None:
    documents = [parcel(), parcel()]
    expected = [repr(document) for document in documents]
    save(documents)
    for _ in range(2):
        assert [repr(document) for document in documents] == expected
        loaded = Parcel.filter().sort("id").load_many()
        assert sorted(map(repr, loaded)) == sorted(expected)
        assert [document.counting.n for document in loaded] == [1, 1]
        save(loaded)
    for document in documents:
        document.box.value = document.delays.customs = 2 * LONG  # type: ignore[attr-defined]
        document.counting.n += 5
        document.swapped.a, document.swapped.b = 7, 3 * LONG
        document.times["more"] = 3 * LONG  # type: ignore[literal-required]
    save(documents)
    loaded = Parcel.filter().load_many()
    assert sorted(map(repr, loaded)) == sorted(map(repr, documents))
    assert {(document.counting.n, document.counting.twice) for document in loaded} == {(6, 2)}


@each_way
def test_records_that_would_change_are_refused(save: Save) -> None:
    stored = parcel()
    stored.persist()
    stored.boxes.append(LabelledBox(LONG, "x"))
    labelled = parcel(box=LabelledBox(LONG, "x"))
    for document in (labelled, parcel(delays={"key": 1, "k": LONG}), stored):
        with pytest.raises((lm.EncodingError, lm.BulkError)) as caught:
            save([document])
        found = str(caught.value)
        assert "a LabelledBox would load as a Box" in found or "cannot be named 'k'" in found
    assert Parcel.filter().count() == 1
    assert len(Parcel.filter().load_one().boxes) == 1  # type: ignore[union-attr]


def test_updates_and_queries_of_records() -> None:
    document = parcel()
    document.persist()
    Parcel.filter().update({"box": Box(2 * LONG), "swapped.a": 5, "swapped.b": 2 * LONG})
    document.reload()
    assert document.box == Box(2 * LONG)
    assert document.swapped == Swapped(5, 2 * LONG)
    for condition in (
        fld["box.value"] == 2 * LONG,
        fld["swapped.a"] == 5,
        fld["swapped.b"] == 2 * LONG,
        fld["swapped"] == Swapped(5, 2 * LONG),
        fld["times.more"] == LONG,
        fld["delays.customs"] == LONG,
    ):
        assert Parcel.filter(condition).count() == 1
    for validate in (True, False):
        with pytest.raises(lm.LoomError, match="a LabelledBox would load as a Box"):
            Parcel.filter().update({"box": LabelledBox(LONG, "x")}, validate=validate)
