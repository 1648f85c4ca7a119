"""Paths of updates to elements of arrays, and their filters."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import BaseModel

import loom_async as lm
from loom_async import fld
from loom_async._core.clock import now
from loom_async._core.query.query_update import QueryUpdate, UpdateArguments, compile_query_update


class Part(BaseModel):
    code: lm.StrUpper
    size: int = 0


class Item(BaseModel):
    sku: lm.StrLower
    count: int = 0
    label: str = ""
    parts: list[Part] = []
    sizes: list[int] = []

    model_config = {"validate_by_name": True}


class Basket(lm.PersistableBase):
    items: list[Item] = []
    spare: list[Item] | None = None
    tags: list[lm.StrLower] = []
    grid: list[list[int]] = []
    first: Item | None = None
    anything: Any = None
    by_name: dict[str, list[Item]] = {}


def compiled(values: dict[str, Any], *filters: Any, **keywords: Any) -> QueryUpdate:
    arguments = UpdateArguments(values, {}, array_filters=filters, **keywords)
    return compile_query_update(Basket, {}, arguments, now())


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"items.$.sku": "AB"}, {"$set": {"items.$.sku": "ab"}}),
        ({"tags.$": "AB"}, {"$set": {"tags.$": "ab"}}),
        ({"tags.$[]": "AB"}, {"$set": {"tags.$[]": "ab"}}),
        ({"$inc": {"items.$[].count": 1}}, {"$inc": {"items.$[].count": 1}}),
        ({"grid.$[].$[]": 0}, {"$set": {"grid.$[].$[]": 0}}),
        ({"spare.$[].parts.$[].code": "x"}, {"$set": {"spare.$[].parts.$[].code": "X"}}),
        ({"by_name.a.$[].sku": "X"}, {"$set": {"by_name.a.$[].sku": "x"}}),
        ({"anything.$[].x": "X"}, {"$set": {"anything.$[].x": "X"}}),
        ({"items.$": Item(sku="A")}, {"$set": {"items.$": {
            "sku": "a", "count": 0, "label": "", "parts": [], "sizes": []}}}),
        ({"$unset": {"items.$[].label": ""}}, {"$unset": {"items.$[].label": ""}}),
        ({"$pull": {"items.$[].parts": fld["code"] == "x"}},
         {"$pull": {"items.$[].parts": {"code": {"$eq": "X"}}}}),
        ({"$push": {"items.$[].sizes": 3}}, {"$push": {"items.$[].sizes": 3}}),
    ],
    ids=repr,
)  # fmt: skip
def test_elements_are_fields_of_their_array(values: Any, expected: Any) -> None:
    assert compiled(values).update == expected


@pytest.mark.parametrize(
    ("path", "given", "expected"),
    [
        ("items.$[x].count", {"x.sku": "AB"}, {"x.sku": "ab"}),
        ("items.$[x].count", {"x.count": {"$gte": 5}}, {"x.count": {"$gte": 5}}),
        ("items.$[x].count", {"x.sku": {"$in": ["A", "B"]}}, {"x.sku": {"$in": ["a", "b"]}}),
        ("items.$[x].count", {"x.sku": {"$not": {"$eq": "A"}}}, {"x.sku": {"$not": {"$eq": "a"}}}),
        ("items.$[x].count", {"x.sku": {"$exists": True}}, {"x.sku": {"$exists": True}}),
        ("items.$[x].count", {"x.sku": re.compile("A")}, {"x.sku": re.compile("A")}),
        ("items.$[x].count", {"$or": [{"x.sku": "A"}, {"x.count": 1}]},
         {"$or": [{"x.sku": "a"}, {"x.count": 1}]}),
        ("items.$[x].count", {"x.parts": {"$elemMatch": {"code": "a", "size": {"$gt": 1}}}},
         {"x.parts": {"$elemMatch": {"code": "A", "size": {"$gt": 1}}}}),
        ("items.$[x].count", {"x.sizes": {"$elemMatch": {"$gt": 1}}},
         {"x.sizes": {"$elemMatch": {"$gt": 1}}}),
        ("items.$[x].count", {"x.parts.code": "a"}, {"x.parts.code": "A"}),
        ("tags.$[x]", {"x": "AB"}, {"x": "ab"}),
        ("tags.$[x]", {"x": {"$ne": "AB"}}, {"x": {"$ne": "ab"}}),
        ("tags.$[x]", {"x": {"a": 1}}, {"x": {"$eq": {"a": 1}}}),
    ],
    ids=repr,
)  # fmt: skip
def test_array_filters_have_stored_names_and_values(path: str, given: Any, expected: Any) -> None:
    assert compiled({"$unset": {path: ""}}, given).array_filters == [expected]


def test_one_identifier_for_paths_of_one_array() -> None:
    both = {"items.$[x].sku": "A", "items.$[x].count": 2}
    assert compiled(both, {"x.sku": "B"}) == (
        {"$set": {"items.$[x].sku": "a", "items.$[x].count": 2}}, [{"x.sku": "b"}], False,
    )  # fmt: skip


def test_identifiers_of_nested_arrays() -> None:
    update = compiled({"items.$[x].parts.$[y].size": 1}, {"y.code": "a"}, {"x.sku": "B"})
    assert update.array_filters == [{"y.code": "A"}, {"x.sku": "b"}]


@pytest.mark.parametrize(
    ("values", "filters", "nearest"),
    [
        ({"items.$[].skuu": 1}, [], "sku"),
        ({"items.$.parts.$[].cod": 1}, [], "code"),
        ({"items.$[x].skuu": 1}, [{"x.sku": "a"}], "sku"),
        ({"items.$[x].sku": "a"}, [{"x.skuu": "a"}], "sku"),
        ({"items.$[x].sku": "a"}, [{"$or": [{"x.skuu": "a"}]}], "sku"),
        ({"items.$[x].sku": "a"}, [{"x.parts": {"$elemMatch": {"cod": "a"}}}], "code"),
        ({"itmes.$[].sku": 1}, [], "items"),
    ],
    ids=repr,
)
def test_unknown_fields_of_elements_are_refused(values: Any, filters: Any, nearest: str) -> None:
    with pytest.raises(lm.UnknownFieldError) as caught:
        compiled(values, *filters)
    assert caught.value.nearest == nearest


@pytest.mark.parametrize(
    ("values", "filters", "message"),
    [
        ({"first.$[].sku": "a"}, [], "is not an array"),
        ({"items.$[].count.$": 1}, [], "is not an array"),
        ({"items.$.parts.$.size": 1}, [], "more than one"),
        ({"items.$[X].count": 1}, [{"X.count": 1}], "cannot name"),
        ({"items.$[x].count": 1}, [], "has no filter"),
        ({"items.$[x].count": 1}, [{"y.count": 1}], "does not name"),
        ({"items.$[].count": 1}, [{"x.count": 1}], "does not name"),
        ({"items.$[x].count": 1}, [{"x.count": 1}, {"x.sku": "a"}], "two filters"),
        ({"items.$[x].parts.$[y].size": 1}, [{"x.count": 1, "y.size": 2}], "x and y"),
        ({"items.$[x].count": 1}, [{}], "no element"),
        ({"items.$[x].count": 1}, [{"$expr": True}], "outside of a field"),
        ({"items.$[x].count": 1}, [{"$and": {"x.count": 1}}], "a list of filters"),
        ({"items.$[x].count": 1}, [fld["x.count"] > 1], "MongoDB filter"),
        ({"items.$[x].count": 1}, [{"x.count": fld["y"] > 1}], "operators"),
        ({"items.$[x].count": 1, "tags.$[x]": "A"}, [{"x": "A"}], "differently"),
    ],
    ids=repr,
)
def test_array_filters_that_mongodb_refuses(values: Any, filters: Any, message: str) -> None:
    with pytest.raises(lm.QueryError, match=re.escape(message)):
        compiled(values, *filters)


def test_array_filters_is_a_list() -> None:
    with pytest.raises(lm.QueryError, match="a list of filters"):
        compile_query_update(
            Basket,
            {},
            UpdateArguments({"items.$[x].count": 1}, {}, array_filters={"x.count": 1}),  # type: ignore[arg-type]
            now(),
        )


def test_upserts_have_no_matched_element() -> None:
    with pytest.raises(lm.QueryError, match="no element that the query matched"):
        compiled({"items.$.sku": "a"}, upsert=True)


@pytest.mark.parametrize("path", ["items.$", "items.$[]", "items.$[x].sku"])
def test_conditions_have_no_such_paths(path: str) -> None:
    with pytest.raises(lm.QueryError):
        Basket.filter(fld[path] == 1)
    with pytest.raises(lm.QueryError):
        Basket.filter().sort(path)
