"""Changes: whatever is edited in place is found, and the update says it and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from bson import Decimal128, Int64, ObjectId, Regex
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict, Field, model_validator

import loom_async as lm
from loom_async._core.bson_codec import encode_bson
from loom_async._core.model.diff import (
    AddToSet,
    Inc,
    Push,
    Set,
    Unset,
    as_bytes,
    find_changes,
    same,
)
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.update_document import render
from loom_async._core.model.write_plan import Modification, plan_persist
from loom_async._core.types.codec import ANY

keys = st.sampled_from(["a", "b", "c", "x.y", "$z", "", "0"])
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=2)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(keys, values, max_size=4)


def applied(document: dict[str, Any], changes: list[Any]) -> dict[str, Any]:
    """A small model of what the server does with changes."""
    result = _copied(document)
    for change in changes:
        *parents, last = change.path
        holder = result
        for key in parents:
            holder = holder[key]
        match change:
            case Set():
                holder[last] = change.value
            case Unset():
                del holder[last]
            case Push() | AddToSet():
                holder[last] = [*holder[last], *change.items]
            case Inc():
                holder[last] += change.by
    return result


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


@given(documents, documents)
def test_changes_turn_one_document_into_the_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    changes = find_changes(ANY, before, before, after)
    assert same(_sorted(applied(before, changes)), _sorted(after))


@given(documents)
def test_no_change_no_update(document: dict[str, Any]) -> None:
    assert find_changes(ANY, document, document, _copied(document)) == []


@given(documents, documents)
def test_no_path_begins_with_another(before: dict[str, Any], after: dict[str, Any]) -> None:
    paths = [change.path for change in find_changes(ANY, before, before, after)]
    assert len(set(paths)) == len(paths)
    for path in paths:
        assert not any(path[:n] in paths for n in range(1, len(path)))


def test_type_and_sign_are_differences() -> None:
    for left, right in [(1, True), (1, 1.0), (0.0, -0.0), ("1", 1), (None, 0)]:
        assert not same(left, right)
        assert find_changes(ANY, {"a": left}, {"a": left}, {"a": right}) == [Set(("a",), right)]
    assert same(float("nan"), float("nan"))


_numbers = (0, 1, 1.0, True, False, 0.0, -0.0, float("nan"), Int64(1), 2**40, Int64(2**40))
_texts = (None, "1", b"1", Regex("a"), Regex("a", "i"), ObjectId("0" * 24), UUID(int=1))
_others = (datetime(2020, 1, 1, tzinfo=UTC), Decimal128("1.0"), Decimal128("1.00"))
_kinds = st.sampled_from((*_numbers, *_texts, *_others))
_any_kinds = st.recursive(
    _kinds,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.permutations(["a", "b"]).flatmap(
            lambda k: st.fixed_dictionaries(dict.fromkeys(k, inner))
        )
    ),
    max_leaves=4,
)


@given(_any_kinds, _any_kinds)
def test_same_means_the_same_bytes(left: Any, right: Any) -> None:
    for one, other in [(left, right), ([left], [right]), ({"a": [left]}, {"a": [right]})]:
        assert same(one, other) is (as_bytes(one) == as_bytes(other))
    assert same(left, _copied(left))


def test_pure_append_is_a_push() -> None:
    before, after = {"a": {"l": [1, 2]}}, {"a": {"l": [1, 2, 3]}}
    changes = find_changes(ANY, before, before, after)
    assert changes == [Push(("a", "l"), [3])]
    assert render(changes) == {"$push": {"a.l": {"$each": [3]}}}


def test_what_the_document_lacks_is_set_whole() -> None:
    changes = find_changes(ANY, {}, {"a": {"b": 1, "c": 2}}, {"a": {"b": 9, "c": 2}})
    assert changes == [Set(("a",), {"b": 9, "c": 2})]


def test_odd_keys_make_a_pipeline() -> None:
    update = render([Set(("a", "x.y"), {"$z": 1}), Unset(("a", "$q")), Inc(("n",), 2)])
    assert isinstance(update, list)
    assert update[0]["$set"]["a"]["$setField"]["value"] == {"$literal": {"$z": 1}}
    assert update[1]["$set"]["a"]["$setField"]["value"] == "$$REMOVE"
    assert update[2] == {"$set": {"n": {"$add": [{"$ifNull": ["$n", 0]}, 2]}}}


def test_validator_that_edits_the_document_hides_no_missing_field() -> None:
    class Legacy(lm.PersistableBase):
        tags: list[str]
        count: lm.IncrCounter

        @model_validator(mode="before")
        @classmethod
        def complete(cls, data: Any) -> Any:
            if isinstance(data, dict):
                data.setdefault("tags", ["old"])
                data.setdefault("count", 10)
            return data

    document = hydrator(Legacy).many(encode_bson({"_id": ObjectId()}))[0]
    document.tags.append("new")
    document.count += 1
    plan = plan_persist(document, datetime.now(UTC))
    assert isinstance(plan, Modification)
    assert plan.changes == [Set(("tags",), ["old", "new"]), Inc(("count",), 1, start=10)]


def test_default_that_differs_each_time_is_no_change() -> None:
    class Unstable(lm.PersistableBase):
        key: UUID = Field(default_factory=uuid4)
        name: lm.StrLower = Field(default_factory=lambda: uuid4().hex)
        either: int | str = Field(default_factory=lambda: uuid4().hex)

    document = hydrator(Unstable).many(encode_bson({"_id": ObjectId()}))[0]
    assert plan_persist(document, datetime.now(UTC)) is None
    document.name = "Chosen"
    plan = plan_persist(document, datetime.now(UTC))
    assert isinstance(plan, Modification)
    assert plan.update == {"$set": {"name": "chosen"}}


class Open(lm.PersistableBase):
    model_config = ConfigDict(extra="allow")
    size: int | None = None


def _loaded(document: dict[str, Any]) -> Open:
    return hydrator(Open).many(encode_bson({"_id": ObjectId(), "size": None, **document}))[0]  # type: ignore[no-any-return]


def test_extra_values_that_go_or_come_are_changes() -> None:
    document = _loaded({"gone": 1, "stays": 2})
    del document.gone  # type: ignore[attr-defined]
    document.new = 3  # type: ignore[attr-defined]
    plan = plan_persist(document)
    assert isinstance(plan, Modification)
    assert plan.update == {"$set": {"new": 3}, "$unset": {"gone": ""}}
    document = _loaded({"gone": 1})
    assert plan_persist(document) is None
    del document.gone  # type: ignore[attr-defined]
    plan = plan_persist(document)
    assert isinstance(plan, Modification)
    assert plan.update == {"$unset": {"gone": ""}}


def test_what_bson_cannot_hold_is_named_whatever_was_there() -> None:
    document = _loaded({})
    document.size = 2**70
    with pytest.raises(lm.EncodingError, match="size"):
        plan_persist(document)
