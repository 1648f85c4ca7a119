"""Each condition has its form in MongoDB's filters, and no value becomes an operator."""

from __future__ import annotations

import operator
import re
from datetime import datetime
from itertools import product
from typing import Any

import pytest
from bson import ObjectId
from bson.regex import Regex

import loom_async as lm
from loom_async import element, fld
from tests.core.query.models import Color, compiled

age, name, scores = fld["age"], fld["name"], fld["scores"]
pattern = re.compile("a.b")
operator_like: dict[str, Any] = {"$ne": None}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (age == 3, {"age": {"$eq": 3}}),
        (age != 3, {"age": {"$ne": 3}}),
        (age > 3, {"age": {"$gt": 3}}),
        (age >= 3, {"age": {"$gte": 3}}),
        (age < 3, {"age": {"$lt": 3}}),
        (age <= 3, {"age": {"$lte": 3}}),
        (operator.lt(3, age), {"age": {"$gt": 3}}),
        (age.is_in([1, 2]), {"age": {"$in": [1, 2]}}),
        (age.is_in([]), {"age": {"$in": []}}),
        (age.is_not_in((1, 2)), {"age": {"$nin": [1, 2]}}),
        (scores.is_all([1, 2]), {"scores": {"$all": [1, 2]}}),
        (scores.is_not_all([1]), {"$nor": [{"scores": {"$all": [1]}}]}),
        (scores.has_size(2), {"scores": {"$size": 2}}),
        (name.is_null(), {"name": {"$eq": None}}),
        (name.is_not_null(), {"name": {"$ne": None}}),
        (name.is_exists(), {"name": {"$exists": True}}),
        (name.is_not_exists(), {"name": {"$exists": False}}),
        (fld["active"].is_true(), {"active": {"$eq": True}}),
        (fld["active"].is_false(), {"active": {"$eq": False}}),
        (fld["active"], {"active": {"$eq": True}}),
        (~fld["active"], {"$nor": [{"active": {"$eq": True}}]}),
        (fld["color"].is_enum(Color), {"color": {"$in": ["red", 2]}}),
        (fld["color"].is_enum(Color.BLUE), {"color": {"$eq": 2}}),
        (name.is_type("string"), {"name": {"$type": ["string"]}}),
        (age.is_type(int, 1), {"age": {"$type": ["int", "long", 1]}}),
        (name.is_type(datetime, ObjectId), {"name": {"$type": ["date", "objectId"]}}),
        (name.matches("^a"), {"name": {"$regex": "^a", "$options": ""}}),
        (name.matches("^a", "mi"), {"name": {"$regex": "^a", "$options": "im"}}),
        (
            name.matches(re.compile("a", re.IGNORECASE | re.DOTALL)),
            {"name": {"$regex": "a", "$options": "is"}},
        ),
        (name.contains("a.b"), {"name": {"$regex": r"a\.b"}}),
        (name.contains("A", ignore_case=True), {"name": {"$regex": "A", "$options": "i"}}),
        (name.starts_with("a+"), {"name": {"$regex": r"^a\+"}}),
        (name.ends_with("a$"), {"name": {"$regex": r"a\$\z"}}),
        (lm.text("tea"), {"$text": {"$search": "tea"}}),
        (
            lm.text("tea", language="cs", case_sensitive=True, diacritic_sensitive=True),
            {
                "$text": {
                    "$search": "tea",
                    "$language": "cs",
                    "$caseSensitive": True,
                    "$diacriticSensitive": True,
                }
            },
        ),
        (lm.raw({"$expr": {"$gt": ["$a", "$b"]}}), {"$expr": {"$gt": ["$a", "$b"]}}),
        (
            fld["place"].near((14.4, 50), max_distance=5),
            {
                "place": {
                    "$near": {
                        "$geometry": {"type": "Point", "coordinates": [14.4, 50.0]},
                        "$maxDistance": 5,
                    }
                }
            },
        ),
        (
            fld["place"].within(center=(14, 50), radius=6_378_100),
            {"place": {"$geoWithin": {"$centerSphere": [[14.0, 50.0], 1.0]}}},
        ),
        (
            fld["place"].within({"type": "Polygon", "coordinates": []}),
            {"place": {"$geoWithin": {"$geometry": {"type": "Polygon", "coordinates": []}}}},
        ),
    ],
    ids=repr,
)
def test_each_operator_has_its_mongodb_form(condition: Any, expected: Any) -> None:
    assert compiled(condition) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ((age > 1) & (age < 3), {"age": {"$gt": 1, "$lt": 3}}),
        ((age > 1) & (name == "x"), {"age": {"$gt": 1}, "name": {"$eq": "x"}}),
        ((age > 1) & (age > 3), {"$and": [{"age": {"$gt": 1}}, {"age": {"$gt": 3}}]}),
        (
            (age > 1) & (age < 5) & (name != "x"),
            {"age": {"$gt": 1, "$lt": 5}, "name": {"$ne": "x"}},
        ),
        (
            (age == 1) | (age == 2) | (name == "x"),
            {"$or": [{"age": {"$eq": 1}}, {"age": {"$eq": 2}}, {"name": {"$eq": "x"}}]},
        ),
        (~(age == 1), {"$nor": [{"age": {"$eq": 1}}]}),
        (~~(age == 1), {"$nor": [{"$nor": [{"age": {"$eq": 1}}]}]}),
        (
            ((age == 1) | (age == 2)) & ((age == 2) | (age == 3)),
            {
                "$and": [
                    {"$or": [{"age": {"$eq": 1}}, {"age": {"$eq": 2}}]},
                    {"$or": [{"age": {"$eq": 2}}, {"age": {"$eq": 3}}]},
                ]
            },
        ),
        (
            fld["active"] & ~fld["address.city"].is_null(),
            {"active": {"$eq": True}, "$nor": [{"address.city": {"$eq": None}}]},
        ),
    ],
    ids=repr,
)
def test_connectives(condition: Any, expected: Any) -> None:
    assert compiled(condition) == expected


