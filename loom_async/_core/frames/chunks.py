"""Frames of every library as chunks of rows, in columns of Python objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..optional_libraries import library
from .results import FrameError, RowError, refused

# Rows of one chunk: what is checked before any of it is sent.
ROWS = 5_000


@dataclass(frozen=True)
class Chunk:
    """Some rows of a frame, one after another.

    Parameters:
        start: The place of the first in the frame.
        columns: The values of each column.
        count: How many rows.
    """

    start: int
    columns: dict[str, list[Any]]
    count: int


def chunks_of(frame: Any) -> Iterator[Chunk]:
    """Yield the rows of a frame.

    Parameters:
        frame: A pandas or Polars frame, a pyarrow Table, RecordBatch or RecordBatchReader, or
            whatever narwhals takes.

    Raises:
        FrameError: It is no frame, or a column cannot be read.
    """
    rows = ROWS
    module = type(frame).__module__.partition(".")[0]
    if module == "pandas":
        yield from _pandas(frame, rows)
    elif module == "polars":
        yield from _polars(frame, rows)
    elif module == "pyarrow":
        yield from _arrow(frame, rows)
    else:
        yield from _arrow(_by_narwhals(frame), rows)


def length_of(frame: Any) -> int | None:
    """Return the rows of a frame; None if only reading it tells."""
    try:
        return len(frame)
    except TypeError:
        return None


def _check_names(names: list[str]) -> None:
    double = sorted({str(name) for name in names if names.count(name) > 1})
    if double:
        raise FrameError(
            f"the frame has more than one column {', '.join(double)}",
            columns=double,
            hint="rename all but one",
        )


def _pandas(frame: Any, rows: int) -> Iterator[Chunk]:
    if getattr(frame, "ndim", 0) != 2:
        raise _no_frame(frame)
    named = [name for name in frame.index.names if name is not None and name not in frame.columns]
    if named:
        frame = frame.reset_index(level=named)
    _check_names([str(name) for name in frame.columns])
    for start in range(0, len(frame), rows):
        part = frame.iloc[start : start + rows]
        columns = {str(name): _pandas_values(str(name), part[name]) for name in part.columns}
        yield Chunk(start, columns, len(part))


def _pandas_values(name: str, series: Any) -> list[Any]:
    nulls = series.isna().to_numpy()
    if series.dtype.name == "category":
        series = series.astype(object)
    try:
        if series.dtype.kind == "M":
            values: list[Any] = list(series.dt.to_pydatetime())
        else:
            values = [_plain(value) for value in series.tolist()]
    except (ValueError, OverflowError) as error:
        raise _unreadable(name, error) from error
    for row in nulls.nonzero()[0]:
        values[row] = None
    return values


def _plain(value: Any) -> Any:
    """Return Python's own object for one of numpy's or pandas', which lists of objects may hold."""
    if type(value) is float:
        return None if value != value else value  # NaN, also of Arrow's types, is pandas' null
    if type(value).__module__ == "numpy":
        return value.tolist()
    to_datetime: Any = getattr(value, "to_pydatetime", None)
    return value if to_datetime is None else to_datetime(warn=False)


def _unreadable(name: str, error: BaseException) -> FrameError:
    return FrameError(
        f"the column {name} cannot be read: {error}",
        columns=[name],
        hint="Python's datetime ends with the year 9999; convert the column first",
    )


def _polars(frame: Any, rows: int) -> Iterator[Chunk]:
    if hasattr(frame, "collect"):
        frame = frame.collect()
    if not hasattr(frame, "iter_slices"):
        raise _no_frame(frame)
    start = 0
    for part in frame.iter_slices(rows):
        yield Chunk(start, {c.name: _polars_values(c) for c in part}, len(part))
        start += len(part)


def _polars_values(column: Any) -> list[Any]:
    try:
        values: list[Any] = column.to_list()
    except BaseException as error:
        # Polars panics at what Python cannot hold, and its panic is no Exception.
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise _unreadable(column.name, error) from error
        raise
    return values


def _arrow(frame: Any, rows: int) -> Iterator[Chunk]:
    pa = library("pyarrow")
    if isinstance(frame, pa.RecordBatch):
        frame = pa.table(frame)
    if isinstance(frame, pa.Table):
        frame = frame.to_reader(max_chunksize=rows)
    if not isinstance(frame, pa.RecordBatchReader):
        raise _no_frame(frame)
    _check_names(frame.schema.names)
    start = 0
    for batch in frame:
        for offset in range(0, batch.num_rows, rows):
            part = batch.slice(offset, rows)
            columns = {
                name: _arrow_values(name, column, start)
                for name, column in zip(part.schema.names, part.columns, strict=True)
            }
            yield Chunk(start, columns, part.num_rows)
            start += part.num_rows


def _arrow_values(name: str, column: Any, start: int) -> list[Any]:
    # pyarrow is not needed for frames of pandas.
    from ..arrow.python_objects import to_objects

    arrow_error = library("pyarrow").ArrowException
    try:
        return to_objects(column)
    except (UnicodeDecodeError, arrow_error) as error:
        errors: list[RowError] = []
        for row in range(len(column)):
            try:
                to_objects(column.slice(row, 1))
            except (UnicodeDecodeError, arrow_error):
                errors.append(RowError(start + row, name, "no valid UTF-8"))
        if not errors:
            raise _unreadable(name, error) from error
        raise refused(errors, []) from None
    except (ValueError, OverflowError) as error:
        raise _unreadable(name, error) from error


def _by_narwhals(frame: Any) -> Any:
    narwhals = library("narwhals")
    try:
        native = narwhals.from_native(frame)
        return (native.collect() if hasattr(native, "collect") else native).to_arrow()
    except TypeError:
        raise _no_frame(frame) from None


def _no_frame(frame: Any) -> FrameError:
    return FrameError(
        f"{type(frame).__name__} is no frame",
        hint="give a pandas or Polars frame, a pyarrow Table, RecordBatch or RecordBatchReader, or "
        "a frame that narwhals knows",
    )
