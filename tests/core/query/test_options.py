from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pymongo import ReadPreference
from pymongo.collation import Collation
from pymongo.read_preferences import Secondary

import loom_async as lm
from loom_async import fld
from loom_async._core.query.options import NO_OPTIONS
from loom_async._core.query.query_spec import QuerySpec
from tests.core.query.models import User


def options_of(query: Any) -> dict[str, Any]:
    spec: QuerySpec = query._spec
    given = spec.options._asdict()
    return {name: value for name, value in given.items() if value != getattr(NO_OPTIONS, name)}


@pytest.mark.parametrize(
    ("hint", "stored"),
    [
        ("alias_1", "alias_1"),
        (["alias"], {"storedAs": 1}),
        (["age", "-alias"], {"age": 1, "storedAs": -1}),
        ([("age", -1), ("id", 1)], {"age": -1, "_id": 1}),
        ({"address.city": -1}, {"address.city": -1}),
        ({"name": "text", "place": "2dsphere"}, {"name": "text", "place": "2dsphere"}),
        (fld["alias"], {"storedAs": 1}),
        (-fld["alias"], {"storedAs": -1}),
        (lambda u: (u.age, -u.alias), {"age": 1, "storedAs": -1}),
        ({"$natural": -1}, {"$natural": -1}),
        ([("$natural", 1)], {"$natural": 1}),
    ],
)
def test_forms_of_hints(hint: Any, stored: Any) -> None:
    given = options_of(User.filter().options(hint=hint))["hint"]
    assert given == stored
    if isinstance(stored, dict):
        assert list(given) == list(stored)


def test_hint_names_the_fields_of_the_model_after_a_stage_too() -> None:
    query = User.filter().group_by("age").acc(n=lm.count()).options(hint=["alias"])
    assert options_of(query) == {"hint": {"storedAs": 1}}


@pytest.mark.parametrize(
    "given", [{"locale": "en", "strength": 2}, Collation("en", strength=2)], ids=["dict", "pymongo"]
)
def test_forms_of_collations(given: Any) -> None:
    stored = options_of(User.filter().options(collation=given))
    assert stored == {"collation": {"locale": "en", "strength": 2}}


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ("secondaryPreferred", ReadPreference.SECONDARY_PREFERRED),
        ("primary", ReadPreference.PRIMARY),
        (ReadPreference.NEAREST, ReadPreference.NEAREST),
        (Secondary([{"dc": "east"}]), Secondary([{"dc": "east"}])),
    ],
)
def test_forms_of_read_preferences(given: Any, mode: Any) -> None:
    stored = options_of(User.filter().options(read_preference=given))
    assert stored == {"read_preference": mode}


def test_options_are_merged_and_the_query_stays() -> None:
    first = User.filter().options(comment="a", batch_size=5)
    second = first.options(comment="b", on_invalid="skip", allow_disk_use=False)
    assert options_of(first) == {"comment": "a", "batch_size": 5}
    expected = {"comment": "b", "batch_size": 5, "on_invalid": "skip", "allow_disk_use": False}
    assert options_of(second) == expected
    assert options_of(second.sort("age").filter(fld["age"] > 1).limit(3).sample(1)) == expected
    assert options_of(second.project("age")) == expected
    assert options_of(second.options(on_invalid="raise")).get("on_invalid") is None
    assert options_of(second.options()) == expected


def test_caller_cannot_change_the_options_of_a_query() -> None:
    comment, collation = {"a": [1]}, {"locale": "en"}
    query: Any = User.filter().options(comment=comment, collation=collation)
    comment["a"].append(2)
    collation["locale"] = "cs"
    arguments = query._spec.find_arguments()
    arguments["comment"]["a"].append(3)
    assert options_of(query) == {"comment": {"a": [1]}, "collation": {"locale": "en"}}


@pytest.mark.parametrize(
    "build",
    [
        lambda: User.filter().options(hint=""),
        lambda: User.filter().options(hint=[]),
        lambda: User.filter().options(hint={}),
        lambda: User.filter().options(hint=5),
        lambda: User.filter().options(hint={"age": 0}),
        lambda: User.filter().options(hint={"age": "up"}),
        lambda: User.filter().options(hint={"$natural": "text"}),
        lambda: User.filter().options(hint={"$where": 1}),
        lambda: User.filter().options(collation="en"),
        lambda: User.filter().options(collation={}),
        lambda: User.filter().options(collation={"strength": 2}),
        lambda: User.filter().options(collation={"locale": "en", "strenght": 2}),
        lambda: User.filter().options(collation={"locale": 5}),
        lambda: User.filter().options(max_time_ms=0),
        lambda: User.filter().options(max_time_ms=True),
        lambda: User.filter().options(max_time_ms=1.5),
        lambda: User.filter().options(max_time_ms=2**31),
        lambda: User.filter().options(batch_size=0),
        lambda: User.filter().options(batch_size="5"),
        lambda: User.filter().options(allow_disk_use="yes"),
        lambda: User.filter().options(allow_disk_use=1),
        lambda: User.filter().options(read_preference="slave"),
        lambda: User.filter().options(read_preference=1),
        lambda: User.filter().options(on_invalid="ignore"),
    ],
)
def test_invalid_options_are_refused(build: Callable[[], Any]) -> None:
    with pytest.raises(lm.QueryError):
        build()


def test_unknown_option_is_an_error() -> None:
    query: Any = User.filter()
    with pytest.raises(TypeError, match="hnt"):
        query.options(hnt="age")


def test_unknown_field_of_a_hint_has_the_nearest_name() -> None:
    with pytest.raises(lm.UnknownFieldError) as caught:
        User.filter().options(hint=["agee"])
    assert caught.value.nearest == "age"


def test_comment_without_a_bson_form_is_refused() -> None:
    with pytest.raises(lm.EncodingError):
        User.filter().options(comment=object())


@pytest.mark.parametrize(
    "options",
    [
        {"hint": "x"},
        {"collation": {"locale": "en"}},
        {"max_time_ms": 5},
        {"batch_size": 5},
        {"allow_disk_use": True},
        {"on_invalid": "skip"},
    ],
)
def test_change_stream_refuses_other_options(options: dict[str, Any]) -> None:
    with pytest.raises(lm.QueryError, match=next(iter(options))):
        User.filter().options(**options).watch()
