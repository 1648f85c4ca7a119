# Generated from tests/aio/test_ledger.py by `nox -s sync`: edit that file.
"""Ledgers and time series: each write inserts a document, and none is changed."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any
from uuid import UUID, uuid4

import pyarrow as pa
import pytest
from pydantic import Field

import loom_sync as lm
from loom_sync.collections.find import collection_of

pytestmark = pytest.mark.usefixtures("db")
fld = lm.fld
NOON = dt.datetime(2020, 5, 1, 12, tzinfo=dt.UTC)


@lm.declare_persist_db("bank", "rates")
class Rate(lm.LedgerModel):
    currency: str
    percent: float = 0


@lm.declare_persist_db("lab", "readings")
@lm.declare_timeseries(metakey="sensor_id", granularity="minutes", ttl=86400 * 7300)
class Reading(lm.TimeSeriesLedgerModel):
    sensor_id: str
    celsius: float


def test_each_persist_inserts_a_new_document() -> None:
    rate = Rate(currency="CZK", percent=1)
    ids: list[Any] = []
    times: list[dt.datetime] = []
    for percent in (1, 2, 2):
        rate.percent = percent
        assert rate.persist()
        ids.append(rate.id)
        times.append(rate.recorded_at)
    assert len(set(ids)) == 3
    assert times == sorted(times)
    stored = Rate.filter().sort("id").load_many()
    assert [version.id for version in stored] == ids
    assert [version.percent for version in stored] == [1, 2, 2]
    assert stored[2] == rate


def test_history_is_in_order() -> None:
    rate, other = Rate(currency="CZK"), Rate(currency="EUR")
    assert rate.history() == []
    with lm.config_context(clock=lambda: NOON):  # equal times: the ids decide
        for percent in range(4):
            rate.percent = percent
            Rate.persist_many([rate, other])
    assert [version.percent for version in rate.history()] == [0, 1, 2]
    (first, *_) = rate.history()
    assert first.history() == []
    first.percent = 9
    first.persist()
    assert [version.percent for version in first.history()] == [0, 1, 2, 3]
    assert Rate.filter().count() == 9


def test_a_loaded_object_is_persisted_as_a_new_document() -> None:
    Rate(currency="CZK", percent=1).persist()
    loaded = Rate.filter().load_one()
    assert loaded is not None
    old = loaded.id
    assert loaded.persist()
    assert loaded.id != old
    assert loaded.reload().percent == 1
    assert Rate.filter().count() == 2


def test_updates_and_deletions_raise(caplog: pytest.LogCaptureFixture) -> None:
    rate = Rate(currency="CZK")
    rate.persist()
    frame: Any = pa.table({"currency": ["CZK"], "percent": [3.0]})
    calls = [
        lambda: rate.delete(),
        lambda: Rate.filter().delete(),
        lambda: Rate.filter().update(percent=3),
        lambda: Rate.update_dataframe(frame, on=["currency"]),
        lambda: Rate.insert_dataframe(frame, on_duplicate="replace"),
        lambda: Rate.filter().out(Rate),
        lambda: Rate.filter().merge_into(Rate),
    ]
    for call in calls:
        with pytest.raises(lm.LedgerIsAppendOnly, match="is a ledger"):
            call()
    assert Rate.filter().load_many() == [rate]
    duplicate = Rate(id=rate.id, currency="x")
    with pytest.raises(lm.DuplicateKey):
        duplicate.persist()
    Rate.insert_dataframe(frame)
    Rate.filter().merge_into(Rate, when_matched="keepExisting")
    assert Rate.filter().count() == 2


def test_ids_of_other_types() -> None:
    @lm.declare_persist_db("bank", "with_uuids")
    class WithUuid(lm.LedgerModel):
        id: UUID = Field(default_factory=uuid4)

    @lm.declare_persist_db("bank", "with_numbers")
    class WithNumber(lm.LedgerModel):
        id: int

    entry = WithUuid()
    entry.persist()
    entry.persist()
    assert len(entry.history()) == 1
    number = WithNumber(id=1)
    number.persist()
    with pytest.raises(lm.ConfigurationError, match="default_factory"):
        number.persist()
    assert WithNumber.filter().count() == 1


def test_an_aborted_transaction_restores_the_id() -> None:
    rate = Rate(currency="CZK")
    rate.persist()
    first = rate.id
    with pytest.raises(ZeroDivisionError), lm.transaction():
        rate.persist()
        raise ZeroDivisionError
    assert rate.id == first
    assert Rate.filter().count() == 1


def test_history_has_an_index() -> None:
    Rate(currency="CZK").persist()
    names = set(collection_of(Rate).index_information())
    assert names == {"_id_", "lineage_1_recorded_at_1"}
    assert not Rate.sync_indexes(drop=True)


def test_a_native_time_series() -> None:
    assert Reading.create_collection() is True
    assert Reading.create_collection() is False
    now, old = Reading(sensor_id="a", celsius=1), Reading(sensor_id="a", celsius=2)
    old.updated_time = NOON
    now.persist()
    Reading.persist_many([old, Reading(sensor_id="b", celsius=3, updated_time=NOON)])
    assert [r.celsius for r in Reading.filter(fld["updated_time"] == NOON).load_many()] == [
        2, 3
    ]  # fmt: skip
    assert now.updated_time is not None
    assert now.updated_time > NOON
    first = now.updated_time
    now.persist()
    assert now.updated_time >= first
    assert Reading.filter(fld["sensor_id"] == "a").count() == 3
    collection = collection_of(Reading)
    (info,) = (collection.database.list_collections(filter={"name": "readings"})).to_list()
    assert info["type"] == "timeseries"
    series = info["options"]["timeseries"]
    assert (series["timeField"], series["metaField"]) == ("updated_time", "sensor_id")
    assert series["granularity"] == "minutes"
    assert info["options"]["expireAfterSeconds"] == 86400 * 7300
    with pytest.raises(lm.LedgerIsAppendOnly):
        Reading.filter().delete()
    table: Any = pa.table({"sensor_id": ["c"], "celsius": [1.5], "updated_time": [NOON]})
    Reading.insert_dataframe(table)
    loaded = Reading.filter(fld["sensor_id"] == "c").load_table()
    assert loaded.column("updated_time").to_pylist() == [NOON]


def test_the_collection_is_created_on_first_use() -> None:
    Reading(sensor_id="a", celsius=1).persist()
    collection = collection_of(Reading)
    (info,) = (collection.database.list_collections(filter={"name": "readings"})).to_list()
    assert info["type"] == "timeseries"
    with pytest.raises(lm.OperationFailed, match="time series"), lm.transaction():
        Reading(sensor_id="a", celsius=1).persist()


def test_a_different_collection_exists(caplog: pytest.LogCaptureFixture) -> None:
    @lm.declare_timeseries(metakey="other", ttl=5)
    @lm.declare_persist_db("lab", "readings")
    class Other(lm.TimeSeriesLedgerModel):
        other: str

    @lm.declare_timeseries(metakey="sensor_id", ttl=5)
    @lm.declare_persist_db("lab", "readings")
    class Shorter(lm.TimeSeriesLedgerModel):
        sensor_id: str

    @lm.declare_persist_db("lab", "plain")
    class Plain(lm.Persistable):
        pass

    @lm.declare_timeseries()
    @lm.declare_persist_db("lab", "plain")
    class Series(lm.TimeSeriesLedgerModel):
        pass

    Reading.create_collection()
    with pytest.raises(lm.ConfigurationError, match="metaField 'sensor_id', and is declared"):
        Other(other="x").persist()
    with caplog.at_level(logging.WARNING, logger="loom"):
        Shorter(sensor_id="x").persist()
    assert "expireAfterSeconds" in caplog.text
    assert Plain.create_collection()
    with pytest.raises(lm.ConfigurationError, match="is not a time series"):
        Series().persist()


def test_invalid_declarations() -> None:
    class Model(lm.TimeSeriesLedgerModel):
        sensor: str
        count: int = 0

    for arguments, reason in (
        ({"ttl": 0}, "whole number of seconds"),
        ({"ttl": 1.5}, "whole number of seconds"),
        ({"ttl": 2**31}, "whole number of seconds"),
        ({"ttl": True}, "whole number of seconds"),
        ({"granularity": "days"}, "no granularity 'days'"),
        ({"timefield": "count"}, "holds no datetime"),
        ({"metakey": "updated_time"}, "cannot be the metakey"),
        ({"metakey": "id"}, "cannot be the metakey"),
    ):
        with pytest.raises(lm.ConfigurationError, match=reason):
            lm.declare_timeseries(**arguments)(Model)  # type: ignore[arg-type]
    for arguments in ({"metakey": "senser"}, {"timefield": "at"}):
        with pytest.raises(lm.UnknownFieldError, match=r"of Model: it has no field"):
            lm.declare_timeseries(**arguments)(Model)
    with pytest.raises(lm.ConfigurationError, match="not a TimeSeriesLedgerModel"):
        lm.declare_timeseries()(lm.Persistable)
    assert lm.declare_timeseries(ttl=dt.timedelta(days=1))(Model) is Model
