"""Updates of array items: a value stays a value even if MongoDB reads it as an operator."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from bson import Regex
from pydantic import BaseModel, RootModel

import loom_async as lm
from loom_async import element, fld

pytestmark = pytest.mark.usefixtures("db")


class Line(BaseModel):
    sku: str
    count: int = 1


class Open(BaseModel, extra="allow"):
    sku: str = ""


class Lines(RootModel[list[Line]]):
    pass


@dataclass
class Plain:
    sku: str


@lm.declare_persist_db("shop", "baskets")
class Basket(lm.PersistableBase):
    anything: Any = None
    values: list[Any] = []
    dicts: list[dict[str, Any]] = []
    maybe: list[dict[str, Any] | str] | None = None
    lines: list[Line] = []
    wrapped: Lines = Lines([])
    opened: list[Open] = []
    plain: list[Plain] = []
    tags: list[str] = []
    codes: list[lm.StrUpper] | None = None
    labels: set[str] = set()
    scores: list[int] = []
    meta: dict[str, Any] = {}
    by_name: dict[str, list[str]] = {}


async def create_basket(**values: Any) -> Basket:
    basket = Basket(**values)
    await basket.persist()
    return basket


async def update_and_load(basket: Basket, update: dict[str, Any], field: str) -> Any:
    await Basket.filter(fld["id"] == basket.id).update(update)
    value: Any = (await Basket.filter(fld["id"] == basket.id).load_docs())[0]
    for name in field.split("."):
        value = value[name]
    return value


# Dicts that MongoDB would read as modifiers, conditions or operators.
DICTS: list[dict[str, Any]] = [
    {"$each": [1, 2]},
    {"$each": ["x"], "$slice": 0},
    {"$each": [], "$position": 0, "$sort": 1},
    {"a": 1, "$each": [2]},
    {"$slice": 0},
    {"$ne": None},
    {"$exists": True},
    {"$in": ["kept", 1]},
    {"$eq": {"$ne": 1}},
    {"a": {"$gt": 0}},
    {"a": 1},
    {},
]
each_dict = pytest.mark.parametrize("value", DICTS, ids=repr)
each_path = pytest.mark.parametrize(
    "path", ["values", "dicts", "maybe", "anything", "meta.list"], ids=str
)
KEPT: list[Any] = [{"a": 5, "b": 6}, {"kept": None}]


@each_dict
@each_path
async def test_push_and_add_to_set_store_a_dict_as_an_item(
    value: dict[str, Any], path: str
) -> None:
    basket = await create_basket(maybe=[])
    await Basket.filter().update({path: []})
    assert await update_and_load(basket, {"$push": {path: value}}, path) == [value]
    assert await update_and_load(basket, {"$push": {path: value}}, path) == [value, value]
    assert await update_and_load(basket, {"$addToSet": {path: value}}, path) == [value, value]
    assert await update_and_load(basket, {"$set": {path: KEPT}}, path) == KEPT
    assert await update_and_load(basket, {"$addToSet": {path: value}}, path) == [*KEPT, value]


@each_dict
@each_path
async def test_pull_compares_whole_dicts(value: dict[str, Any], path: str) -> None:
    basket = await create_basket(maybe=[])
    items = [*KEPT, value, *(other for other in DICTS if other != value), value]
    await Basket.filter().update({path: items})
    remaining = await update_and_load(basket, {"$pull": {path: value}}, path)
    assert remaining == [item for item in items if item != value]


@each_dict
@pytest.mark.parametrize("operator", ["$set", "$min", "$max"])
async def test_set_min_and_max_store_a_dict_as_a_value(
    value: dict[str, Any], operator: str
) -> None:
    basket = await create_basket()
    await Basket.filter().update({"$unset": {"anything": ""}})
    assert await update_and_load(basket, {operator: {"anything": value}}, "anything") == value


async def test_pull_all_compares_whole_values() -> None:
    basket = await create_basket(dicts=[*KEPT, *DICTS])
    assert await update_and_load(basket, {"$pullAll": {"dicts": DICTS}}, "dicts") == KEPT


@pytest.mark.parametrize("pattern", [re.compile("e"), Regex("e")], ids=["re", "bson"])
async def test_a_pattern_is_a_value_if_items_may_be_patterns(pattern: Any) -> None:
    basket = await create_basket(values=["kept", "e"], tags=["kept", "gone"])
    assert await update_and_load(basket, {"$push": {"values": pattern}}, "values") != ["kept", "e"]
    assert await update_and_load(basket, {"$pull": {"values": pattern}}, "values") == ["kept", "e"]
    # A tag cannot be a pattern, so the pattern is a condition.
    assert await update_and_load(basket, {"$pull": {"tags": pattern}}, "tags") == []


async def test_modifiers_of_arrays_without_documents() -> None:
    basket = await create_basket(tags=["a"], codes=["A"], scores=[3], by_name={"x": ["a"]})
    last = {"$each": ["b", "c"], "$slice": -2}
    assert await update_and_load(basket, {"$push": {"tags": last}}, "tags") == ["b", "c"]
    assert await update_and_load(basket, {"$push": {"by_name.x": last}}, "by_name.x") == ["b", "c"]
    first = {"$each": ["b"], "$position": 0}
    assert await update_and_load(basket, {"$push": {"codes": first}}, "codes") == ["B", "A"]
    labels = {"$each": ["x", "y", "x"]}
    assert await update_and_load(basket, {"$addToSet": {"labels": labels}}, "labels") == ["x", "y"]
    ordered = {"$each": [9, 1], "$sort": -1}
    assert await update_and_load(basket, {"$push": {"scores": ordered}}, "scores") == [9, 3, 1]


async def test_conditions_of_arrays_without_documents() -> None:
    basket = await create_basket(scores=[1, 5, 9], tags=["a", "b"], codes=["A", "B"])
    assert await update_and_load(basket, {"$pull": {"scores": {"$gte": 5}}}, "scores") == [1]
    assert await update_and_load(basket, {"$pull": {"tags": {"$in": ["a", "x"]}}}, "tags") == ["b"]
    assert await update_and_load(basket, {"$pull": {"codes": "a"}}, "codes") == ["B"]


async def test_raw_modifiers() -> None:
    basket = await create_basket(lines=[Line(sku="a")], dicts=[{"a": 1}])
    lines = {"$each": [Line(sku="b"), Line(sku="c")], "$slice": -2}
    found = await update_and_load(basket, {"$push": {"lines": lm.raw(lines)}}, "lines")
    assert found == [{"sku": "b", "count": 1}, {"sku": "c", "count": 1}]
    dicts = lm.raw({"$each": [{"a": 1}, {"$each": []}]})
    assert await update_and_load(basket, {"$addToSet": {"dicts": dicts}}, "dicts") == [
        {"a": 1},
        {"$each": []},
    ]


async def test_conditions_of_pull() -> None:
    lines = [Line(sku="a"), Line(sku="b", count=5), Line(sku="c", count=9)]
    basket = await create_basket(
        lines=lines, wrapped=Lines(lines), scores=[1, 5, 9], dicts=[{"a": 1}]
    )
    update: Any = {
        "$pull": {
            "lines": (fld["sku"] == "a") | (fld["count"] > 5),
            "wrapped": lm.raw({"count": {"$gte": 5}}),
            "scores": (element > 1) & (element < 9),
            "dicts": lm.raw({"a": {"$exists": True}}),
        }
    }
    assert await update_and_load(basket, update, "lines") == [{"sku": "b", "count": 5}]
    assert await update_and_load(basket, update, "wrapped") == [{"sku": "a", "count": 1}]
    assert await update_and_load(basket, update, "scores") == [1, 9]
    assert await update_and_load(basket, update, "dicts") == []
    with pytest.raises(lm.UnknownFieldError):
        await Basket.filter().update({"$pull": {"lines": fld["skuu"] == "a"}})
    with pytest.raises(lm.QueryError, match="no alternatives"):
        await Basket.filter().update({"$pull": {"scores": (element == 1) | (element > 5)}})


async def test_objects_as_items() -> None:
    basket = await create_basket()
    line = Line(sku="a")
    for path, item in (("lines", line), ("wrapped", line), ("plain", Plain("x")), ("values", line)):
        stored = {"sku": "x"} if path == "plain" else {"sku": "a", "count": 1}
        assert await update_and_load(basket, {"$push": {path: item}}, path) == [stored]
        assert await update_and_load(basket, {"$addToSet": {path: item}}, path) == [stored]
        assert await update_and_load(basket, {"$pull": {path: item}}, path) == []
    assert await update_and_load(
        basket, {"$push": {"lines": {"sku": "b", "count": 2}}}, "lines"
    ) == [{"sku": "b", "count": 2}]
    assert (
        await update_and_load(basket, {"$pull": {"lines": {"sku": "b", "count": 2}}}, "lines") == []
    )
    assert await update_and_load(basket, {"$push": {"opened": {"$each": [1]}}}, "opened") == [
        {"$each": [1]}
    ]


@pytest.mark.parametrize(
    ("update", "hint"),
    [
        ({"$push": {"lines": {"$each": [{"sku": "a"}]}}}, "lm.raw"),
        ({"$addToSet": {"lines": {"$each": [Line(sku="a")]}}}, "lm.raw"),
        ({"$push": {"wrapped": {"$each": []}}}, "lm.raw"),
        ({"$pull": {"lines": {"sku": "a"}}}, "lm.raw"),
        ({"$pull": {"lines": {"count": {"$gte": 5}}}}, "lm.raw"),
        ({"$pull": {"wrapped": {"$ne": None}}}, "lm.raw"),
        ({"$set": {"anything": lm.raw({"$ne": 1})}}, "$pull a condition"),
        ({"$push": {"values": fld["tags"] == "a"}}, "$pull a condition"),
        ({"anything": fld["tags"]}, "$pull a condition"),
    ],
)
async def test_invalid_items_raise(update: Any, hint: str) -> None:
    with pytest.raises(lm.QueryError) as caught:
        await Basket.filter().update(update)
    assert hint in str(caught.value.hint)
