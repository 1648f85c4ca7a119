from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import loom_async as lm
from loom_async import AggregationStages, fld

S = AggregationStages
WRITERS = [S().out("t"), S().merge_into("t"), S().match({}).out("t")]


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        (S().add_fields(a=1), {"$addFields": {"a": 1}}),
        (S().add_fields({"a.b": 1}, c=2), {"$addFields": {"a.b": 1, "c": 2}}),
        (
            S().bucket("$age", [0, 10], default="x", output={"n": {"$sum": 1}}),
            {
                "$bucket": {
                    "groupBy": "$age",
                    "boundaries": [0, 10],
                    "default": "x",
                    "output": {"n": {"$sum": 1}},
                }
            },
        ),
        (
            S().bucket_auto("$age", 3, granularity="R5"),
            {"$bucketAuto": {"groupBy": "$age", "buckets": 3, "granularity": "R5"}},
        ),
        (
            S().change_stream(full_document="required"),
            {"$changeStream": {"fullDocument": "required"}},
        ),
        (S().coll_stats(count={}), {"$collStats": {"count": {}}}),
        (S().count("n"), {"$count": "n"}),
        (S().current_op(all_users=True), {"$currentOp": {"allUsers": True}}),
        (
            S().densify("t", {"step": 1, "bounds": "full"}, partition_by_fields=("a",)),
            {
                "$densify": {
                    "field": "t",
                    "partitionByFields": ["a"],
                    "range": {"step": 1, "bounds": "full"},
                }
            },
        ),
        (S().documents([{"a": 1}]), {"$documents": [{"a": 1}]}),
        (S().facet(n=S().count()), {"$facet": {"n": [{"$count": "count"}]}}),
        (
            S().fill({"a": {"value": 0}}, sort_by={"t": 1}),
            {"$fill": {"sortBy": {"t": 1}, "output": {"a": {"value": 0}}}},
        ),
        (
            S().geo_near({"type": "Point", "coordinates": [0, 0]}, "d", query=fld["a"] > 1),
            {
                "$geoNear": {
                    "near": {"type": "Point", "coordinates": [0, 0]},
                    "distanceField": "d",
                    "query": {"a": {"$gt": 1}},
                }
            },
        ),
        (
            S().graph_lookup("users", "$boss", "boss", "name", "chain", max_depth=0),
            {
                "$graphLookup": {
                    "from": "users",
                    "as": "chain",
                    "startWith": "$boss",
                    "connectFromField": "boss",
                    "connectToField": "name",
                    "maxDepth": 0,
                }
            },
        ),
        (S().group({"_id": "$a"}, n={"$sum": 1}), {"$group": {"_id": "$a", "n": {"$sum": 1}}}),
        (S().group(n={"$sum": 1}), {"$group": {"_id": None, "n": {"$sum": 1}}}),
        (S().index_stats(), {"$indexStats": {}}),
        (S().limit(3), {"$limit": 3}),
        (S().list_local_sessions(), {"$listLocalSessions": {}}),
        (S().list_sessions({"allUsers": True}), {"$listSessions": {"allUsers": True}}),
        (
            S().lookup("o", as_="x", let={"a": "$a"}, pipeline=[{"$limit": 1}]),
            {"$lookup": {"from": "o", "as": "x", "let": {"a": "$a"}, "pipeline": [{"$limit": 1}]}},
        ),
        (S().match(fld["a"] > 1), {"$match": {"a": {"$gt": 1}}}),
        (S().match(fld["a"]), {"$match": {"a": {"$eq": True}}}),
        (S().match({"a": {"$gt": 1}}), {"$match": {"a": {"$gt": 1}}}),
        (
            S().merge_into("t", on=("a", "b"), when_matched=S().set(a=1), when_not_matched="fail"),
            {
                "$merge": {
                    "into": "t",
                    "on": ["a", "b"],
                    "whenMatched": [{"$set": {"a": 1}}],
                    "whenNotMatched": "fail",
                }
            },
        ),
        (S().out({"db": "d", "coll": "c"}), {"$out": {"db": "d", "coll": "c"}}),
        (S().plan_cache_stats(), {"$planCacheStats": {}}),
        (S().project(a=1, b=0), {"$project": {"a": 1, "b": 0}}),
        (S().redact("$$KEEP"), {"$redact": "$$KEEP"}),
        (S().replace_root("$a"), {"$replaceRoot": {"newRoot": "$a"}}),
        (S().replace_with("$a"), {"$replaceWith": "$a"}),
        (S().sample(2), {"$sample": {"size": 2}}),
        (S().search({"text": {}}), {"$search": {"text": {}}}),
        (S().search_meta({"text": {}}), {"$searchMeta": {"text": {}}}),
        (S().set(a=1), {"$set": {"a": 1}}),
        (
            S().set_window_fields({"r": {"$rank": {}}}, sort_by={"a": 1}),
            {"$setWindowFields": {"sortBy": {"a": 1}, "output": {"r": {"$rank": {}}}}},
        ),
        (S().sharded_data_distribution(), {"$shardedDataDistribution": {}}),
        (S().skip(3), {"$skip": 3}),
        (S().sort("a", "-b"), {"$sort": {"a": 1, "b": -1}}),
        (S().sort({"a": -1}), {"$sort": {"a": -1}}),
        (S().sort_by_count("$a"), {"$sortByCount": "$a"}),
        (
            S().union_with("o", pipeline=S().limit(1)),
            {"$unionWith": {"coll": "o", "pipeline": [{"$limit": 1}]}},
        ),
        (S().unset("a", "b"), {"$unset": ["a", "b"]}),
        (
            S().unwind("a", preserve_null_and_empty_arrays=True),
            {"$unwind": {"path": "$a", "preserveNullAndEmptyArrays": True}},
        ),
    ],
    ids=lambda value: "" if isinstance(value, dict) else repr(value)[:60],
)
def test_each_stage_has_its_mongodb_form(stages: AggregationStages, expected: Any) -> None:
    assert stages.to_list() == [expected]


