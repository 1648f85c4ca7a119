"""insert_dataframe: frames of every library become documents, and refused rows are named."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import loom_async as lm
from loom_async import fld
from tests.aio.frame_rows import ROWS, Address, Person, Plain, as_pandas, as_table

pytestmark = pytest.mark.usefixtures("db")


FORMS: dict[str, Any] = {
    "pandas": as_pandas,
    "polars": lambda: pl.DataFrame(ROWS),
    "lazy": lambda: pl.DataFrame(ROWS).lazy(),
    "table": as_table,
    "batch": lambda: as_table().to_batches()[0],
    "reader": lambda: as_table().to_reader(),
    "narwhals": lambda: nw.from_native(pl.DataFrame(ROWS)),
}


@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.usefixtures("small_chunks")
async def test_every_form_of_frame(form: str, validate: bool) -> None:
    result = await Person.insert_dataframe(FORMS[form](), validate=validate)
    assert (result.inserted, result.errors) == (3, [])
    people = await Person.filter().sort("id").load_many()
    assert [person.id for person in people] == result.ids
    kept = [person.model_dump(include=set(ROWS[0])) for person in people]
    assert kept == [row | {"email": row["email"].lower()} for row in ROWS]
    assert all(person.created_at == person.updated_time for person in people)
    (document, *_) = await Person.filter().sort("id").load_docs()
    assert document["years"] == 30


@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize("load", ["load_dataframe", "load_polars", "load_table"])
async def test_what_was_loaded_can_be_stored_again(load: str, validate: bool) -> None:
    full = Person(
        name="Dan", email="dan@x.org", price=Decimal("1.50"), key=UUID(int=5),
        address=Address(city="Prague"), age=3,
    )  # fmt: skip
    await Person.persist_many([full, Person(name="Eve", email="eve@x.org")])
    before = await Person.filter().sort("id").load_many()
    frame = await getattr(Person.filter().sort("id"), load)()
    await Person.filter().delete()
    if load == "load_polars" and not validate:
        # Polars has hex digits for ids, which only validation reads.
        frame = frame.drop("_id")
        assert (await Person.insert_dataframe(frame, validate=validate)).inserted == 2
        return
    result = await Person.insert_dataframe(frame, validate=validate)
    assert result.ids == [person.id for person in before]
    after = await Person.filter().sort("id").load_many()
    for person in (*before, *after):
        person.updated_time = before[0].updated_time
    assert after == before


async def test_pandas_peculiarities() -> None:
    frame = pd.DataFrame(
        {
            "a": pd.array([1, None, 3], dtype="Int64"),
            "b": pd.array([1.5, np.nan, np.inf]),
            "c": pd.Categorical(["x", None, "x"]),
            "d": np.array(["2020-01-01T00:00:00.123456", "NaT", "1500-01-01"], "datetime64[us]"),
            "e": [np.array([1, 2]), None, []],
        },
        index=pd.Index([ObjectId() for _ in range(3)], name="_id"),
    )
    for validate in (True, False):
        result = await Plain.insert_dataframe(frame, validate=validate, on_duplicate="replace")
        assert result.ids == list(frame.index)
        assert [d | {"_id": 0} for d in await Plain.filter().sort("id").load_docs()] == [
            {"_id": 0, "a": 1, "b": 1.5, "c": "x", "e": [1, 2],
             "d": dt.datetime(2020, 1, 1, 0, 0, 0, 123000, dt.UTC)},
            {"_id": 0, "a": None, "b": None, "c": None, "d": None, "e": None},
            {"_id": 0, "a": 3, "b": float("inf"), "c": "x", "e": [],
             "d": dt.datetime(1500, 1, 1, tzinfo=dt.UTC)},
        ]  # fmt: skip
    small = pd.DataFrame({"a": np.array([1, 255], np.uint8), "b": np.array([0.5, 1], np.float32)})
    await Plain.insert_dataframe(small)
    assert await Plain.filter(fld["a"] == 255).count() == 1


async def test_empty_frames() -> None:
    for frame in (as_pandas()[:0], pl.DataFrame(), as_table().slice(0, 0), pd.DataFrame()):
        assert await Person.insert_dataframe(frame) == lm.InsertResult(0, [], [])


@pytest.mark.usefixtures("small_chunks")
async def test_refused_rows_are_named_with_what_was_written() -> None:
    rows = [*ROWS, {"name": 5, "email": "e@x", "age": -1}, {"name": "f", "email": "f@x"}]
    rows = [{"tags": []} | row for row in rows]
    frame = pd.DataFrame(rows).astype(object)
    with pytest.raises(lm.FrameError) as caught:
        await Person.insert_dataframe(frame)
    error = caught.value
    assert (error.rows, error.written) == ([3], [range(2)])
    assert [(e.row, e.column) for e in error.errors] == [(3, "name"), (3, "age")]
    assert "row 3, name: Input should be a valid string" in str(error)
    assert "Rows 0 to 1 had been written before" in str(error)
    assert await Person.filter().count() == 2
    await Person.filter().delete()
    result = await Person.insert_dataframe(frame, on_error="skip")
    assert result.inserted == 4
    assert [id is None for id in result.ids] == [False, False, False, True, False]
    assert {e.row for e in result.errors} == {3}


async def test_columns_that_the_model_lacks() -> None:
    with pytest.raises(lm.FrameError, match="no field for the column emial") as caught:
        await Person.insert_dataframe(pd.DataFrame({"name": ["x"], "emial": ["y"]}))
    assert caught.value.columns == ["emial"]
    assert "rename it to email" in str(caught.value)
    with pytest.raises(lm.FrameError, match="age and years are both the field age"):
        await Person.insert_dataframe(pd.DataFrame({"age": [1], "years": [2]}))
    twice = pd.DataFrame([[1, 2]], columns=["name", "name"])
    with pytest.raises(lm.FrameError, match="more than one column name"):
        await Person.insert_dataframe(twice)
    for thing in ([1], "x", None, pd.Series([1])):
        with pytest.raises(lm.FrameError, match="is not a frame"):
            await Person.insert_dataframe(thing)
    assert await Person.filter().count() == 0


@pytest.mark.parametrize("validate", [True, False])
async def test_values_that_cannot_be_stored(validate: bool) -> None:
    frame = pd.DataFrame({"a": [1, 2**63], "c": ["a\0b", "x"]})
    with pytest.raises(lm.FrameError, match="row 1, a: ") as caught:
        await Plain.insert_dataframe(frame, validate=validate)
    assert caught.value.rows == [1]
    assert await Plain.filter().count() == 0
    await Plain.insert_dataframe(frame[:1], validate=validate)
    assert (await Plain.filter().load_docs())[0]["c"] == "a\0b"


async def test_text_that_is_no_utf8() -> None:
    raw = pa.array([b"ok", b"\xff"], pa.binary())
    broken = pa.StringArray.from_buffers(2, raw.buffers()[1], raw.buffers()[2])
    with pytest.raises(lm.FrameError, match="row 1, c: no valid UTF-8"):
        await Plain.insert_dataframe(pa.table({"c": broken}))
    assert await Plain.filter().count() == 0


async def test_duplicates() -> None:
    first = ObjectId()
    frame = pd.DataFrame({"_id": [first, ObjectId()], "a": [1, 2]})
    await Plain.insert_dataframe(frame[1:])
    with pytest.raises(lm.FrameError) as caught:
        await Plain.insert_dataframe(frame.assign(a=[5, 6]))
    assert (caught.value.rows, caught.value.columns) == ([1], ["_id"])
    assert caught.value.written == [range(1)]
    ignored = await Plain.insert_dataframe(frame.assign(a=[7, 8]), on_duplicate="ignore")
    assert ignored == lm.InsertResult(0, list(frame["_id"]), [])
    replaced = await Plain.insert_dataframe(frame.assign(a=[9, 10]), on_duplicate="replace")
    assert replaced.inserted == 2
    assert [p.a for p in await Plain.filter().sort("a").load_many()] == [9, 10]
    skipped = await Plain.insert_dataframe(frame, on_error="skip")
    assert (skipped.inserted, [e.row for e in skipped.errors]) == (0, [0, 1])


async def test_the_same_id_twice_in_a_frame() -> None:
    id = ObjectId()
    with pytest.raises(lm.FrameError, match="row 0 has the id") as caught:
        await Plain.insert_dataframe(pd.DataFrame({"_id": [id, id], "a": [1, 2]}))
    assert caught.value.rows == [1]
    assert await Plain.filter().count() == 0


async def test_duplicates_of_another_unique_field() -> None:
    await Person.insert_dataframe(as_pandas())
    with pytest.raises(lm.FrameError) as caught:
        await Person.insert_dataframe(as_pandas()[2:])
    assert (caught.value.rows, caught.value.columns) == ([0], ["email"])
    ignored = await Person.insert_dataframe(as_pandas(), on_duplicate="ignore")
    assert ignored == lm.InsertResult(0, [None] * 3, [])


async def test_progress(capsys: pytest.CaptureFixture[str]) -> None:
    await Person.insert_dataframe(as_pandas(), progress=True)
    assert "insert Person: 100%" in capsys.readouterr().err
    with lm.config_context(progress=True):
        await Person.update_dataframe(as_pandas(), on=["email"])
    assert "update Person: 100%" in capsys.readouterr().err
    await Person.update_dataframe(as_pandas(), on=["email"])
    assert capsys.readouterr().err == ""


VALUES = {
    "a": st.none() | st.integers(-(2**63), 2**63 - 1),
    "b": st.none() | st.floats(allow_nan=False),
    "c": st.none() | st.text(st.characters(codec="utf-8"), max_size=5),
    "d": st.none() | st.datetimes(dt.datetime(1500, 1, 1), timezones=st.just(dt.UTC)).map(
        lambda d: d.replace(microsecond=d.microsecond // 1000 * 1000)
    ),
    "e": st.none() | st.lists(st.integers(-5, 5), max_size=3),
}  # fmt: skip
SCHEMA = pa.schema(
    [
        ("a", pa.int64()), ("b", pa.float64()), ("c", pa.string()),
        ("d", pa.timestamp("ms", "UTC")), ("e", pa.list_(pa.int64())),
    ]
)  # fmt: skip


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=5), form=st.integers(0, 2))
async def test_any_frame_comes_back(rows: list[dict[str, Any]], form: int) -> None:
    await Plain.filter().delete()
    table = pa.Table.from_pylist(rows, SCHEMA)
    frame = [table, pl.from_arrow(table), table.to_pandas(types_mapper=pd.ArrowDtype)][form]
    result = await Plain.insert_dataframe(frame)
    found = {p.id: p.model_dump(exclude={"id"}) for p in await Plain.filter().load_many()}
    assert [found[id] for id in result.ids] == rows
    stored = await Plain.filter().sort("id").load_table()
    assert stored.select(SCHEMA.names).to_pylist() == rows


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("on_duplicate", ["raise", "ignore", "replace"])
async def test_the_same_id_in_two_chunks(on_duplicate: Any) -> None:
    ids = [ObjectId(), ObjectId()]
    frame = pd.DataFrame({"_id": [*ids, ids[0]], "a": [1, 2, 3]})
    with pytest.raises(lm.FrameError, match="row 0 has the id") as caught:
        await Plain.insert_dataframe(frame, on_duplicate=on_duplicate)
    assert (caught.value.rows, caught.value.written) == ([2], [range(2)])
    assert [p.a for p in await Plain.filter().sort("a").load_many()] == [1, 2]


async def test_ignored_rows_have_the_ids_that_are_there() -> None:
    there, other = ObjectId(), ObjectId()
    await Person.insert_dataframe(pd.DataFrame({"_id": [there], "name": ["a"], "email": ["a"]}))
    frame = pd.DataFrame({"_id": [there, other], "name": ["b", "c"], "email": ["b", "a"]})
    result = await Person.insert_dataframe(frame, on_duplicate="ignore")
    assert result == lm.InsertResult(0, [there, None], [])


async def test_an_index_with_a_name_is_a_column() -> None:
    frame = pd.DataFrame({"a": [1]}, index=pd.Index(["x"], name="c"))
    await Plain.insert_dataframe(frame)
    assert (await Plain.filter().load_docs())[0]["c"] == "x"
    both = pd.MultiIndex.from_tuples([(ObjectId(), "y")], names=["_id", "c"])
    result = await Plain.insert_dataframe(pd.DataFrame({"a": [1]}, index=both))
    assert result.ids == [both[0][0]]
    odd = pd.DataFrame({"a": [1]}, index=pd.Index([1], name="unknown"))
    with pytest.raises(lm.FrameError, match="no field for the column unknown"):
        await Plain.insert_dataframe(odd)


async def test_nan_and_categories_of_pandas() -> None:
    frame = pd.DataFrame(
        {
            "a": pd.Categorical([14, None]),
            "b": pd.array(pa.array([float("nan"), 1.0]), dtype=pd.ArrowDtype(pa.float64())),
        }
    )
    await Plain.insert_dataframe(frame)
    found = await Plain.filter().sort("id").load_many()
    assert [(p.a, p.b) for p in found] == [(14, None), (None, 1.0)]


async def test_documents_that_are_too_large() -> None:
    frame = pl.DataFrame({"a": [1, 2], "c": ["x" * 17_000_000, "y"]})
    with pytest.raises(lm.FrameError, match=r"row 0: .*MongoDB holds 16 MB"):
        await Plain.insert_dataframe(frame)
    for validate in (True, False):
        result = await Plain.insert_dataframe(frame, on_error="skip", validate=validate)
        assert (result.inserted, [e.row for e in result.errors]) == (1, [0])
    keyed = frame.with_columns(a=pl.Series([2, 3]))
    result = await Plain.update_dataframe(keyed, on=["a"], on_error="skip")
    assert [e.row for e in result.errors] == [0]


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("refused", [{"email": "e@x", "years": -1}, {"email": "0@x", "years": 1}])
async def test_a_failed_transaction_takes_all_rows_back(refused: dict[str, Any]) -> None:
    """The last row is refused: by the model, or by the unique index."""
    rows = [{"name": "Ann", "email": f"{n}@x", "years": n} for n in range(4)]
    frame = pd.DataFrame([*rows, {"name": "Ann"} | refused])
    await Person.create_collection()
    with pytest.raises(lm.FrameError, match="Nothing was written") as refusal:
        async with lm.transaction():
            await Person.insert_dataframe(frame)
    assert refusal.value.written == []
    assert await Person.filter().count() == 0


@pytest.mark.usefixtures("small_chunks")
async def test_what_fails_in_the_frame_itself_says_what_was_written() -> None:
    def broken() -> Any:
        yield from pa.table({"a": [1, 2]}).to_batches()
        yield from pa.table({"a": [3, 4]}).to_batches()
        raise RuntimeError("disk")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int64())]), broken())
    with pytest.raises(RuntimeError, match="disk") as caught:
        await Plain.insert_dataframe(reader)
    assert caught.value.__notes__ == ["Rows 0 to 3 had been written before"]
    assert await Plain.filter().count() == 4


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
async def test_times_that_python_lacks(make: Any) -> None:
    times = np.array(["12000-01-01"], "datetime64[ms]")
    with pytest.raises(lm.FrameError, match="d cannot be read"):
        await Plain.insert_dataframe(make({"d": times}))


async def test_values_of_another_type_without_validation() -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "email": ["x", 5]})
    result = await Person.insert_dataframe(frame, validate=False, on_error="skip")
    assert (result.inserted, [(e.row, e.column) for e in result.errors]) == (1, [(1, "email")])


async def test_settings_of_the_caller_hold_for_its_frames() -> None:
    moment = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
    with lm.config_context(clock=lambda: moment):
        await Person.insert_dataframe(as_pandas())
    assert {person.created_at for person in await Person.filter().load_many()} == {moment}
