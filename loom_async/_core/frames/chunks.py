"""Reads frames of every library in chunks of 5,000 rows, as columns of Python objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..optional_libraries import library
from .results import FrameError, RowError, rows_refused

#: The rows of a chunk, all of which are checked before any of them is sent.
ROWS = 5_000


@dataclass(frozen=True)
class Chunk:
    """Some consecutive rows of a frame.

    Parameters:
        start: The index of the first row in the frame.
        columns: The values of each column.
        count: How many rows there are.
    """

    start: int
    columns: dict[str, list[Any]]
    count: int


def chunks_of(frame: Any) -> Iterator[Chunk]:
    """Yield the rows of a frame in chunks.

    Parameters:
        frame: A pandas or Polars frame, a pyarrow Table, RecordBatch or RecordBatchReader, or a
            frame that narwhals supports.

    Raises:
        FrameError: `frame` is not a frame, or a column cannot be read.
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


def row_count(frame: Any) -> int | None:
    """Return how many rows a frame has; None if it has to be read to know."""
    try:
        return len(frame)
    except TypeError:
        return None


def _check_names(names: list[str]) -> None:
    repeated = sorted({str(name) for name in names if names.count(name) > 1})
    if repeated:
        raise FrameError(
            f"the frame has more than one column {', '.join(repeated)}",
            columns=repeated,
            hint="rename all but one",
        )


def _pandas(frame: Any, rows: int) -> Iterator[Chunk]:
    if getattr(frame, "ndim", 0) != 2:
        raise _not_a_frame(frame)
    levels = [name for name in frame.index.names if name is not None and name not in frame.columns]
    if levels:
        frame = frame.reset_index(level=levels)
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
            values = [_python_object(value) for value in series.tolist()]
    except (ValueError, OverflowError) as error:
        raise _unreadable(name, error) from error
    for row in nulls.nonzero()[0]:
        values[row] = None
    return values


def _python_object(value: Any) -> Any:
    """Return a value of a column as a Python object; columns of objects may hold numpy's."""
    if type(value) is float:
        return None if value != value else value  # pandas' null is NaN, also in Arrow types
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
        raise _not_a_frame(frame)
    start = 0
    for part in frame.iter_slices(rows):
        yield Chunk(start, {c.name: _polars_values(c) for c in part}, len(part))
        start += len(part)


def _polars_values(column: Any) -> list[Any]:
    try:
        values: list[Any] = column.to_list()
    except BaseException as error:
        # Polars panics at values that Python cannot hold, and PanicException is no Exception.
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
        raise _not_a_frame(frame)
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
    # Imported here: pandas frames do not need pyarrow.
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
        raise rows_refused(errors, []) from None
    except (ValueError, OverflowError) as error:
        raise _unreadable(name, error) from error


def _by_narwhals(frame: Any) -> Any:
    narwhals = library("narwhals")
    try:
        native = narwhals.from_native(frame)
        return (native.collect() if hasattr(native, "collect") else native).to_arrow()
    except TypeError:
        raise _not_a_frame(frame) from None


def _not_a_frame(frame: Any) -> FrameError:
    return FrameError(
        f"{type(frame).__name__} is not a frame",
        hint="pass a pandas or Polars frame, a pyarrow Table, RecordBatch or RecordBatchReader, or "
        "a frame that narwhals supports",
    )
