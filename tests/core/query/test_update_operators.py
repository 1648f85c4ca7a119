"""Updates of `LoadDirective.update`: fields to set, and MongoDB's operators."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128, ObjectId

import loom_async as lm
from loom_async import element, fld
from loom_async._core.query.model_resolver import ModelResolver
from loom_async._core.query.update_operators import compile_update
from tests.core.query.models import KEYS, Address, Color, Order, User

Update = dict[str, Any]


def compiled(values: Any = None, **fields: Any) -> Update:
    return compile_update(ModelResolver(User), values, fields, auto_values={})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"age": 3}, {"$set": {"age": 3}}),
        ({"address.city": "Brno"}, {"$set": {"address.city": "Brno"}}),
        ({"alias": "x"}, {"$set": {"storedAs": "x"}}),
        ({"email": "A@B"}, {"$set": {"email": "a@b"}}),
        ({"friend": KEYS[1]}, {"$set": {"friend": KEYS[0]}}),
        ({"color": Color.BLUE}, {"$set": {"color": 2}}),
        ({"meta": {"$ne": 1}}, {"$set": {"meta": {"$ne": 1}}}),
        ({"address": Address(city="Brno")}, {"$set": {"address": {"city": "Brno", "zip": None}}}),
        ({"$set": {"price": Decimal(2)}}, {"$set": {"price": Decimal128("2")}}),
        ({"$inc": {"age": 1}}, {"$inc": {"age": 1}}),
        ({"$unset": {"alias": ""}}, {"$unset": {"storedAs": ""}}),
        ({"$rename": {"nick": "name"}}, {"$rename": {"nick": "name"}}),
        ({"$pullAll": {"codes": ["ab"]}}, {"$pullAll": {"codes": ["AB"]}}),
    ],
    ids=repr,
)
def test_values_are_encoded_as_the_field_stores_them(values: Update, expected: Update) -> None:
    assert compiled(values) == expected


def test_fields_are_added_to_set() -> None:
    assert compiled({"age": 3}, name="x") == {"$set": {"age": 3, "name": "x"}}
    assert compiled({"$set": {"age": 3}, "$inc": {"scores.0": 1}}, name="x") == {
        "$set": {"age": 3, "name": "x"},
        "$inc": {"scores.0": 1},
    }


@pytest.mark.parametrize("operator", ["$push", "$addToSet"])
@pytest.mark.parametrize(
    ("operand", "expected"),
    [
        ({"emails": "A"}, {"emails": "a"}),
        ({"emails": {"$each": ["A", "B"]}}, {"emails": {"$each": ["a", "b"]}}),
        ({"orders": {"sku": "a"}}, {"orders": {"$each": [{"sku": "a"}]}}),
        (
            {"orders": Order(sku="a")},
            {"orders": {"$each": [{"sku": "a", "count": 1, "tags": []}]}},
        ),
        (
            {"emails": lm.raw({"$each": ["A"], "$slice": -2})},
            {"emails": {"$each": ["a"], "$slice": -2}},
        ),
        ({"orders": lm.raw({"$each": [{"sku": "a"}]})}, {"orders": {"$each": [{"sku": "a"}]}}),
    ],
    ids=repr,
)
def test_documents_are_items_not_modifiers(
    operator: str, operand: Update, expected: Update
) -> None:
    assert compiled({operator: operand}) == {operator: expected}


@pytest.mark.parametrize(
    ("operand", "expected"),
    [
        ({"emails": "A"}, {"emails": "a"}),
        ({"scores": {"$gt": 3}}, {"scores": {"$gt": 3}}),
        ({"scores": (element > 3) & (element < 9)}, {"scores": {"$gt": 3, "$lt": 9}}),
        ({"orders": fld["sku"] == "a"}, {"orders": {"sku": {"$eq": "a"}}}),
        ({"orders": lm.raw({"sku": "a"})}, {"orders": {"sku": "a"}}),
        (
            {"orders": {"sku": "a", "count": 1, "tags": []}},
            {"orders": {"$eq": {"sku": "a", "count": 1, "tags": []}}},
        ),
    ],
    ids=repr,
)
def test_pull_takes_items_and_conditions(operand: Update, expected: Update) -> None:
    assert compiled({"$pull": operand}) == {"$pull": expected}


def test_pull_takes_a_pattern_for_strings() -> None:
    pattern = re.compile("^a")
    assert compiled({"$pull": {"emails": pattern}}) == {"$pull": {"emails": pattern}}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (None, "nothing to update"),
        ({"$set": {}}, "nothing to update"),
        ({"age": 3, "$inc": {"age": 1}}, "mixes fields (age) with operators ($inc)"),
        ({"$inc": 3}, "$inc takes a mapping of fields, not 3"),
        ({"id": 3}, "the id of a document never changes"),
        ({"$unset": {"_id": ""}}, "the id of a document never changes"),
        ({"age": fld["age"]}, "a condition or a field, not a value"),
        ({"$set": {"age": lm.raw({"$gt": 1})}}, "a condition or a field, not a value"),
        ({"$push": {"orders": {"$each": [{"sku": "a"}]}}}, "is not an item of orders"),
        ({"$pull": {"orders": {"sku": "a"}}}, "is not a whole item of orders"),
        ({"$pull": {"scores": (element == 1) | (element > 5)}}, "takes no alternatives"),
    ],
    ids=repr,
)
def test_updates_that_mongodb_would_misread_are_refused(values: Any, message: str) -> None:
    with pytest.raises(lm.QueryError, match=re.escape(message)):
        compiled(values)


@pytest.mark.parametrize("values", [{"agee": 3}, {"$inc": {"agee": 1}}, {"address.ciy": "x"}])
def test_unknown_fields_are_refused(values: Update) -> None:
    with pytest.raises(lm.UnknownFieldError):
        compiled(values)


def test_auto_values_are_set_unless_the_update_sets_them() -> None:
    def update(values: Update) -> Update:
        auto_values = {"updated_time": 5, "storedAs": "auto"}
        return compile_update(ModelResolver(User), values, {}, auto_values=auto_values)

    assert update({"age": 3}) == {"$set": {"age": 3, "updated_time": 5, "storedAs": "auto"}}
    assert update({"$unset": {"alias": ""}}) == {
        "$unset": {"storedAs": ""},
        "$set": {"updated_time": 5},
    }


def test_revisions_are_counted() -> None:
    def update(values: Update) -> Update:
        resolver = ModelResolver(User)
        return compile_update(resolver, values, {}, auto_values={}, revision="scores")

    assert update({"age": 3}) == {"$set": {"age": 3}, "$inc": {"scores": 1}}
    assert update({"$inc": {"age": 1}}) == {"$inc": {"age": 1, "scores": 1}}
    with pytest.raises(lm.QueryError, match="scores counts the writes"):
        update({"scores": [1]})


def test_the_arguments_are_left_unchanged() -> None:
    key = ObjectId()
    values: Update = {"$push": {"friends": lm.raw({"$each": [str(key)]})}, "$set": {"age": 1}}
    assert compiled(values, name="x")["$push"] == {"friends": {"$each": [key]}}
    assert values["$set"] == {"age": 1}
