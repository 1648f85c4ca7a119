from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest

import loom_async as lm
from tests.core.query.models import KEYS, User, compiled


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda u: u.age > 25, {"age": {"$gt": 25}}),
        (lambda u: operator.lt(25, u.age), {"age": {"$gt": 25}}),
        (
            lambda u: (u.age >= 1) & (u.address.city == "Prague"),
            {"age": {"$gte": 1}, "address.city": {"$eq": "Prague"}},
        ),
        (
            lambda u: (u.age < 1) | (u.age <= 2) | (u.age != 3),
            {"$or": [{"age": {"$lt": 1}}, {"age": {"$lte": 2}}, {"age": {"$ne": 3}}]},
        ),
        (lambda u: u.active, {"active": {"$eq": True}}),
        (lambda u: ~u.active, {"$nor": [{"active": {"$eq": True}}]}),
        (lambda u: u.id == KEYS[1], {"_id": {"$eq": KEYS[0]}}),
        (lambda u: u.email == "A@B", {"email": {"$eq": "a@b"}}),
        (lambda u: u.alias == "x", {"storedAs": {"$eq": "x"}}),
        (lambda u: u.name.startswith("a."), {"name": {"$regex": r"^a\."}}),
        (lambda u: u.name.endswith("z"), {"name": {"$regex": r"z\z"}}),
        (lambda u: u.scores[0] == 1, {"scores.0": {"$eq": 1}}),
        (lambda u: u.orders[0].sku == "a", {"orders.0.sku": {"$eq": "a"}}),
        (lambda u: u.meta["key"]["deep"] == 1, {"meta.key.deep": {"$eq": 1}}),
        (lambda u: u.by_name["x"].city == "B", {"by_name.x.city": {"$eq": "B"}}),
        (
            lambda u: lm.fld(u.name).contains("x") & (u.age > 3),
            {"name": {"$regex": "x"}, "age": {"$gt": 3}},
        ),
        (lambda u: (u.age > 3) & lm.fld(u.age).is_in([4]), {"age": {"$gt": 3, "$in": [4]}}),
        (lambda u: u.name == {"$ne": None}, {"name": {"$eq": {"$ne": None}}}),
        (lambda u: u.name == None, {"name": {"$eq": None}}),
    ],
)
def test_lambda_form(condition: Any, expected: Any) -> None:
    assert compiled(condition) == expected


@pytest.mark.parametrize(
    ("condition", "path", "nearest"),
    [
        (lambda u: u.agee > 1, "agee", "age"),
        (lambda u: u.address.ciy == "x", "address.ciy", "city"),
        (lambda u: u.orders[0].skuu == "x", "orders.0.skuu", "sku"),
        (lambda u: u.name.lower() == "x", "name.lower", None),
        (lambda u: u.startswith("x"), "startswith", None),
        (lambda u: lm.fld(u.namee).contains("x"), "namee", "name"),
    ],
)
def test_unknown_field_is_refused_when_the_query_is_built(
    condition: Any, path: str, nearest: str | None
) -> None:
    with pytest.raises(lm.UnknownFieldError) as caught:
        User.filter(condition)
    assert (caught.value.path, caught.value.nearest) == (path, nearest)


@pytest.mark.parametrize(
    "condition",
    [
        lambda u: u.age > 1 and u.age < 3,
        lambda u: u.age > 1 or u.age < 3,
        lambda u: not u.active,
        lambda u: 1 < u.age < 3,
        lambda u: u.age if u.active else u.name,
        lambda u: u.age in [1, 2],
        lambda u: 3 in u.scores,
        lambda u: len(u.scores) == 2,
        lambda u: list(u.scores),
        lambda u: u.age + 1 > 2,
        lambda u: 1 - u.age > 2,
        lambda u: -u.age > 2,
        lambda u: abs(u.age) > 2,
        lambda u: u.age % 2 == 0,
        lambda u: u.age() > 2,
        lambda u: u.age > u.scores,
        lambda u: u.age > lm.fld["name"],
        lambda u: u.active == (u.age > 1),
        lambda u: u.name.startswith(3),
        lambda u: setattr(u, "age", 3),
        lambda u: u.age == 1 & u.active,
    ],
)
def test_expressions_that_a_query_cannot_record_are_refused(
    condition: Callable[[Any], Any],
) -> None:
    with pytest.raises(lm.QueryError):
        User.filter(condition)


def test_method_names_of_strings_can_be_fields() -> None:
    @lm.declare_persist_db("shop", "odd")
    class Odd(lm.PersistableBase):
        startswith: int
        contains: str
        path: str

    assert compiled(lambda o: o.startswith > 1, Odd) == {"startswith": {"$gt": 1}}
    assert compiled(lambda o: (o.contains == "x") & (o.path == "y"), Odd) == {
        "contains": {"$eq": "x"},
        "path": {"$eq": "y"},
    }


def test_after_a_stage_any_name_is_accepted() -> None:
    query = User.filter().project("name").filter(lambda row: row.total.sum > 3)
    assert "{'total.sum': {'$gt': 3}}" in repr(query)
