"""Merging the edits that two writers made to one value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import loom_async as lm
from loom_async._core.model.codecs import codec_of
from loom_async._core.model.three_way_merge import merged
from loom_async._core.types.codec import ANY
from loom_async._core.types.containers import SetCodec
from loom_async._core.types.scalars import CounterCodec, ScalarCodec


class Hits(BaseModel):
    n: lm.IncrCounter


values = st.recursive(
    st.integers(0, 3) | st.none(),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(values, values)
def test_edits_of_one_writer_are_kept_whole(sent: Any, other: Any) -> None:
    assert merged(ANY, sent, sent, other) == other
    assert merged(ANY, sent, other, sent) == other


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers()),
    st.dictionaries(st.sampled_from("ab"), st.integers() | st.none()),
    st.dictionaries(st.sampled_from("cd"), st.integers() | st.none()),
)
def test_edits_of_different_keys_are_all_kept(
    sent: dict[str, int], mine: dict[str, int | None], theirs: dict[str, int | None]
) -> None:
    """None stands for a key that a writer removes."""

    def edited(*edits: dict[str, int | None]) -> dict[str, int]:
        result: dict[str, Any] = dict(sent)
        for edit in edits:
            result |= edit
        return {key: value for key, value in result.items() if value is not None}

    found = merged(ANY, {"x": sent}, {"x": edited(mine)}, {"x": edited(theirs)})
    assert found == {"x": edited(mine, theirs)}


def test_the_local_edit_wins_where_both_writers_edited_a_key() -> None:
    assert merged(ANY, {"a": 1}, {"a": 2}, {"a": 3}) == {"a": 2}
    assert merged(ANY, {"a": 1}, {}, {"a": 3}) == {}


def test_counters_add_up_and_arrays_keep_the_items_of_both() -> None:
    assert merged(CounterCodec(), 1, 3, 10) == 12
    assert merged(ANY, [1], [1, 2], [1, 9]) == [1, 9, 2]
    assert merged(ANY, [1], [2], [1, 9]) == [2]
    assert merged(SetCodec(ScalarCodec()), [1, 2], [2, 3], [1, 2, 9]) == [2, 9, 3]


A, B, C = ({"name": name, "size": 1, "hits": 1} for name in "abc")


@pytest.mark.parametrize(
    ("mine", "theirs", "result"),
    [
        ([A | {"size": 2}, B], [A, B | {"size": 3}], [A | {"size": 2}, B | {"size": 3}]),
        ([A | {"size": 2}, B], [A | {"x": 1}, B], [A | {"size": 2, "x": 1}, B]),
        ([A | {"size": 2}, B], [A, B, C], [A | {"size": 2}, B, C]),
        ([A, B | {"size": 2}], [B], [B | {"size": 2}]),
        ([A, B | {"size": 2}], [C, B | {"hits": 5}, A], [C, B | {"size": 2, "hits": 5}, A]),
        ([A | {"size": 2}, B], [B], [A | {"size": 2}, B]),
        ([B, A], [A, B | {"size": 3}], [B, A]),
        ([A, None], [A | {"size": 3}, B], [A, None]),
    ],
    ids=["each", "undeclared", "appended", "removed", "moved", "gone", "reordered", "replaced"],
)
def test_edits_of_the_items_of_an_array(mine: Any, theirs: Any, result: Any) -> None:
    assert merged(ANY, [A, B], mine, theirs) == result


def test_counters_of_items_add_up() -> None:
    codec = codec_of(list[Hits])
    assert merged(codec, [{"n": 1}], [{"n": 2}], [{"n": 5}]) == [{"n": 6}]
