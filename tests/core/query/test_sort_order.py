from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loom_async as lm
from loom_async import fld
from tests.core.query.models import User


def order_of(*keys: Any, descending: bool = False) -> list[tuple[str, int]]:
    query: Any = User.filter().sort(*keys, descending=descending)
    return list(query._spec.sort)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["age", "-name"], [("age", 1), ("name", -1)]),
        ([-fld["age"]], [("age", -1)]),
        ([-fld["alias"], "id"], [("storedAs", -1), ("_id", 1)]),
        ([-fld["address"]["city"]], [("address.city", -1)]),
        ([[("age", -1)]], [("age", -1)]),
        ([[("alias", 1), (fld["age"], -1), "name"]], [("storedAs", 1), ("age", -1), ("name", 1)]),
        ([("age", -1)], [("age", -1)]),
        ([("age", -1), ("name", 1)], [("age", -1), ("name", 1)]),
        ([("age", "name")], [("age", 1), ("name", 1)]),
        ([("age", -fld["name"])], [("age", 1), ("name", -1)]),
        ([{"age": -1, "name": 1}], [("age", -1), ("name", 1)]),
        ([lambda u: -u.age], [("age", -1)]),
        ([lambda u: (u.address.city, -u.alias)], [("address.city", 1), ("storedAs", -1)]),
        ([lambda u: fld(u.name)], [("name", 1)]),
        ([iter(["age", "-name"])], [("age", 1), ("name", -1)]),
        (["age", -fld["name"], ("email", -1)], [("age", 1), ("name", -1), ("email", -1)]),
    ],
)
def test_forms_of_sort_keys(keys: list[Any], expected: list[tuple[str, int]]) -> None:
    assert order_of(*keys) == expected


@given(st.lists(st.tuples(st.sampled_from(["age", "name", "id"]), st.sampled_from([1, -1]))))
def test_all_forms_mean_the_same(pairs: list[tuple[str, int]]) -> None:
    names = [name if direction > 0 else f"-{name}" for name, direction in pairs]
    fields = [fld[name] if direction > 0 else -fld[name] for name, direction in pairs]
    if pairs:
        assert order_of(pairs) == order_of(*pairs) == order_of(*names) == order_of(*fields)
        opposite: list[Any] = [-fld[n] if d > 0 else fld[n] for n, d in pairs]
        assert order_of(*names, descending=True) == order_of(*opposite)


@pytest.mark.parametrize("keys", [("age", -1), ("age", 1), (-1,), ("age", True)])
def test_direction_as_an_argument_names_the_keyword(keys: Any) -> None:
    with pytest.raises(lm.QueryError, match="`descending`"):
        User.filter().sort(*keys)


@pytest.mark.parametrize(
    "sort",
    [
        lambda: User.filter().sort([("age", 0)]),
        lambda: User.filter().sort([("age", 2)]),
        lambda: User.filter().sort([("age", True)]),
        lambda: User.filter().sort([("age", -1.0)]),
        lambda: User.filter().sort([("age", None)]),
        lambda: User.filter().sort({"age": "desc"}),
        lambda: User.filter().sort([("age", -1)], descending=True),
        lambda: User.filter().sort([]),
        lambda: User.filter().sort([("age", 1, 2)]),
        lambda: User.filter().sort(None),
        lambda: User.filter().sort(b"age"),
        lambda: User.filter().sort(""),
        lambda: User.filter().sort("-"),
        lambda: User.filter().sort(lm.element),
        lambda: User.filter().sort(lambda u: u),
        lambda: User.filter().sort(lambda u: u.age > 3),
        lambda: User.filter(lambda u: -u.age > 3),
        lambda: User.filter(-fld["age"] == 3),
        lambda: User.filter(fld["age"] == -fld["age"]),
    ],
)
def test_what_is_no_sort_key_is_refused(sort: Callable[[], Any]) -> None:
    with pytest.raises(lm.QueryError):
        sort()


@pytest.mark.parametrize(
    "sort",
    [
        lambda: User.filter().sort(-fld["agee"]),
        lambda: User.filter().sort([("agee", -1)]),
        lambda: User.filter().sort({"agee": -1}),
        lambda: User.filter().sort(lambda u: -u.agee),
        lambda: User.filter().sort(lambda u: (u.name, u.agee)),
    ],
)
def test_unknown_sort_key_has_the_nearest_name(sort: Callable[[], Any]) -> None:
    with pytest.raises(lm.UnknownFieldError) as caught:
        sort()
    assert caught.value.nearest == "age"


def test_sort_after_a_reshaping_stage() -> None:
    query: Any = User.filter().group_by("age").acc(n=lm.count()).sort(-fld["n"], "_id")
    assert query._spec.stages[-1] == {"$sort": {"n": -1, "_id": 1}}