NAMES = [
    "add_fields",
    "bucket",
    "bucket_auto",
    "change_stream",
    "coll_stats",
    "count",
    "current_op",
    "densify",
    "documents",
    "facet",
    "fill",
    "geo_near",
    "graph_lookup",
    "group",
    "index_stats",
    "limit",
    "list_local_sessions",
    "list_sessions",
    "lookup",
    "match",
    "merge",
    "out",
    "plan_cache_stats",
    "project",
    "redact",
    "replace_root",
    "replace_with",
    "sample",
    "search",
    "search_meta",
    "set",
    "set_window_fields",
    "sharded_data_distribution",
    "skip",
    "sort",
    "sort_by_count",
    "union_with",
    "unset",
    "unwind",
]


@pytest.mark.parametrize("name", NAMES)
def test_every_stage_of_mongodb_6_is_there_by_its_name(name: str) -> None:
    assert callable(getattr(AggregationStages, name))


def test_every_method_returns_a_new_object() -> None:
    first = S().match({"a": 1})
    second, third = first.limit(1), first.raw({"$skip": 1})
    assert first.to_list() == [{"$match": {"a": 1}}]
    assert second.to_list() == [{"$match": {"a": 1}}, {"$limit": 1}]
    assert third.to_list() == [{"$match": {"a": 1}}, {"$skip": 1}]
    assert (len(first), len(second)) == (1, 2)


def test_adding_joins_two_sequences() -> None:
    one, two = S().limit(1), S().skip(2)
    assert list(one + two) == [{"$limit": 1}, {"$skip": 2}]
    assert one == S({"$limit": 1})
    assert hash(one) == hash(S({"$limit": 1}))
    assert one != two


def test_order_of_sort_keys_tells_sequences_apart() -> None:
    assert S().sort("a", "b") != S().sort("b", "a")


def test_arguments_are_copied() -> None:
    stage: dict[str, Any] = {"$match": {"a": {"$in": [1]}}}
    document: dict[str, Any] = {"x": {"$sum": ["$a"]}}
    sub = [{"$match": {"b": [1]}}]
    stages = (
        S(stage).raw(stage).match(stage["$match"]).add_fields(document).facet(x=sub)
        .lookup("o", as_="o", pipeline=sub).documents([document])
    )  # fmt: skip
    before = stages.to_list()
    stage["$match"]["a"]["$in"].append(2)
    document["x"]["$sum"].append("$b")
    sub[0]["$match"]["b"].append(2)
    assert stages.to_list() == before


def test_results_are_copies() -> None:
    stages = S().match({"a": {"$in": [1]}})
    stages.to_list()[0]["$match"]["a"]["$in"].append(2)
    next(iter(stages))["$match"]["a"]["$in"].append(2)
    assert stages.to_list() == [{"$match": {"a": {"$in": [1]}}}]


@pytest.mark.parametrize("stage", [{"$out": "t"}, {"$merge": {"into": "t"}}])
def test_stage_that_writes_is_not_taken_raw(stage: Any) -> None:
    for build in (
        lambda: S(stage),
        lambda: S().raw(stage),
        lambda: S().raw({"$facet": {"x": [stage]}}),
        lambda: S().raw({"$facet": {"x": ({"$match": {}}, stage)}}),
        lambda: S().raw({"$lookup": {"from": "o", "as": "o", "pipeline": [stage]}}),
        lambda: S().raw({"$unionWith": {"coll": "o", "pipeline": [{"$facet": {"x": [stage]}}]}}),
        lambda: S().facet(x=[stage]),
        lambda: S().facet(x=[{"$unionWith": {"coll": "o", "pipeline": [stage]}}]),
        lambda: S().lookup("o", as_="o", pipeline=[stage]),
        lambda: S().union_with("o", pipeline=[stage]),
        lambda: S().merge_into("o", when_matched=[stage]),
    ):
        with pytest.raises(lm.QueryError, match=r"use (out|merge_into)"):
            build()


@pytest.mark.parametrize("writer", WRITERS, ids=repr)
def test_sub_pipeline_does_not_write(writer: AggregationStages) -> None:
    for build in (
        lambda: S().facet(x=writer),
        lambda: S().lookup("o", as_="o", pipeline=writer),
        lambda: S().union_with("o", pipeline=writer),
        lambda: S().merge_into("o", when_matched=writer),
    ):
        with pytest.raises(lm.QueryError):
            build()


@pytest.mark.parametrize(
    "stage", [{}, {"a": 1}, {"$a": 1, "$b": 2}, "x", None, [{"$limit": 1}], {1: 2}], ids=repr
)
def test_values_that_are_not_stages_are_refused(stage: Any) -> None:
    for build in (S, S().raw, lambda bad: S().facet(x=[bad])):
        with pytest.raises(lm.QueryError):
            build(stage)


@pytest.mark.parametrize(
    "build",
    [
        lambda: S().add_fields(),
        lambda: S().project(),
        lambda: S().set({}),
        lambda: S().unset(),
        lambda: S().sort(),
        lambda: S().facet(),
        lambda: S().limit(-1),
        lambda: S().limit(1.5),
        lambda: S().skip(-1),
        lambda: S().sample(True),
        lambda: S().match(3),
        lambda: S().match(None),
    ],
)
def test_stages_with_invalid_operands_are_refused(build: Callable[[], Any]) -> None:
    with pytest.raises(lm.QueryError):
        build()
