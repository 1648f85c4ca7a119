from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import loom_async as lm
from loom_async import AggregationStages, fld
from tests.core.query.models import User


def pipeline_of(query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = query._spec.pipeline()
    return found


CHANGES: list[Callable[[Any], Any]] = [
    lambda q: q.filter(fld["age"] > 1),
    lambda q: q.filter(),
    lambda q: q.sort("age"),
    lambda q: q.skip(1),
    lambda q: q.limit(1),
    lambda q: q.sample(1),
    lambda q: q.project("name"),
    lambda q: q.add_fields(x=1),
    lambda q: q.lookup("other"),
    lambda q: q.group_by("age").acc(n=lm.count()),
    lambda q: q.agg(AggregationStages().limit(1)),
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "make", [User.filter, lambda: User.filter(fld["age"] > 3).sort("name").sample(3)]
)
def test_every_method_returns_a_new_query(change: Any, make: Any) -> None:
    query = make()
    before = pipeline_of(query)
    changed = change(query)
    assert changed is not query
    assert pipeline_of(query) == before
    assert pipeline_of(change(query)) == pipeline_of(changed)


def test_clauses_come_in_any_order() -> None:
    one = User.filter(fld["age"] > 1).sort("age").skip(1).limit(2)
    two = User.filter().limit(2).skip(1).sort("age").filter(fld["age"] > 1)
    assert pipeline_of(one) == pipeline_of(two)
    assert pipeline_of(one) == [
        {"$match": {"age": {"$gt": 1}}},
        {"$sort": {"age": 1}},
        {"$skip": 1},
        {"$limit": 2},
    ]


def test_after_a_stage_each_call_adds_a_stage() -> None:
    query = User.filter().sample(3).filter(fld["age"] > 1).limit(2).skip(1)
    assert pipeline_of(query) == [
        {"$sample": {"size": 3}},
        {"$match": {"age": {"$gt": 1}}},
        {"$limit": 2},
        {"$skip": 1},
    ]


def test_every_filter_must_be_met() -> None:
    one, two = {"age": {"$gt": 1}}, {"age": {"$lt": 9}}
    query = User.filter(fld["age"] > 1).filter(fld["age"] < 9)
    assert pipeline_of(query) == [{"$match": {"$and": [one, two]}}]
    assert pipeline_of(User.filter(fld["age"] > 1, fld["age"] < 9)) == pipeline_of(query)


@pytest.mark.parametrize(
    ("keys", "descending", "expected"),
    [
        (["age"], False, {"age": 1}),
        (["-age"], False, {"age": -1}),
        (["age"], True, {"age": -1}),
        (["-age"], True, {"age": 1}),
        (["-age", "name", "id"], False, {"age": -1, "name": 1, "_id": 1}),
        ([fld["address.city"], "alias"], False, {"address.city": 1, "storedAs": 1}),
        (["age", "-age"], False, {"age": 1}),
    ],
)
def test_sort_keys(keys: Any, descending: bool, expected: Any) -> None:
    (stage,) = pipeline_of(User.filter().sort(*keys, descending=descending))
    assert list(stage["$sort"].items()) == list(expected.items())


def test_second_sort_decides_among_equals() -> None:
    for query in (User.filter(), User.filter().sample(1)):
        *_, stage = pipeline_of(query.sort("age").sort("-name"))
        assert list(stage["$sort"].items()) == [("age", 1), ("name", -1)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (User.filter().project("name", "-id"), {"$project": {"name": 1, "_id": 0}}),
        (User.filter().project(fld["alias"]), {"$project": {"storedAs": 1}}),
        (User.filter().project(up={"$abs": "$age"}), {"$project": {"up": {"$abs": "$age"}}}),
        (User.filter().project(key=fld["id"]), {"$project": {"key": "$_id"}}),
        (User.filter().add_fields(x=fld["alias"]), {"$addFields": {"x": "$storedAs"}}),
        (User.filter().add_fields(x={"$abs": "$age"}), {"$addFields": {"x": {"$abs": "$age"}}}),
        (
            User.filter().lookup(User, local_field="friend", foreign_field="id", as_="friends_"),
            {
                "$lookup": {
                    "from": "users",
                    "localField": "friend",
                    "foreignField": "_id",
                    "as": "friends_",
                }
            },
        ),
        (
            User.filter().lookup("other", pipeline=AggregationStages().limit(1)),
            {
                "$lookup": {
                    "from": "other",
                    "localField": "_id",
                    "foreignField": "_id",
                    "as": "other",
                    "pipeline": [{"$limit": 1}],
                }
            },
        ),
        (
            User.filter().group_by().acc(n=lm.count()),
            {"$group": {"_id": None, "n": {"$count": {}}}},
        ),
        (
            User.filter().group_by("alias").acc(a=fld["age"].avg(), b={"$max": "$age"}),
            {"$group": {"_id": "$storedAs", "a": {"$avg": "$age"}, "b": {"$max": "$age"}}},
        ),
        (
            User.filter().group_by("age", fld["address.city"]).acc(k=fld["id"].push()),
            {
                "$group": {
                    "_id": {"age": "$age", "address_city": "$address.city"},
                    "k": {"$push": "$_id"},
                }
            },
        ),
    ],
    ids=repr,
)  # fmt: skip
def test_stage_of_each_method(query: Any, expected: Any) -> None:
    assert pipeline_of(query) == [expected]


