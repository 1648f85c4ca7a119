"""Updates of array items: a value is a value, also where MongoDB would read more into it."""

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


async def basket(**values: Any) -> Basket:
    made = Basket(**values)
    await made.persist()
    return made


async def updated(made: Basket, update: dict[str, Any], field: str) -> Any:
    await Basket.filter(fld["id"] == made.id).update(update)
    value: Any = (await Basket.filter(fld["id"] == made.id).load_docs())[0]
    for name in field.split("."):
        value = value[name]
    return value


# What MongoDB would read as modifiers, as conditions or as operators.
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
async def test_a_dict_is_an_item(value: dict[str, Any], path: str) -> None:
    made = await basket(maybe=[])
    await Basket.filter().update({path: []})
    assert await updated(made, {"$push": {path: value}}, path) == [value]
    assert await updated(made, {"$push": {path: value}}, path) == [value, value]
    assert await updated(made, {"$addToSet": {path: value}}, path) == [value, value]
    assert await updated(made, {"$set": {path: KEPT}}, path) == KEPT
    assert await updated(made, {"$addToSet": {path: value}}, path) == [*KEPT, value]


@each_dict
@each_path
async def test_a_dict_is_pulled_as_a_whole(value: dict[str, Any], path: str) -> None:
    made = await basket(maybe=[])
    items = [*KEPT, value, *(other for other in DICTS if other != value), value]
    await Basket.filter().update({path: items})
    left = await updated(made, {"$pull": {path: value}}, path)
    assert left == [item for item in items if item != value]


@each_dict
@pytest.mark.parametrize("operator", ["$set", "$min", "$max"])
async def test_a_dict_is_a_value(value: dict[str, Any], operator: str) -> None:
    made = await basket()
    await Basket.filter().update({"$unset": {"anything": ""}})
    assert await updated(made, {operator: {"anything": value}}, "anything") == value


async def test_every_item_of_pull_all_is_a_value() -> None:
    made = await basket(dicts=[*KEPT, *DICTS])
    assert await updated(made, {"$pullAll": {"dicts": DICTS}}, "dicts") == KEPT


@pytest.mark.parametrize("pattern", [re.compile("e"), Regex("e")], ids=["re", "bson"])
async def test_a_pattern_is_a_value_where_items_may_be_patterns(pattern: Any) -> None:
    made = await basket(values=["kept", "e"], tags=["kept", "gone"])
    assert await updated(made, {"$push": {"values": pattern}}, "values") != ["kept", "e"]
    assert await updated(made, {"$pull": {"values": pattern}}, "values") == ["kept", "e"]
    # No tag is a pattern: here it can only be a condition.
    assert await updated(made, {"$pull": {"tags": pattern}}, "tags") == []


async def test_modifiers_where_no_item_is_a_document() -> None:
    made = await basket(tags=["a"], codes=["A"], scores=[3], by_name={"x": ["a"]})
    last = {"$each": ["b", "c"], "$slice": -2}
    assert await updated(made, {"$push": {"tags": last}}, "tags") == ["b", "c"]
    assert await updated(made, {"$push": {"by_name.x": last}}, "by_name.x") == ["b", "c"]
    first = {"$each": ["b"], "$position": 0}
    assert await updated(made, {"$push": {"codes": first}}, "codes") == ["B", "A"]
    labels = {"$each": ["x", "y", "x"]}
    assert await updated(made, {"$addToSet": {"labels": labels}}, "labels") == ["x", "y"]
    ordered = {"$each": [9, 1], "$sort": -1}
    assert await updated(made, {"$push": {"scores": ordered}}, "scores") == [9, 3, 1]


async def test_conditions_where_no_item_is_a_document() -> None:
    made = await basket(scores=[1, 5, 9], tags=["a", "b"], codes=["A", "B"])
    assert await updated(made, {"$pull": {"scores": {"$gte": 5}}}, "scores") == [1]
    assert await updated(made, {"$pull": {"tags": {"$in": ["a", "x"]}}}, "tags") == ["b"]
    assert await updated(made, {"$pull": {"codes": "a"}}, "codes") == ["B"]


async def test_raw_modifiers() -> None:
    made = await basket(lines=[Line(sku="a")], dicts=[{"a": 1}])
    lines = {"$each": [Line(sku="b"), Line(sku="c")], "$slice": -2}
    found = await updated(made, {"$push": {"lines": lm.raw(lines)}}, "lines")
    assert found == [{"sku": "b", "count": 1}, {"sku": "c", "count": 1}]
    dicts = lm.raw({"$each": [{"a": 1}, {"$each": []}]})
    assert await updated(made, {"$addToSet": {"dicts": dicts}}, "dicts") == [
        {"a": 1},
        {"$each": []},
    ]


async def test_conditions_of_pull() -> None:
    lines = [Line(sku="a"), Line(sku="b", count=5), Line(sku="c", count=9)]
    made = await basket(lines=lines, wrapped=Lines(lines), scores=[1, 5, 9], dicts=[{"a": 1}])
    update: Any = {
        "$pull": {
            "lines": (fld["sku"] == "a") | (fld["count"] > 5),
            "wrapped": lm.raw({"count": {"$gte": 5}}),
            "scores": (element > 1) & (element < 9),
            "dicts": lm.raw({"a": {"$exists": True}}),
        }
    }
    assert await updated(made, update, "lines") == [{"sku": "b", "count": 5}]
    assert await updated(made, update, "wrapped") == [{"sku": "a", "count": 1}]
    assert await updated(made, update, "scores") == [1, 9]
    assert await updated(made, update, "dicts") == []
    with pytest.raises(lm.UnknownFieldError):
        await Basket.filter().update({"$pull": {"lines": fld["skuu"] == "a"}})
    with pytest.raises(lm.QueryError, match="no alternatives"):
        await Basket.filter().update({"$pull": {"scores": (element == 1) | (element > 5)}})


async def test_objects_are_items() -> None:
    made = await basket()
    line = Line(sku="a")
    for path, item in (("lines", line), ("wrapped", line), ("plain", Plain("x")), ("values", line)):
        stored = {"sku": "x"} if path == "plain" else {"sku": "a", "count": 1}
        assert await updated(made, {"$push": {path: item}}, path) == [stored]
        assert await updated(made, {"$addToSet": {path: item}}, path) == [stored]
        assert await updated(made, {"$pull": {path: item}}, path) == []
    assert await updated(made, {"$push": {"lines": {"sku": "b", "count": 2}}}, "lines") == [
        {"sku": "b", "count": 2}
    ]
    assert await updated(made, {"$pull": {"lines": {"sku": "b", "count": 2}}}, "lines") == []
    assert await updated(made, {"$push": {"opened": {"$each": [1]}}}, "opened") == [{"$each": [1]}]


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
async def test_what_can_be_no_item_is_refused(update: Any, hint: str) -> None:
    with pytest.raises(lm.QueryError) as caught:
        await Basket.filter().update(update)
    assert hint in str(caught.value.hint)
