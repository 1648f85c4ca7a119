"""Literals that are not read, and fields that are resolved once, give the same filters."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, Literal
from uuid import UUID

import pytest
from bson import Binary, DBRef, Decimal128, Int64, MaxKey, ObjectId, Regex
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

import loom_async as lm
from loom_async import fld
from loom_async._core.model.polymorphism import family_of
from loom_async._core.query import stored_literals
from loom_async._core.query.copies import copied
from loom_async._core.query.filter_compiler import compile_predicate
from loom_async._core.query.model_resolver import ModelResolver, model_resolver


class Colour(StrEnum):
    RED = "red"


class Thing(lm.PersistableBase):
    text: str
    number: int = Field(ge=0)
    ratio: float
    flag: bool
    price: Decimal
    day: datetime
    key: UUID
    colour: Colour
    size: Literal["s", 1]
    lower: lm.StrLower
    count: lm.IncrCounter
    anything: Any
    names: list[str]
    numbers: dict[str, int]
    either: int | str
    perhaps: str | None = None


_NAMES = ["id", *Thing.model_fields, "numbers.a", "names.0"]
_literals = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.floats(),
    st.text(st.characters(exclude_categories=())),
    st.sampled_from(
        ["18", "red", "RED", "s", ObjectId(b"a" * 12), str(ObjectId(b"b" * 12)), Int64(5)]
    ),
    st.sampled_from([Colour.RED, Decimal("1.5"), datetime(2024, 1, 1, tzinfo=UTC), UUID(int=7)]),
    st.lists(st.integers(0, 3), max_size=2),
)
_operators = st.sampled_from(["__eq__", "__ne__", "__lt__", "__ge__"])


def outcome(compile: Callable[[], Any]) -> str:
    """Return a filter with the types of its values, or the error."""
    try:
        return repr(compile())
    except lm.LoomError as error:
        return f"{type(error).__name__}: {error}"


@given(st.sampled_from(_NAMES), _operators, _literals)
def test_filters_are_those_of_literals_that_are_read(
    name: str, operator: str, literal: Any
) -> None:
    condition = getattr(fld[name], operator)(literal)
    short = outcome(lambda: compile_predicate(condition, model_resolver(Thing)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_literals, "_CHECKS", {ObjectId: {}})
        read = outcome(lambda: compile_predicate(condition, ModelResolver(Thing)))
    assert short == read


def test_a_resolver_is_made_once_except_in_a_family() -> None:
    @lm.declare_persist_db("stored_literals", "animals", discriminator="kind")
    class Animal(lm.PersistableBase):
        name: str

    with pytest.raises(lm.UnknownFieldError):
        Animal.filter(fld["barks"] == True)

    class Dog(Animal):
        barks: bool = True

    assert family_of(Dog) is not None
    assert Animal.filter(fld["barks"].is_true())._spec.filter == {"barks": {"$eq": True}}
    assert model_resolver(Thing) is model_resolver(Thing)


def test_a_model_that_is_declared_later_has_another_resolver() -> None:
    class Late(lm.PersistableBase):
        name: str | None = None

    assert model_resolver(Late).sparse is None
    lm.declare_persist_db("stored_literals", "late", store_none=False)(Late)
    assert model_resolver(Late).sparse is not None


def test_keys_of_dicts_do_not_fill_the_memory() -> None:
    resolver = model_resolver(Thing)
    for number in range(2_000):
        assert resolver.resolve(f"numbers.k{number}").path == f"numbers.k{number}"
    assert len(resolver._resolved) <= 500


def test_a_string_of_another_class_is_no_key_of_the_cache() -> None:
    class Name(str, Enum):  # noqa: UP042
        TEXT = "text"

    assert type(fld[Name.TEXT].path) is Name
    assert type(fld["text"].path) is str
    assert Thing.filter(fld[Name.TEXT] == "a")._spec.filter == {"text": {"$eq": "a"}}


_leaves = st.one_of(
    st.none(),
    st.integers(),
    st.text(),
    st.binary(),
    st.sampled_from([Binary(b"x", 5), Decimal128("1"), Int64(1), ObjectId(), Regex("a"), MaxKey()]),
    st.sampled_from([DBRef("c", 1, extra=[1]), Colour.RED, UUID(int=1)]),
)
_values = st.recursive(
    _leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner)),
    max_leaves=8,
)


def containers(value: Any) -> list[int]:
    """Return the ids of the lists and dicts in a value."""
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return [id(value), *(found for item in items for found in containers(item))]
    return []


@given(_values)
def test_copies_equal_deep_copies_and_share_no_container(value: Any) -> None:
    result = copied(value)
    assert result == deepcopy(value)
    assert set(containers(result)).isdisjoint(containers(value))
