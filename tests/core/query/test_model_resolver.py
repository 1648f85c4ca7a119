"""Names and values in conditions become those that the model stores; unknown names are refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from bson import ObjectId
from bson.decimal128 import Decimal128
from pydantic import RootModel

import loom_async as lm
from loom_async import element, fld
from tests.core.query.models import Address, Color, User, compiled


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (fld["email"] == "A@B", {"email": {"$eq": "a@b"}}),
        (fld["email"].is_in(["A", "b"]), {"email": {"$in": ["a", "b"]}}),
        (fld["email"].contains("X."), {"email": {"$regex": r"x\."}}),
        (fld["email"].starts_with("X"), {"email": {"$regex": "^x"}}),
        (fld["email"] == None, {"email": {"$eq": None}}),
        (fld["nick"] == "Ann", {"nick": {"$eq": "ann"}}),
        (fld["emails"] == "A", {"emails": {"$eq": "a"}}),
        (fld["emails"] == ["A", "B"], {"emails": {"$eq": ["a", "b"]}}),
        (fld["emails"].is_all(["A"]), {"emails": {"$all": ["a"]}}),
        (fld["emails.0"] == "A", {"emails.0": {"$eq": "a"}}),
        (fld["emails"][1] == "A", {"emails.1": {"$eq": "a"}}),
        (fld["more_emails"] == "A", {"more_emails": {"$eq": "a"}}),
        (fld["codes"].is_in(["ab"]), {"codes": {"$in": ["AB"]}}),
        (fld["codes"].elem_match(element == "ab"), {"codes": {"$elemMatch": {"$eq": "AB"}}}),
    ],
    ids=repr,
)
def test_literals_are_normalised_like_the_field(condition: Any, expected: Any) -> None:
    assert compiled(condition) == expected


KEY = ObjectId("64f8a0c0c0c0c0c0c0c0c0c0")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (fld["id"] == KEY, {"_id": {"$eq": KEY}}),
        (fld["id"] == str(KEY), {"_id": {"$eq": KEY}}),
        (fld["_id"] == str(KEY), {"_id": {"$eq": KEY}}),
        (fld["id"].is_in([str(KEY), KEY]), {"_id": {"$in": [KEY, KEY]}}),
        (fld["friend"] == str(KEY), {"friend": {"$eq": KEY}}),
        (fld["friends"] == str(KEY), {"friends": {"$eq": KEY}}),
        (fld["alias"] == "x", {"storedAs": {"$eq": "x"}}),
        (fld["storedAs"] == "x", {"storedAs": {"$eq": "x"}}),
        (fld["name"] == str(KEY), {"name": {"$eq": str(KEY)}}),
    ],
    ids=repr,
)
def test_stored_names_and_ids(condition: Any, expected: Any) -> None:
    assert compiled(condition) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (fld["price"] == Decimal("1.50"), {"price": {"$eq": Decimal128("1.50")}}),
        (fld["color"] == Color.RED, {"color": {"$eq": "red"}}),
        (fld["color"].is_in(Color), {"color": {"$in": ["red", 2]}}),
        (fld["born"] >= date(2020, 1, 2), {"born": {"$gte": datetime(2020, 1, 2, tzinfo=UTC)}}),
        (fld["seen"] < datetime(2020, 1, 2), {"seen": {"$lt": datetime(2020, 1, 2, tzinfo=UTC)}}),
        (
            fld["seen"] == datetime(2020, 1, 1, 2, 0, 0, 1999, timezone(timedelta(hours=2))),
            {"seen": {"$eq": datetime(2020, 1, 1, 0, 0, 0, 1000, UTC)}},
        ),
        (
            fld["address"] == Address(city="Brno"),
            {"address": {"$eq": {"city": "Brno", "zip": None}}},
        ),
        (fld["meta.x"] == {"p": Decimal(1)}, {"meta.x": {"$eq": {"p": Decimal128("1")}}}),
        (fld["scores"] == (1, 2), {"scores": {"$eq": [1, 2]}}),
    ],
    ids=repr,
)
def test_python_types_become_what_is_stored(condition: Any, expected: Any) -> None:
    assert compiled(condition) == expected


@pytest.mark.parametrize("path", ["agee", "address.ciy", "orders.skuu", "by_name.x.ciy", "name.x"])
def test_unknown_field_is_refused_when_the_query_is_built(path: str) -> None:
    with pytest.raises(lm.UnknownFieldError) as caught:
        User.filter(fld[path] == 1)
    assert caught.value.path == path
    assert isinstance(caught.value, LookupError)


@pytest.mark.parametrize(
    ("path", "nearest"),
    [("agee", "age"), ("address.ciy", "city"), ("orders.skuu", "sku"), ("orders.0.sk", "sku")],
)
def test_the_error_names_the_nearest_field(path: str, nearest: str) -> None:
    with pytest.raises(lm.UnknownFieldError, match=f"did you mean '{nearest}'") as caught:
        User.filter(fld[path] == 1)
    assert caught.value.nearest == nearest


def test_unknown_field_inside_elements_is_refused() -> None:
    with pytest.raises(lm.UnknownFieldError) as caught:
        User.filter(fld["orders"].elem_match(fld["skuu"] == 1))
    assert caught.value.nearest == "sku"


@pytest.mark.parametrize(
    "path", ["meta.anything.at.all", "by_name.x.city", "orders.0.sku", "orders.sku", "matrix.0.1"]
)
def test_keys_of_dicts_and_elements_of_lists_are_known(path: str) -> None:
    assert compiled(fld[path] == "1") == {path: {"$eq": 1 if path == "matrix.0.1" else "1"}}


class Code(RootModel[lm.StrLower]):
    pass


@lm.declare_persist_db("shop", "coded")
class Coded(lm.PersistableBase):
    code: Code
    mixed: lm.StrLower | int = 0


@pytest.mark.parametrize("value", [Code("AB"), "AB", "ab"], ids=repr)
def test_wrapped_value_is_compared_as_it_is_stored(value: Any) -> None:
    assert compiled(fld["code"] == value, Coded) == {"code": {"$eq": "ab"}}


def test_literal_of_a_union_is_normalised() -> None:
    assert compiled(fld["mixed"] == "AB", Coded) == {"mixed": {"$eq": "ab"}}
    assert compiled(fld["mixed"] == 3, Coded) == {"mixed": {"$eq": 3}}
