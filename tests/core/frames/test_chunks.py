"""Frames of every library become the same chunks."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from bson import ObjectId

from loom_async._core.arrow.arrow_types import OBJECT_ID_TYPE
from loom_async._core.frames import chunks
from loom_async._core.frames.chunks import Chunk, chunks_of, row_count
from loom_async._core.frames.results import FrameError

COLUMNS: dict[str, list[Any]] = {"n": [1, 2, 3, 4, 5], "text": ["a", None, "c", "d", "e"]}
FORMS: dict[str, Any] = {
    "pandas": lambda: pd.DataFrame(COLUMNS),
    "polars": lambda: pl.DataFrame(COLUMNS),
    "lazy": lambda: pl.DataFrame(COLUMNS).lazy(),
    "table": lambda: pa.table(COLUMNS),
    "batch": lambda: pa.table(COLUMNS).to_batches()[0],
    "reader": lambda: pa.table(COLUMNS).to_reader(),
    "narwhals": lambda: nw.from_native(pl.DataFrame(COLUMNS)),
}


@pytest.fixture(autouse=True)
def two_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "ROWS", 2)


@pytest.mark.parametrize("form", FORMS)
def test_the_chunks_of_a_frame(form: str) -> None:
    assert list(chunks_of(FORMS[form]())) == [
        Chunk(0, {"n": [1, 2], "text": ["a", None]}, 2),
        Chunk(2, {"n": [3, 4], "text": ["c", "d"]}, 2),
        Chunk(4, {"n": [5], "text": ["e"]}, 1),
    ]


def test_row_counts() -> None:
    counts = {form: row_count(make()) for form, make in FORMS.items()}
    assert counts == dict.fromkeys(FORMS, 5) | {"lazy": None, "reader": None, "batch": 5}


def test_record_batches_of_other_sizes() -> None:
    """Chunks do not go beyond a record batch; their rows are counted through."""
    batches = [pa.record_batch({"n": values}) for values in ([1], [2, 3, 4])]
    reader = pa.RecordBatchReader.from_batches(batches[0].schema, batches)
    assert [(c.start, c.columns["n"]) for c in chunks_of(reader)] == [
        (0, [1]), (1, [2, 3]), (3, [4]),
    ]  # fmt: skip


def test_values_of_pandas_are_python_objects() -> None:
    frame = pd.DataFrame(
        {
            "n": np.array([1, 2], np.uint8),
            "x": [float("nan"), 1.5],
            "at": pd.to_datetime(["2020-01-01", None]),
            "kind": pd.Categorical(["a", None]),
            "any": [np.int64(5), pd.Timestamp("2020-01-01")],
        }
    )
    (chunk,) = chunks_of(frame)
    assert chunk.columns == {
        "n": [1, 2], "x": [None, 1.5], "at": [dt.datetime(2020, 1, 1), None],
        "kind": ["a", None], "any": [5, dt.datetime(2020, 1, 1)],
    }  # fmt: skip
    found = [type(value) for values in chunk.columns.values() for value in values]
    assert set(found) == {int, float, str, dt.datetime, type(None)}


def test_index_levels_with_names_are_columns() -> None:
    index = pd.MultiIndex.from_tuples([(1, "x")], names=["_id", None])
    (chunk,) = chunks_of(pd.DataFrame({"n": [5]}, index=index))
    assert chunk.columns == {"_id": [1], "n": [5]}


def test_arrow_types_without_a_python_type() -> None:
    id, key = ObjectId(), UUID(int=5)
    ids = pa.ExtensionArray.from_storage(OBJECT_ID_TYPE, pa.array([id.binary], pa.binary(12)))
    keys = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([key.bytes], pa.binary(16)))
    (chunk,) = chunks_of(pa.table({"_id": ids, "key": keys}))
    assert chunk.columns == {"_id": [id], "key": [key]}


def test_repeated_columns_are_refused() -> None:
    frames = (
        pd.DataFrame([[1, 2]], columns=["n", "n"]),
        pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["n", "n"]),
    )
    for frame in frames:
        with pytest.raises(FrameError, match="more than one column n") as caught:
            list(chunks_of(frame))
        assert caught.value.columns == ["n"]


@pytest.mark.parametrize("thing", [[1], "x", None, pd.Series([1]), pl.Series([1]), pa.array([1])])
def test_other_objects_are_no_frames(thing: Any) -> None:
    with pytest.raises(FrameError, match=f"{type(thing).__name__} is not a frame"):
        list(chunks_of(thing))


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_times_beyond_python_are_refused(make: Any) -> None:
    times = np.array(["12000-01-01"], "datetime64[ms]")
    with pytest.raises(FrameError, match="the column at cannot be read") as caught:
        list(chunks_of(make({"at": times})))
    assert caught.value.columns == ["at"]


def test_text_that_is_not_utf8_is_named_by_row() -> None:
    raw = pa.array([b"a", b"b", b"c", b"\xff"], pa.binary())
    broken = pa.StringArray.from_buffers(4, raw.buffers()[1], raw.buffers()[2])
    with pytest.raises(FrameError) as caught:
        list(chunks_of(pa.table({"text": broken})))
    assert [(e.row, e.column) for e in caught.value.errors] == [(3, "text")]
