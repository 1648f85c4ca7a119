"""Filters of queries, rewritten for change streams."""

from __future__ import annotations

import re
from typing import Any

import pytest

import loom_async as lm
from loom_async import fld
from loom_async._core.query.change_filter import change_pipeline, nested_filter
from loom_async._core.query.query_spec import QuerySpec
from tests.core.query.models import compiled

OF_A_DOCUMENT = ["insert", "update", "replace", "delete"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"a": 1, "b.c": {"$gt": 2}}, {"full.a": 1, "full.b.c": {"$gt": 2}}),
        ({"a": {"$eq": {"$near": 1}}}, {"full.a": {"$eq": {"$near": 1}}}),
        ({"a": {"x": 1, "$near": 2}}, {"full.a": {"x": 1, "$near": 2}}),
        ({"a": {"$elemMatch": {"b": 1}}}, {"full.a": {"$elemMatch": {"b": 1}}}),
        ({"$comment": "why", "a": 1}, {"$comment": "why", "full.a": 1}),
        (
            {"$or": [{"a": 1}, {"$and": [{"b": 2}, {"$nor": [{"c": 3}]}]}]},
            {"$or": [{"full.a": 1}, {"$and": [{"full.b": 2}, {"$nor": [{"full.c": 3}]}]}]},
        ),
        (
            {"$jsonSchema": {"required": ["a"]}},
            {"$jsonSchema": {"properties": {"full": {"required": ["a"]}}}},
        ),
    ],
)
def test_paths_are_prefixed(condition: dict[str, Any], expected: dict[str, Any]) -> None:
    assert nested_filter(condition, "full") == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$a.b", "$full.a.b"),
        ("$$ROOT", "$full"),
        ("$$ROOT.a", "$full.a"),
        ("$$CURRENT.a", "$full.a"),
        ("$$ROOTS.a", "$$ROOTS.a"),
        ("$$NOW", "$$NOW"),
        ("a", "a"),
        ({"$literal": "$a"}, {"$literal": "$a"}),
        ({"$const": ["$a"]}, {"$const": ["$a"]}),
        ({"$gt": ["$a", {"$add": ["$b", 1]}]}, {"$gt": ["$full.a", {"$add": ["$full.b", 1]}]}),
        ({"$in": ["$a", ("$b", 2)]}, {"$in": ["$full.a", ["$full.b", 2]]}),
        (
            {"$map": {"input": "$a", "as": "x", "in": {"$add": ["$$x", "$b"]}}},
            {"$map": {"input": "$full.a", "as": "x", "in": {"$add": ["$$x", "$full.b"]}}},
        ),
        ({"$getField": "a"}, {"$getField": {"field": "a", "input": "$full"}}),
        (
            {"$getField": {"$literal": "$a"}},
            {"$getField": {"field": {"$literal": "$a"}, "input": "$full"}},
        ),
        (
            {"$getField": {"field": "a", "input": "$b"}},
            {"$getField": {"field": "a", "input": "$full.b"}},
        ),
    ],
)
def test_expressions_read_the_field(expression: Any, expected: Any) -> None:
    assert nested_filter({"$expr": expression}, "full") == {"$expr": expected}


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        (lm.text("coffee"), "$text"),
        (fld["place"].near((14.4, 50.1)), "$near"),
        (~fld["place"].near((14.4, 50.1)), "$near"),
        (lm.raw({"place": {"$not": {"$nearSphere": [1, 2]}}}), "$nearSphere"),
        (lm.raw({"$or": [{"a": 1}, {"$where": "true"}]}), "$where"),
        (lm.raw({"$expr": {"$gt": [{"$meta": "textScore"}, 1]}}), "$meta"),
        (lm.raw({"$expr": {"$let": {"vars": {"CURRENT": "$a"}, "in": "$b"}}}), "CURRENT"),
        (lm.raw({"$and": {"a": 1}}), "$and takes a list"),
        (lm.raw({"$and": [5]}), "5 is not a MongoDB filter"),
    ],
)
def test_operators_that_change_streams_refuse_are_named(condition: Any, name: str) -> None:
    spec = QuerySpec().with_filter(compiled(condition))
    with pytest.raises(lm.QueryError, match=re.escape(name)):
        change_pipeline(spec)


def test_only_events_with_a_document_match() -> None:
    """`!=` matches a missing field, but a deletion has no document to match."""
    spec = QuerySpec().with_filter({"name": {"$ne": "Ann"}})
    there = {"fullDocument": {"$type": "object"}}
    chosen = {"$and": [there, {"fullDocument.name": {"$ne": "Ann"}}]}
    whole = {"operationType": {"$nin": OF_A_DOCUMENT}}
    assert change_pipeline(spec) == [{"$match": {"$or": [whole, chosen]}}]
    assert change_pipeline(QuerySpec()) == []


@pytest.mark.parametrize(
    ("condition", "by_id"),
    [
        ({"_id": 1}, True),
        ({"_id.a": 1, "$comment": "x"}, True),
        ({"$or": [{"_id": 1}, {"$nor": [{"_id": {"$gt": 2}}]}]}, True),
        ({"_id": 1, "a": 2}, False),
        ({"$or": [{"_id": 1}, {"a": 2}]}, False),
        ({"_identity": 1}, False),
        ({"$expr": "$_id"}, False),
    ],
)
def test_conditions_on_ids_match_deletions_too(condition: dict[str, Any], by_id: bool) -> None:
    (stage,) = change_pipeline(QuerySpec().with_filter(condition))
    (there, _) = stage["$match"]["$or"][1]["$and"]
    assert list(there) == ["documentKey" if by_id else "fullDocument"]


@pytest.mark.parametrize(
    "spec",
    [
        QuerySpec().with_sort((("a", 1),)),
        QuerySpec().with_skip(1),
        QuerySpec().with_limit(0),
        QuerySpec().with_stage({"$sample": {"size": 1}}),
    ],
)
def test_only_filters_are_taken(spec: QuerySpec) -> None:
    with pytest.raises(lm.QueryError, match=r"watch\(\) takes a query of filters alone"):
        change_pipeline(spec)