@pytest.mark.parametrize(
    "operator", ["sum", "avg", "min", "max", "first", "last", "push", "add_to_set"]
)
def test_accumulators(operator: str) -> None:
    accumulator = getattr(fld["age"], operator)()
    name = "addToSet" if operator == "add_to_set" else operator
    (stage,) = pipeline_of(User.filter().group_by().acc(x=accumulator))
    assert stage["$group"]["x"] == {f"${name}": "$age"}


@pytest.mark.parametrize(
    "build",
    [
        lambda: User.filter().sort("agee"),
        lambda: User.filter().sort("-agee"),
        lambda: User.filter().project("agee"),
        lambda: User.filter().project("-agee"),
        lambda: User.filter().project(x=fld["agee"]),
        lambda: User.filter().add_fields(x=fld["agee"]),
        lambda: User.filter().group_by("agee").acc(),
        lambda: User.filter().group_by().acc(x=fld["agee"].sum()),
        lambda: User.filter().lookup("o", local_field="agee"),
        lambda: User.filter().lookup(User, foreign_field="agee"),
    ],
)
def test_unknown_field_is_refused_when_the_query_is_built(build: Callable[[], Any]) -> None:
    with pytest.raises(lm.UnknownFieldError) as caught:
        build()
    assert caught.value.nearest == "age"


@pytest.mark.parametrize(
    "build",
    [
        lambda: User.filter().sort(),
        lambda: User.filter().project(),
        lambda: User.filter().add_fields(),
        lambda: User.filter().skip(-1),
        lambda: User.filter().skip(None),
        lambda: User.filter().limit(-1),
        lambda: User.filter().limit(True),
        lambda: User.filter().limit("3"),
        lambda: User.filter().sample(-1),
        lambda: User.filter().group_by("age").acc(x=3),
        lambda: User.filter().group_by("age").acc(x={"a": 1}),
        lambda: User.filter().group_by("age").acc(x=fld["age"]),
    ],
)
def test_invalid_arguments_are_refused(build: Callable[[], Any]) -> None:
    with pytest.raises(lm.QueryError):
        build()


def test_arguments_are_copied() -> None:
    literal: dict[str, Any] = {"a": [1]}
    given: dict[str, Any] = {"age": {"$in": [1]}}
    expression: dict[str, Any] = {"$add": [1]}
    area: dict[str, Any] = {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]}
    query = (
        User.filter(fld["meta"] == literal, lm.raw(given), fld["place"].within(area))
        .add_fields(x=expression)
        .project(x=expression)
        .group_by("x").acc(x=expression)
    )  # fmt: skip
    before = repr(query)
    literal["a"].append(2)
    given["age"]["$in"].append(2)
    expression["$add"].append(2)
    area["coordinates"][0].append([9, 9])
    assert repr(query) == before


def test_stages_given_to_a_query_can_be_extended_apart() -> None:
    stages = AggregationStages().limit(1)
    query = User.agg(stages)
    stages.skip(1)
    assert pipeline_of(query) == [{"$limit": 1}]
