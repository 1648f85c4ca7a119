"""Merging the edits that two writers made to one value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_async._core.model.diff import AddToSet, Inc, Set, Unset
from loom_async._core.model.three_way_merge import merged, with_edits
from loom_async._core.types.codec import ANY
from loom_async._core.types.containers import SetCodec
from loom_async._core.types.scalars import CounterCodec, ScalarCodec

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


def test_edits_applied_to_a_document_that_another_writer_has_edited() -> None:
    document = {"_id": 1, "name": "theirs", "box": {"a": 1}, "tags": ["x"]}
    edits = [
        Set(("name",), "mine"),
        Set(("box", "b"), 2),
        Set(("gone", "c"), 3),
        Unset(("box", "a")),
        AddToSet(("tags",), ["x", "y"]),
    ]
    assert with_edits(document, edits) == {
        "_id": 1,
        "name": "mine",
        "box": {"b": 2},
        "gone": {"c": 3},
        "tags": ["x", "y"],
    }
    assert document["box"] == {"a": 1}
    with pytest.raises(TypeError):
        with_edits(document, [Inc(("n",), 1)])
