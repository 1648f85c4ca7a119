"""Fields that a declared index makes unique."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field

import loom_async as lm
from loom_async._core.collections.natural_keys import natural_key


def model_with(*indexes: lm.Index) -> Any:
    @lm.declare_persist_db("keys", "people", index=indexes)
    class Person(lm.PersistableBase):
        email: str = Field(validation_alias="mail")
        town: str = ""
        age: int = 0

    return Person


@pytest.mark.parametrize(
    "index",
    [
        lm.Index("email", "town", unique=True),
        lm.Index("-town", "mail", unique=True),
        lm.Index("town", "email", unique=True, sparse=True),
        lm.Index("town", "email", unique=True, partial={"mail": {"$type": "string"}}),
        lm.Index("town", "email", unique=True, partial={"mail": {"$exists": True}}),
    ],
    ids=repr,
)
def test_unique_indexes_make_a_key(index: lm.Index) -> None:
    fields = natural_key(model_with(index), ["town", "email", "mail"], "match_on")
    assert [field.stored_name for field in fields] == ["town", "mail"]


def test_the_id_needs_no_index() -> None:
    assert [field.name for field in natural_key(model_with(), ["_id"], "match_on")] == ["id"]


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        (lm.Index("email"), "no declared index"),
        (lm.Index("email", "town", unique=True), "no declared index"),
        (lm.Index("email", unique=True, partial={"age": {"$gt": 3}}), "only some documents"),
        (lm.Index("email", unique=True, partial={"mail": {"$gt": "a"}}), "only some documents"),
        (lm.Index("email", unique=True, collation={"locale": "cs"}), "has a collation"),
    ],
    ids=repr,
)
def test_other_indexes_make_none(index: lm.Index, reason: str) -> None:
    with pytest.raises(lm.ConfigurationError, match=reason):
        natural_key(model_with(index), ["email"], "match_on")


def test_one_suitable_index_of_two_is_enough() -> None:
    weak = lm.Index("email", unique=True, collation={"locale": "cs"}, name="weak")
    assert natural_key(model_with(weak, lm.Index("mail", unique=True)), ["email"], "match_on")
