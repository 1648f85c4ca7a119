"""Tokens of pages, and the filters of the pages that begin after them."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest
from bson import DBRef, Decimal128, ObjectId, Regex
from hypothesis import given
from hypothesis import strategies as st

import loom_async as lm
from loom_async._core.bson_codec import encode_bson
from loom_async._core.query.paging import page_spec, page_token, sort_values
from loom_async._core.query.query_spec import QuerySpec, SortKeys

_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    st.binary(max_size=8),
    st.binary(min_size=12, max_size=12).map(ObjectId),
    st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC)),
    st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9), max_size=2),
)
_directions = st.sampled_from([1, -1])
_keys: st.SearchStrategy[SortKeys] = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c.d"]), _directions),
    max_size=3,
    unique_by=lambda key: key[0],
).map(tuple)


@st.composite
def _documents(draw: st.DrawFn) -> dict[str, Any]:
    document = {"_id": draw(_values), "a": draw(_values), "b": draw(_values)}
    return document | draw(st.sampled_from([{}, {"c": {"d": draw(_values)}}, {"c": draw(_values)}]))


def values_compared(spec: QuerySpec) -> dict[str, Any]:
    """Return the values of the sort keys before `_id`, as the filter of a page has them."""
    *equal, _ = spec.filters[-1]["$or"][-1]["$and"]
    return {path: operand["$eq"] for filter in equal for path, operand in filter.items()}


@given(_keys, _documents())
def test_a_token_holds_the_sort_values_of_its_document(
    keys: SortKeys, document: dict[str, Any]
) -> None:
    first = page_spec(QuerySpec().with_sort(keys), None, "users")
    token = page_token(first, document, "users")
    assert token.isascii()
    following = page_spec(QuerySpec().with_sort(keys), token, "users")
    assert following.sort == first.sort
    paths = [path for path, _ in first.sort]
    assert paths[-1] == "_id"
    values = sort_values(first, document)
    # As BSON, since NaN is not equal to itself, and True is equal to 1.
    expected = encode_bson(dict(zip(paths[:-1], values[:-1], strict=True)))
    assert encode_bson(values_compared(following)) == expected


@given(st.text())
def test_texts_that_are_not_tokens_are_refused(text: str) -> None:
    with pytest.raises(lm.QueryError, match="not the token of a page") as caught:
        page_spec(QuerySpec(), text, "users")
    assert caught.value.hint is not None


def test_tokens_of_other_queries_are_refused() -> None:
    query = QuerySpec().with_filter({"a": 1}).with_sort((("b", 1),))
    token = page_token(page_spec(query, None, "users"), {"_id": 1, "b": 2}, "users")
    for other, collection in (
        (query, "pets"),
        (query.with_filter({"c": 1}), "users"),
        (query.with_sort((("c", 1),)), "users"),
        (QuerySpec().with_filter({"a": 1}).with_sort((("b", -1),)), "users"),
    ):
        with pytest.raises(lm.QueryError, match="another query"):
            page_spec(other, token, collection)


@pytest.mark.parametrize(
    "spec",
    [
        QuerySpec().with_skip(1),
        QuerySpec().with_limit(0),
        QuerySpec().with_limit(3),
        QuerySpec().with_stage({"$sample": {"size": 3}}),
    ],
)
def test_queries_that_limit_their_results_have_no_pages(spec: QuerySpec) -> None:
    with pytest.raises(lm.QueryError, match="filters and sort keys alone"):
        page_spec(spec, None, "users")


def test_pages_are_sorted_by_id_at_last() -> None:
    assert page_spec(QuerySpec(), None, "users").sort == (("_id", 1),)
    by_id = QuerySpec().with_sort((("_id", -1),))
    assert page_spec(by_id, None, "users").sort == (("_id", -1),)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ([1], "an array"),
        ([], "an array"),
        (Regex("a"), "a regular expression"),
        (DBRef("users", 1), "a reference"),
    ],
)
def test_values_that_cannot_be_compared_are_refused(value: Any, kind: str) -> None:
    spec = QuerySpec().with_sort((("a.b", 1),))
    with pytest.raises(lm.QueryError, match=rf"by a\.b, which is {kind} in document 7"):
        sort_values(spec, {"_id": 7, "a": {"b": value}})


def test_the_value_of_a_path_that_leads_nowhere_is_null() -> None:
    spec = QuerySpec().with_sort((("a.b", 1),))
    for document in ({}, {"a": 1}, {"a": {}}, {"a": Regex("b")}):
        assert sort_values(spec, document) == [None]
    with pytest.raises(lm.QueryError, match="an array"):
        sort_values(spec, {"a": [{"b": 1}]})


def after(value: Any, direction: int) -> list[dict[str, Any]]:
    """Return the filters, without types, of the values of `_id` that sort after a value."""
    spec = QuerySpec().with_sort((("_id", direction),))
    token = page_token(page_spec(spec, None, "users"), {"_id": value}, "users")
    filters = [part["$and"][0] for part in page_spec(spec, token, "users").filters[-1]["$or"]]
    return [filter["_id"] for filter in filters if "$type" not in filter["_id"]]


_NULL = [{"$eq": None}, {"$size": 0}]


@pytest.mark.parametrize(
    ("value", "ascending", "descending"),
    [
        (3, [{"$gt": 3}], [{"$lt": 3}, {"$eq": math.nan}, *_NULL]),
        ("x", [{"$gt": "x"}], [{"$lt": "x"}, *_NULL]),
        (None, [], []),
        (math.nan, [{"$gte": -math.inf}], _NULL),
        (Decimal128("NaN"), [{"$gte": -math.inf}], _NULL),
        (True, [{"$gt": True}], [{"$lt": True}, *_NULL]),
    ],
    ids=repr,
)
def test_filters_after_a_value(
    value: Any, ascending: list[dict[str, Any]], descending: list[dict[str, Any]]
) -> None:
    assert repr(after(value, 1)) == repr(ascending)
    assert repr(after(value, -1)) == repr(descending)


def test_later_types_are_named() -> None:
    spec = QuerySpec().with_sort((("_id", 1),))
    token = page_token(page_spec(spec, None, "users"), {"_id": True}, "users")
    filters = page_spec(spec, token, "users").filters[-1]["$or"]
    assert filters[1]["$and"][0]["_id"]["$type"] == [
        "date", "timestamp", "regex", "dbPointer", "javascript", "javascriptWithScope", "maxKey",
    ]  # fmt: skip
