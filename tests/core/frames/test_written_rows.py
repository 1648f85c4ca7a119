"""Errors say which rows had been written before."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_async._core.frames.results import FrameError, RowError, rows_refused
from loom_async._core.frames.written_rows import WrittenRows, ranges_of


@given(st.sets(st.integers(0, 50)), st.integers(0, 50))
def test_ranges_hold_exactly_their_rows(rows: set[int], split: int) -> None:
    before = ranges_of(sorted(row for row in rows if row < split))
    ranges = ranges_of(sorted(row for row in rows if row >= split), before)
    assert [row for found in ranges for row in found] == sorted(rows)
    assert all(a.stop < b.start for a, b in pairwise(ranges))


def test_a_note_names_written_rows() -> None:
    written = WrittenRows()
    written.begin_sending(range(3), lambda: True)
    written.add([0, 2])
    with pytest.raises(OSError, match="disk") as caught, written.reported(bool):
        raise OSError("disk")
    assert caught.value.__notes__ == ["Rows 0, 2 had been written before"]


@pytest.mark.parametrize(
    ("rows", "is_unknown", "note"),
    [
        (range(5, 6), True, "Nothing was written; row 5 was being sent, and may be written"),
        (
            range(9),
            True,
            "Nothing was written; rows 0 to 8 were being sent, and some may be written",
        ),
        (range(9), False, "Nothing was written"),
    ],
)
def test_a_note_names_rows_without_a_reply(rows: range, is_unknown: bool, note: str) -> None:
    written = WrittenRows()
    written.begin_sending(rows, lambda: is_unknown)
    with pytest.raises(OSError, match="lost") as caught, written.reported(bool):
        raise OSError("lost")
    assert caught.value.__notes__ == [note]


def test_frame_errors_get_the_written_rows() -> None:
    written, cause = WrittenRows(), OSError("cause")
    written.add(range(4))
    with pytest.raises(FrameError) as caught, written.reported(bool):
        raise FrameError("unreadable", columns=["a"], hint="convert it") from cause
    error = caught.value
    assert error.message == "unreadable. Rows 0 to 3 had been written before"
    assert (error.written, error.columns, error.hint) == ([range(4)], ["a"], "convert it")
    assert error.__cause__ is cause
    with pytest.raises(FrameError) as caught, written.reported(bool):
        raise rows_refused([RowError(5, "b", "too long")], [])
    assert (caught.value.written, caught.value.rows) == ([range(4)], [5])


def test_nothing_is_written_after_a_rollback() -> None:
    written = WrittenRows()
    written.add(range(4))
    written.begin_sending(range(4, 8), lambda: True)
    with pytest.raises(OSError, match="lost") as caught, written.reported(lambda: True):
        raise OSError("lost")
    assert caught.value.__notes__ == ["Nothing was written"]
    assert written.ranges == []


def test_refused_rows_are_named() -> None:
    errors = [RowError(row, "a" if row else "", "bad") for row in range(7)]
    error = rows_refused([*errors, RowError(6, "b", "bad")], [range(1, 2), range(3, 6)])
    assert error.message == (
        "7 rows cannot be stored: row 0: bad; row 1, a: bad; row 2, a: bad; row 3, a: bad; "
        "row 4, a: bad; and 3 more. Rows 1, 3 to 5 had been written before"
    )
    assert (error.rows, error.columns) == ([*range(7)], ["a", "b"])
    assert rows_refused(errors[:1], []).message.startswith("1 row cannot be stored: row 0: bad. ")
