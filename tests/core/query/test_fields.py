from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import loom_async as lm
from loom_async import fld
from tests.core.query.models import User, compiled

age, name = fld["age"], fld["name"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda: (age > 1) and (age < 3),
        lambda: (age > 1) or (age < 3),
        lambda: not (age > 1),
        lambda: 1 < age < 3,
        lambda: 3 if age > 1 else 4,
        lambda: age in [1, 2],
        lambda: bool(age),
        lambda: bool(lm.text("x")),
        lambda: any([age == 1]),
    ],
)
def test_truth_of_a_condition_is_refused_with_a_hint(ask: Callable[[], Any]) -> None:
    with pytest.raises(lm.QueryError) as caught:
        ask()
    assert caught.value.hint is not None
    assert "&" in caught.value.hint


@pytest.mark.parametrize(
    "combine",
    [
        lambda: age > 1 & (name == "x"),
        lambda: (age > 1) & 3,
        lambda: 3 | (age > 1),
        lambda: (age > 1) & {"name": "x"},
        lambda: None & (age > 1),
    ],
)
def test_combining_with_other_values_is_refused(combine: Callable[[], Any]) -> None:
    with pytest.raises(lm.QueryError):
        combine()


@pytest.mark.parametrize("other", [fld["name"], fld["name"] == 1, ~fld["active"]], ids=repr)
def test_comparing_a_field_with_a_field_or_a_condition_is_refused(other: Any) -> None:
    with pytest.raises(lm.QueryError):
        age == other


def test_ways_to_name_a_field() -> None:
    assert [field.path for field in (fld["a.b"], fld("a.b"), fld["a"]["b"], fld(fld["a.b"]))] == [
        "a.b"
    ] * 4
    assert fld["a"][0]["b"].path == "a.0.b"


def test_field_is_hashable_and_shows_its_name() -> None:
    assert hash(fld["a"]) == hash(fld["a"])
    assert repr(fld["a.b"]) == "fld['a.b']"
    assert repr((fld["a"] > 1) & ~(fld["b"] == "x")) == "((fld['a'] > 1) & ~(fld['b'] == 'x'))"


@pytest.mark.parametrize(
    "ask",
    [
        lambda: name.contains(3),
        lambda: name.starts_with(None),
        lambda: name.ends_with(b"x"),
        lambda: name.matches(3),
        lambda: name.matches(re.compile(b"x")),
        lambda: name.matches("x", "g"),
        lambda: name.matches(re.compile(b"x", re.LOCALE)),
        lambda: name.has_size(-1),
        lambda: name.has_size(True),
        lambda: name.has_size(1.5),
        lambda: name.is_type(range),
        lambda: name.is_type(),
        lambda: name.is_enum(3),
        lambda: name.is_within((1, 2)),
        lambda: name.elem_match(3),
        lambda: name.elem_match({"a": 1}),
        lambda: name.near((1, 2, 3)),
        lambda: name.near((181, 0)),
        lambda: name.near((0, 91)),
        lambda: name.near("here"),
        lambda: name.near((0, 0), max_distance=-1),
        lambda: name.near({"type": "Polygon", "coordinates": [[0, 0]]}),
        lambda: name.within(),
        lambda: name.within(center=(0, 0)),
        lambda: name.within(center=(0, 0), radius=-1),
        lambda: name.within({"type": "Point", "coordinates": [0, 0]}),
        lambda: name.within({"type": "Polygon", "coordinates": []}, radius=1),
        lambda: lm.text(3),
    ],
)
def test_operand_that_the_operator_cannot_take_is_refused(ask: Callable[[], Any]) -> None:
    with pytest.raises(lm.QueryError):
        ask()


@pytest.mark.parametrize("text", ["a\0b", "\0"])
def test_text_with_a_nul_is_refused(text: str) -> None:
    with pytest.raises(lm.QueryError, match="NUL"):
        compiled(name.contains(text))


def test_condition_given_to_two_queries_serves_both() -> None:
    condition = (age > 1) & (name == "x")
    one, two = User.filter(condition), User.filter(~condition, condition)
    assert repr(one) == repr(User.filter(condition))
    assert repr(one) != repr(two)
