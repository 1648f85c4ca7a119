"""Edits as updates, by operators or an aggregation pipeline, and the conditions of these."""

from __future__ import annotations

from typing import Any

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

import loom_async as lm
from loom_async._core.bson_codec import decode_bson
from loom_async._core.model.bson_equality import MISSING, same
from loom_async._core.model.codecs import model_codec
from loom_async._core.model.diff import find_edits
from loom_async._core.model.document import baseline
from loom_async._core.model.edited_document import edited
from loom_async._core.model.edits import AddToSet, Edit, EditItems, Inc, Push, Set, Unset
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.update_document import (
    field_expression,
    is_dotted,
    is_repeatable,
    render,
)
from loom_async._core.model.write_plan import Modification, plan_persist
from loom_async._core.types.codec import ANY
from tests.core.model.update_interpreter import applied, evaluated

ODD_KEYS = ["", "x.y", "$z"]
keys = st.sampled_from(["a", "b", "0", *ODD_KEYS])
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=2)
values = st.recursive(
    scalars | st.sampled_from(["$a", "$$ROOT"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(keys, values, max_size=4)


def in_key_order(value: Any) -> Any:
    """Return a value whose documents have sorted keys: an update does not keep their order."""
    if isinstance(value, dict):
        return {key: in_key_order(value[key]) for key in sorted(value)}
    return [in_key_order(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("edit", "update"),
    [
        (Set(("a", "b"), {"$x": "$y"}), {"$set": {"a.b": {"$x": "$y"}}}),
        (Unset(("a", "b")), {"$unset": {"a.b": ""}}),
        (Inc(("n",), -2), {"$inc": {"n": -2}}),
        (Push(("l",), [1, 2]), {"$push": {"l": {"$each": [1, 2]}}}),
        (AddToSet(("s",), [1]), {"$addToSet": {"s": {"$each": [1]}}}),
        (Set(("a", "0"), 1), {"$set": {"a.0": 1}}),
        (Set(("a$", "b c"), 1), {"$set": {"a$.b c": 1}}),
    ],
)
def test_operator_of_each_edit(edit: Any, update: Any) -> None:
    assert render([edit]) == update


def test_edits_of_one_kind_share_an_operator() -> None:
    edits = [Set(("a",), 1), Inc(("n",), 1), Set(("b", "c"), 2), Unset(("d",))]
    assert render(edits) == {
        "$set": {"a": 1, "b.c": 2},
        "$inc": {"n": 1},
        "$unset": {"d": ""},
    }


def test_one_odd_key_makes_every_edit_a_stage() -> None:
    assert render([Set(("a", "x.y"), {"$z": 1}), Inc(("n",), 2), Unset(("gone",))]) == [
        {
            "$set": {
                "a": {
                    "$setField": {
                        "field": {"$literal": "x.y"},
                        "input": "$a",
                        "value": {"$literal": {"$z": 1}},
                    }
                }
            }
        },
        {"$set": {"n": {"$add": [{"$ifNull": ["$n", 0]}, 2]}}},
        {"$unset": "gone"},
    ]


def test_an_odd_key_at_the_top_replaces_the_document() -> None:
    field = {"$literal": "$z"}
    assert render([Unset(("$z",))]) == [
        {"$replaceWith": {"$setField": {"field": field, "input": "$$ROOT", "value": "$$REMOVE"}}}
    ]


def test_items_are_changed_by_their_positions() -> None:
    items = [{"n": 1}, {"n": 2, "tags": []}]
    edits: list[Edit] = [
        EditItems(
            ("a", "items"),
            items,
            (Set(("0", "n"), 5), Inc(("1", "n"), 1), Push(("1", "tags"), ["x"])),
        )
    ]
    update = render(edits)
    assert update == {
        "$set": {"a.items.0.n": 5},
        "$inc": {"a.items.1.n": 1},
        "$push": {"a.items.1.tags": {"$each": ["x"]}},
    }
    document = {"a": {"items": items}}
    assert applied(update, document) == edited(document, edits)


def test_a_pipeline_sets_an_array_whose_items_are_changed() -> None:
    edits: list[Edit] = [
        EditItems(("items",), [{"n": 1}], (Set(("0", "n"), 5),)),
        Set(("a", "x.y"), 1),
    ]
    update = render(edits)
    assert isinstance(update, list)
    assert update[0] == {"$set": {"items": {"$literal": [{"n": 5}]}}}


@pytest.mark.parametrize("edit", [Push(("a", "x.y"), [1]), AddToSet(("a", "x.y"), [1])])
def test_an_array_that_is_null_is_no_empty_one(edit: Edit) -> None:
    assert applied(render([edit]), {"a": {}}) == {"a": {"x.y": [1]}}
    with pytest.raises(TypeError):
        applied(render([edit]), {"a": {"x.y": None}})


def test_a_counter_that_is_not_stored_starts_from_its_default() -> None:
    update = render([Inc(("n",), 1, start=10)])
    assert update == [{"$set": {"n": {"$add": [{"$ifNull": ["$n", 10]}, 1]}}}]
    assert applied(update, {}) == {"n": 11}
    assert applied(update, {"n": 1}) == {"n": 2}


@pytest.mark.parametrize("key", ["plain", *ODD_KEYS])
@pytest.mark.parametrize(
    ("edit", "after"),
    [
        (lambda path: Set(path, "$new"), "$new"),
        (lambda path: Unset(path), MISSING),
        (lambda path: Push(path, [2, "$x"]), [1, 2, "$x"]),
        (lambda path: AddToSet(path, [1, 3]), [1, 3]),
    ],
)
@pytest.mark.parametrize("parents", [(), ("a",), ("", "a.b")])
def test_each_edit_at_each_key(parents: tuple[str, ...], edit: Any, after: Any, key: str) -> None:
    def document(value: Any) -> dict[str, Any]:
        result: Any = {"kept": 0} if value is MISSING else {key: value, "kept": 0}
        for parent in reversed(parents):
            result = {parent: result, "other": 1}
        return result  # type: ignore[no-any-return]

    update = render([edit((*parents, key))])
    assert applied(update, document([1])) == document(after)


@given(documents, documents)
def test_update_turns_one_document_into_the_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    edits = find_edits(ANY, before, before, after)
    if edits:
        before = applied(render(edits), before)
    assert same(in_key_order(before), in_key_order(after))


class Part(BaseModel):
    model_config = ConfigDict(extra="allow")

    count: lm.IncrCounter = 3
    tags: set[int] = set()


class Whole(lm.PersistableBase):
    model_config = ConfigDict(extra="allow")

    count: lm.IncrCounter = 10
    tags: set[int] = set()
    items: list[Any] = []
    part: Part | None = None
    parts: dict[str, Part] = {}


ints = st.integers(-3, 3)
extras = st.dictionaries(st.sampled_from(["x", *ODD_KEYS]), values, max_size=2)
parts = st.builds(
    lambda extra, **given: Part(**{**extra, **given}),
    extras,
    count=ints,
    tags=st.sets(ints, max_size=3),
)
assignments = st.fixed_dictionaries(
    {},
    optional={
        "count": ints,
        "tags": st.sets(ints, max_size=3),
        "items": st.lists(values, max_size=3),
        "part": st.none() | parts,
        "parts": st.dictionaries(keys, parts, max_size=2),
    },
)
wholes = st.builds(lambda extra, given: Whole(**{**extra, **given}), extras, assignments)


def encoded(whole: Whole) -> Any:
    return in_key_order(model_codec(Whole).encode(whole))


@given(wholes, assignments, extras, st.sets(st.sampled_from(sorted(Whole.model_fields))))
def test_update_of_an_object_turns_the_stored_document_into_its_own(
    origin: Whole, edits: dict[str, Any], extra: dict[str, Any], missing: set[str]
) -> None:
    document = origin.dump_doc()
    stored = {name: value for name, value in document.items() if name not in missing}
    whole = hydrator(Whole).one({"_id": ObjectId(), **stored})
    stored = decode_bson(baseline(whole))
    for name, value in (edits | extra).items():
        setattr(whole, name, value)
    plan = plan_persist(whole)
    if plan is not None:
        assert isinstance(plan, Modification)
        stored = applied(plan.update, stored)
    assert same(in_key_order(stored), in_key_order(whole.dump_doc()))
    assert same(encoded(hydrator(Whole).one(stored)), encoded(whole))


@pytest.mark.parametrize(
    ("path", "value"),
    [(("a", "b"), 1), (("", "x.y"), 2), (("$z",), 3), (("a", "none"), MISSING)],
)
def test_field_expression_reads_any_path(path: tuple[str, ...], value: Any) -> None:
    document = {"a": {"b": 1}, "": {"x.y": 2}, "$z": 3}
    assert evaluated(field_expression(path), document) == value


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("a", "0", "b$"), True),
        ((), True),
        (("a", ""), False),
        (("a.b",), False),
        (("$a",), False),
    ],
)
def test_dotted_paths(path: tuple[str, ...], expected: bool) -> None:
    assert is_dotted(path) is expected


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        ({"$set": {"a": 1}, "$unset": {"b": ""}, "$addToSet": {"c": {"$each": [1]}}}, True),
        ({"$set": {"a": 1}, "$inc": {"n": 1}}, False),
        ({"$push": {"a": {"$each": [1]}}}, False),
        ([{"$set": {"a": {"$literal": 1}}}], False),
    ],
)
def test_repeatable_updates(update: Any, expected: bool) -> None:
    assert is_repeatable(update) is expected