def test_two_computed_conditions_are_both_kept() -> None:
    one, two = {"$expr": {"$gt": ["$a", "$b"]}}, {"$expr": {"$lt": ["$a", "$c"]}}
    assert compiled(lm.raw(one) & lm.raw(two)) == {"$and": [one, two]}


def test_compiling_leaves_a_raw_filter_as_it_was() -> None:
    given = {"age": {"$gt": 1}}
    assert compiled(lm.raw(given) & (age < 3)) == {"age": {"$gt": 1, "$lt": 3}}
    assert given == {"age": {"$gt": 1}}


OF_ANY_FIELD = [
    {"$ne": None}, {"$where": "1"}, {"$gt": ""}, {"$regex": ".*"}, {}, "$name", "", None
]  # fmt: skip
OF_ANOTHER_TYPE = [[{"$gt": 1}], True, ObjectId(b"twelve bytes"), 1.5]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *product(["name", "email"], OF_ANY_FIELD),
        *product(["meta", "meta.a"], [*OF_ANY_FIELD, *OF_ANOTHER_TYPE]),
    ],
    ids=repr,
)
def test_value_stays_a_value_under_every_comparison(path: str, value: Any) -> None:
    field = fld[path]
    for symbol, condition in {
        "$eq": field == value,
        "$ne": field != value,
        "$gt": field > value,
        "$lte": field <= value,
    }.items():
        assert compiled(condition) == {path: {symbol: value}}


@pytest.mark.parametrize("value", OF_ANOTHER_TYPE, ids=repr)
@pytest.mark.parametrize("path", ["name", "email"])
def test_a_value_of_another_type_is_refused(path: str, value: Any) -> None:
    field = fld[path]
    for condition in (field == value, field != value, field > value, field.is_in(["x", value])):
        with pytest.raises(lm.QueryError, match=f"cannot be compared with the values of '{path}'"):
            compiled(condition)


def test_operator_like_values_in_a_list_are_compared_one_by_one() -> None:
    assert compiled(name.is_in([operator_like, "1"])) == {
        "$or": [{"name": {"$eq": operator_like}}, {"name": {"$eq": "1"}}]
    }
    assert compiled(name.is_not_in([operator_like, "1"])) == {
        "$nor": [{"name": {"$eq": operator_like}}, {"name": {"$eq": "1"}}]
    }
    assert compiled(fld["meta"].is_all([operator_like, 1])) == {
        "$and": [{"meta": {"$eq": operator_like}}, {"meta": {"$eq": 1}}]
    }


@pytest.mark.parametrize("regex", [pattern, Regex("a.b", "i")], ids=repr)
def test_regular_expression_given_as_a_value_is_one(regex: Any) -> None:
    assert compiled(name == regex) == {"name": {"$eq": regex}}
    assert compiled(name != regex) == {"name": {"$not": {"$eq": regex}}}
    assert compiled(name.is_in([regex])) == {"name": {"$eq": regex}}
    assert compiled(name.is_in([regex, "x"])) == {
        "$or": [{"name": {"$eq": regex}}, {"name": {"$eq": "x"}}]
    }


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (
            scores.elem_match((element >= 80) & (element < 90)),
            {"scores": {"$elemMatch": {"$gte": 80, "$lt": 90}}},
        ),
        (scores.elem_match(~(element == 1)), {"scores": {"$elemMatch": {"$ne": 1}}}),
        (
            scores.elem_match((element == 1) | (element > 5)),
            {
                "$or": [
                    {"scores": {"$elemMatch": {"$eq": 1}}},
                    {"scores": {"$elemMatch": {"$gt": 5}}},
                ]
            },
        ),
        (
            fld["orders"].elem_match((fld["sku"] == "a") & (fld["count"] > 2)),
            {"orders": {"$elemMatch": {"sku": {"$eq": "a"}, "count": {"$gt": 2}}}},
        ),
        (
            fld["orders"].elem_match(lambda o: (o.sku == "a") & (o.count > 2)),
            {"orders": {"$elemMatch": {"sku": {"$eq": "a"}, "count": {"$gt": 2}}}},
        ),
        (
            fld["orders"].elem_match(fld["tags"].elem_match(element.starts_with("x"))),
            {"orders": {"$elemMatch": {"tags": {"$elemMatch": {"$regex": "^x"}}}}},
        ),
        (
            fld["orders"].elem_match(~(fld["sku"] == "a")),
            {"orders": {"$elemMatch": {"$nor": [{"sku": {"$eq": "a"}}]}}},
        ),
    ],
    ids=repr,
)
def test_one_element_meets_the_whole_condition(condition: Any, expected: Any) -> None:
    assert compiled(condition) == expected
