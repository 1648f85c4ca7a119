"""Updates by a pipeline: names are those of the model, values are encoded, expressions are kept."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128

import loom_async as lm
from loom_async import fld
from loom_async._core.query.model_resolver import ModelResolver
from loom_async._core.query.update_operators import compile_update
from tests.core.query.models import Address, User


def compiled(*stages: Any, **options: Any) -> Any:
    return compile_update(ModelResolver(User), stages, {}, **{"auto_values": {}, **options})


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ({"$set": {"age": {"$add": ["$age", 1]}}}, {"$set": {"age": {"$add": ["$age", 1]}}}),
        ({"$addFields": {"alias": "$name"}}, {"$set": {"storedAs": "$name"}}),
        ({"$set": {"name": fld["alias"]}}, {"$set": {"name": "$storedAs"}}),
        (
            {"$set": {"name": {"$concat": [fld["alias"], "!"]}}},
            {"$set": {"name": {"$concat": ["$storedAs", "!"]}}},
        ),
        ({"$set": {"email": "A@B"}}, {"$set": {"email": {"$literal": "a@b"}}}),
        ({"$set": {"emails": ["A", "b"]}}, {"$set": {"emails": {"$literal": ["a", "b"]}}}),
        ({"$set": {"emails": ["$email"]}}, {"$set": {"emails": ["$email"]}}),
        (
            {"$set": {"price": {"$add": ["$price", Decimal(1)]}}},
            {"$set": {"price": {"$add": ["$price", Decimal128("1")]}}},
        ),
        (
            {"$set": {"address": Address(city="$Brno")}},
            {"$set": {"address": {"$literal": {"city": "$Brno", "zip": None}}}},
        ),
        ({"$unset": "alias"}, {"$unset": ["storedAs"]}),
        ({"$unset": ["nick", fld["address.zip"]]}, {"$unset": ["nick", "address.zip"]}),
    ],
    ids=repr,
)
def test_stages_set_and_unset_fields_of_the_model(stage: Any, expected: Any) -> None:
    assert compiled(stage) == [expected]


def test_times_and_revisions_follow_the_stages() -> None:
    options = {"auto_values": {"seen": 3}, "revision": "age"}
    counted = {"$add": [{"$ifNull": ["$age", 0]}, 1]}
    assert compiled({"$unset": "name"}, **options) == [
        {"$unset": ["name"]},
        {"$set": {"seen": {"$literal": 3}, "age": counted}},
    ]
    own = {"$set": {"seen": None}}
    assert compiled(own, **options)[1:] == [{"$set": {"age": counted}}]


@pytest.mark.parametrize(
    "stages",
    [
        [], [{}], ["x"], [3], [{"$set": {"age": 1}, "$unset": "name"}], [{"age": 1}],
        [{"$replaceWith": {}}], [{"$project": {"age": 1}}], [{"$match": {"age": 1}}],
        [{"$set": {"id": 1}}], [{"$unset": "_id"}], [{"$set": 3}],
        [{"$set": {"age": {"$add": [object(), 1]}}}], [{"$set": {"age": {"$add": fld["x"] > 1}}}],
    ],
    ids=itertools.count(),
)  # fmt: skip
def test_other_stages_are_refused(stages: list[Any]) -> None:
    with pytest.raises(lm.QueryError) as caught:
        compiled(*stages)
    assert caught.value.hint is not None


def test_unknown_fields_and_the_revision_are_refused() -> None:
    for stage in ({"$set": {"agee": 1}}, {"$unset": ["agee"]}, {"$set": {"age": fld["agee"]}}):
        with pytest.raises(lm.UnknownFieldError):
            compiled(stage)
    with pytest.raises(lm.QueryError, match="age counts the writes"):
        compiled({"$set": {"age": 1}}, revision="age")


@pytest.mark.parametrize("values", ["x", 3, b"x"])
def test_an_argument_that_is_no_update_is_refused(values: Any) -> None:
    with pytest.raises(lm.QueryError, match="takes a mapping"):
        compile_update(ModelResolver(User), values, {}, auto_values={})


def test_a_pipeline_takes_no_further_fields() -> None:
    with pytest.raises(lm.QueryError, match="mixes the stages of a pipeline with fields"):
        compile_update(ModelResolver(User), [{"$unset": "name"}], {"age": 1}, auto_values={})
