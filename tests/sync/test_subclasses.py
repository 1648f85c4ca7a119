# Generated from tests/aio/test_subclasses.py by `nox -s sync`: edit that file.
"""A subclass has the collection of its base only if a tag tells their documents apart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import pandas as pd
import pytest

import loom_sync as lm
from loom_sync.collections.find import collection_of

pytestmark = pytest.mark.usefixtures("db")
fld = lm.fld
T = TypeVar("T")


class Named(lm.Persistable):
    """An abstract base, which has no collection."""

    name: str = ""


@lm.declare_persist_db("shop", "items", index=[lm.Index("name", unique=True)])
class Item(Named):
    price: float = 0


class Book(Item):
    pages: int = 0


@lm.declare_persist_db("shop", "own_items", index=[lm.Index("price")])
class OwnItem(Book): ...


@lm.declare_persist_db("shop", "boxes")
class Box(lm.Persistable, Generic[T]):
    content: T


class IntBox(Box[int]): ...


@lm.declare_persist_db("shop", "rates")
class Rate(lm.LedgerModel):
    percent: float = 0


class Discount(Rate): ...


@lm.declare_persist_db("shop", "readings")
@lm.declare_timeseries(metakey="sensor")
class Reading(lm.TimeSeriesLedgerModel):
    sensor: str = ""


class Outdoor(Reading): ...


@lm.declare_persist_db("shop", "outdoor")
class OwnReading(Outdoor): ...


@lm.declare_persist_db("shop", "reports")
class Report(lm.BlobModel): ...


class Monthly(Report): ...


@lm.declare_persist_db("shop", "own_reports")
class OwnReport(Monthly): ...


def _watch() -> None:
    with Book.watch() as changes:
        next(changes)


def _stream() -> list[Book]:
    return list(Book.filter().stream())


OPERATIONS: dict[str, Callable[[], Any]] = {
    "persist": lambda: Book(name="b").persist(),
    "insert": lambda: Book(name="b").insert(),
    "reload": lambda: Book(name="b").reload(),
    "delete an object": lambda: Book(name="b").delete(),
    "from_id": lambda: Book.from_id("64b0000000000000000000aa"),
    "persist_many": lambda: Book.persist_many([Book(name="b")]),
    "persist_many of the base": lambda: Item.persist_many([Item(name="a"), Book(name="b")]),
    "load_many": lambda: Book.filter().load_many(),
    "load_one": lambda: Book.filter(lambda b: b.pages > 1).load_one(),
    "stream": _stream,
    "count": lambda: Book.filter().count(),
    "exists": lambda: Book.filter().exists(),
    "distinct": lambda: Book.filter().distinct("name"),
    "explain": lambda: Book.filter().explain(),
    "page": lambda: Book.filter().page(3),
    "update": lambda: Book.filter().update(pages=1),
    "delete": lambda: Book.filter().delete(),
    "agg": lambda: Book.agg(lm.AggregationStages().count("n")).load_many(),
    "lookup": lambda: _looked_up().load_many(),
    "merge_into": lambda: Item.filter().merge_into(Book),
    "out": lambda: Item.filter().out(Book),
    "watch": _watch,
    "load_table": lambda: Book.filter().load_table(),
    "load_dataframe": lambda: Book.filter().load_dataframe(),
    "aggregate_arrow": lambda: Book.aggregate_arrow([]),
    "insert_dataframe": lambda: Book.insert_dataframe(pd.DataFrame({"name": ["b"]})),
    "update_dataframe": lambda: Book.update_dataframe(pd.DataFrame({"name": ["b"]}), on=["name"]),
    "get_db_collection": lambda: Book.get_db_collection(),
    "get_db": lambda: Book.get_db(),
    "sync_indexes": lambda: Book.sync_indexes(),
    "create_collection": lambda: Book.create_collection(),
    "ensure_validator": lambda: Book.ensure_validator(),
    "of a generic class": lambda: IntBox(content=1).persist(),
    "of a ledger": lambda: Discount().persist(),
    "of a time series": lambda: Outdoor().persist(),
    "of a blob": lambda: Monthly().write_from(b"x"),
    "delete blobs": lambda: Monthly.filter().delete(),
}


def _looked_up() -> Any:
    return Item.filter().lookup(Book, local_field="name", foreign_field="name")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_subclass_without_a_declaration_has_no_operations(operation: str) -> None:
    item = Item(name="a")
    item.persist()
    with pytest.raises(lm.ConfigurationError, match=r"is a subclass of \w+ and was not") as caught:
        OPERATIONS[operation]()
    assert "discriminator" in str(caught.value.hint)
    assert Item.filter().load_many() == [item]


def test_a_subclass_with_a_declaration_inherits_the_indexes() -> None:
    OwnItem(name="a", pages=3).persist()
    with pytest.raises(lm.DuplicateKey):
        OwnItem(name="a").persist()
    assert {"name_1", "price_1"} < collection_of(OwnItem).index_information().keys()
    assert Item.filter().count() == 0
    assert not OwnItem.sync_indexes(drop=True)


def test_generic_classes_with_arguments_share_a_collection() -> None:
    Box[int](content=1).persist()
    Box[str](content="a").persist()
    assert [box.content for box in Box[str].filter(fld["content"] == "a").load_many()] == ["a"]
    assert Box.filter().count() == 2


def test_series_and_blobs_of_a_declared_subclass() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    OwnReading(sensor="a", updated_time=moment).persist()
    options = collection_of(OwnReading).options()
    assert options["timeseries"]["metaField"] == "sensor"
    assert Reading.filter().count() == 0
    report = OwnReport()
    report.write_from(b"all is well")
    with report.open_read() as stream:
        assert stream.read() == b"all is well"
    assert OwnReport.filter().delete() == 1
