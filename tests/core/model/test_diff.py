"""Edits: the differences between a stored document and its object."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bson import Decimal128, Int64, ObjectId, Regex
from hypothesis import given
from hypothesis import strategies as st

from loom_async._core.model.diff import AddToSet, Inc, Push, Set, Unset, as_bytes, find_edits, same
from loom_async._core.types.codec import ANY

keys = st.sampled_from(["a", "b", "c", "x.y", "$z", "", "0"])
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=2)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(keys, values, max_size=4)


def applied(document: dict[str, Any], edits: list[Any]) -> dict[str, Any]:
    """Return a document with edits made as the server makes them."""
    result = _copied(document)
    for edit in edits:
        *parents, last = edit.path
        holder = result
        for key in parents:
            holder = holder[key]
        match edit:
            case Set():
                holder[last] = edit.value
            case Unset():
                del holder[last]
            case Push() | AddToSet():
                holder[last] = [*holder[last], *edit.items]
            case Inc():
                holder[last] += edit.by
    return result


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


@given(documents, documents)
def test_edits_turn_one_document_into_the_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    edits = find_edits(ANY, before, before, after)
    assert same(_sorted(applied(before, edits)), _sorted(after))


@given(documents)
def test_equal_documents_have_no_edits(document: dict[str, Any]) -> None:
    assert find_edits(ANY, document, document, _copied(document)) == []


@given(documents, documents)
def test_no_path_begins_with_another(before: dict[str, Any], after: dict[str, Any]) -> None:
    paths = [edit.path for edit in find_edits(ANY, before, before, after)]
    assert len(set(paths)) == len(paths)
    for path in paths:
        assert not any(path[:n] in paths for n in range(1, len(path)))


def test_values_that_differ_in_type_or_sign_of_zero_differ() -> None:
    for left, right in [(1, True), (1, 1.0), (0.0, -0.0), ("1", 1), (None, 0)]:
        assert not same(left, right)
        assert find_edits(ANY, {"a": left}, {"a": left}, {"a": right}) == [Set(("a",), right)]
    assert same(float("nan"), float("nan"))


_numbers = (0, 1, 1.0, True, False, 0.0, -0.0, float("nan"), Int64(1), 2**40, Int64(2**40))
_texts = (None, "1", b"1", Regex("a"), Regex("a", "i"), ObjectId("0" * 24), UUID(int=1))
_others = (datetime(2020, 1, 1, tzinfo=UTC), Decimal128("1.0"), Decimal128("1.00"))
_kinds = st.sampled_from((*_numbers, *_texts, *_others))
_any_kinds = st.recursive(
    _kinds,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.permutations(["a", "b"]).flatmap(
            lambda k: st.fixed_dictionaries(dict.fromkeys(k, inner))
        )
    ),
    max_leaves=4,
)


@given(_any_kinds, _any_kinds)
def test_same_compares_as_bson_bytes_do(left: Any, right: Any) -> None:
    for one, other in [(left, right), ([left], [right]), ({"a": [left]}, {"a": [right]})]:
        assert same(one, other) is (as_bytes(one) == as_bytes(other))
    assert same(left, _copied(left))


def test_items_appended_to_an_array_are_pushed() -> None:
    before, after = {"a": {"l": [1, 2]}}, {"a": {"l": [1, 2, 3]}}
    edits = find_edits(ANY, before, before, after)
    assert edits == [Push(("a", "l"), [3])]


def test_a_subdocument_that_is_not_stored_is_set_whole() -> None:
    edits = find_edits(ANY, {}, {"a": {"b": 1, "c": 2}}, {"a": {"b": 9, "c": 2}})
    assert edits == [Set(("a",), {"b": 9, "c": 2})]
