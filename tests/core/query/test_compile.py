from __future__ import annotations

import operator
import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from bson import ObjectId
from bson.decimal128 import Decimal128
from bson.regex import Regex
from pydantic import RootModel

import loom_async as lm
from loom_async import element, fld
from tests.core.query.models import Address, Color, User, compiled

age, name, tags, scores = fld["age"], fld["name"], fld["emails"], fld["scores"]
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


def test_python_type_int_matches_both_integer_types() -> None:
    kinds = compiled(age.is_type(int, float))["age"]["$type"]
    assert kinds == ["int", "long", "double"]


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


@pytest.mark.parametrize(
    "value",
    [
        {"$ne": None}, {"$where": "1"}, {"$gt": ""}, {"$regex": ".*"}, {}, "$name", "",
        [{"$gt": 1}], None, True, b"\0", ObjectId(b"twelve bytes"), 1.5,
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("path", ["name", "meta", "meta.a", "email"])
def test_value_stays_a_value_under_every_comparison(path: str, value: Any) -> None:
    field = fld[path]
    for symbol, condition in {
        "$eq": field == value,
        "$ne": field != value,
        "$gt": field > value,
        "$lte": field <= value,
    }.items():
        assert compiled(condition) == {path: {symbol: value}}


def test_operator_like_values_in_a_list_are_compared_one_by_one() -> None:
    assert compiled(name.is_in([operator_like, 1])) == {
        "$or": [{"name": {"$eq": operator_like}}, {"name": {"$eq": 1}}]
    }
    assert compiled(name.is_not_in([operator_like, 1])) == {
        "$nor": [{"name": {"$eq": operator_like}}, {"name": {"$eq": 1}}]
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


def test_membership_reads_a_generator_once() -> None:
    condition = age.is_in(n for n in range(3))
    assert compiled(condition) == compiled(condition) == {"age": {"$in": [0, 1, 2]}}


@pytest.mark.parametrize("values", ["abc", b"abc", 3, None])
def test_membership_takes_no_single_value(values: Any) -> None:
    for ask in (name.is_in, name.is_not_in, name.is_all):
        with pytest.raises(lm.QueryError, match="several values"):
            ask(values)


@pytest.mark.parametrize("path", ["$where", "a.$b", "$", "a.", ".a", "", "a..b", "a\0b"])
def test_name_that_would_be_an_operator_is_refused(path: str) -> None:
    for make in (fld.__getitem__, fld, fld["meta"].__getitem__):
        with pytest.raises(lm.QueryError):
            make(path)


@pytest.mark.parametrize("path", ["$where", "$expr"])
def test_lambda_refuses_a_name_that_would_be_an_operator(path: str) -> None:
    with pytest.raises(lm.QueryError):
        compiled(lambda u: u[path] == 1, None)


@pytest.mark.parametrize("path", [3, None, b"a", ("a",)])
def test_name_that_is_no_string_is_refused(path: Any) -> None:
    with pytest.raises(lm.QueryError, match="named by a string"):
        fld[path]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (fld["email"] == "A@B", {"email": {"$eq": "a@b"}}),
        (fld["email"].is_in(["A", "b"]), {"email": {"$in": ["a", "b"]}}),
        (fld["email"].contains("X."), {"email": {"$regex": r"x\."}}),
        (fld["email"].starts_with("X"), {"email": {"$regex": "^x"}}),
        (fld["email"] == None, {"email": {"$eq": None}}),
        (fld["email"] == 3, {"email": {"$eq": 3}}),
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
        (fld["id"].is_in([str(KEY), "x"]), {"_id": {"$in": [KEY, "x"]}}),
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


_LOGICAL = {"$and", "$or", "$nor"}


def operands_of(compiled_form: Any, operator: str) -> list[Any]:
    if isinstance(compiled_form, list):
        return [hit for item in compiled_form for hit in operands_of(item, operator)]
    if not isinstance(compiled_form, dict):
        return []
    own = [compiled_form[operator]] if operator in compiled_form else []
    return [*own, *operands_of(list(compiled_form.values()), operator)]


@pytest.mark.parametrize(
    "condition",
    [
        (element > 1) & ((element == 2) | (element == 3)),
        (element > 1) & (element > 2),
        ~((element == 1) | (element == 2)),
        ~(element > 2) & ~(element < 2),
        element.is_in([operator_like, 1]),
        element.is_not_in([operator_like, 1]),
    ],
    ids=repr,
)
def test_condition_over_plain_elements_is_sayable_or_refused(condition: Any) -> None:
    try:
        found = compiled(fld["meta.x"].elem_match(condition))
    except lm.QueryError:
        return
    for alternative in found.get("$or", [found]):
        (path,) = alternative
        assert not {"$and", "$or", "$nor"} & alternative[path]["$elemMatch"].keys()


@pytest.mark.parametrize("condition", [element == 3, lambda u: u, lambda u: u == 3])
def test_condition_of_no_field_is_refused(condition: Any) -> None:
    with pytest.raises(lm.QueryError):
        compiled(condition)


@pytest.mark.parametrize(
    "condition", [{"age": 3}, 3, True, None, "age", [age == 3], lambda u: True, lambda u: {"a": 1}]
)
def test_what_is_no_condition_is_refused_with_a_hint(condition: Any) -> None:
    with pytest.raises(lm.QueryError, match="Hint: "):
        compiled(condition)


def test_raw_takes_a_mapping_only() -> None:
    with pytest.raises(lm.QueryError):
        lm.raw("age > 3")  # type: ignore[arg-type]


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
def test_nearest_name_is_told(path: str, nearest: str) -> None:
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
    assert compiled(fld[path] == 1) == {path: {"$eq": 1}}


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
