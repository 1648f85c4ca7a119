"""Keys and options of indexes in one comparable form."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.collation import Collation

from loom_async._core.collections.index_options import (
    comparable_keys,
    comparable_options,
    difference,
    existing_keys,
)


@pytest.mark.parametrize(
    ("index", "keys"),
    [
        ({"key": {"name": 1, "age": -1.0}}, (("name", 1), ("age", -1))),
        ({"key": {"home": "2dsphere"}}, (("home", "2dsphere"),)),
        (
            {"key": {"n": 1, "_fts": "text", "_ftsx": 1, "m": 1}, "weights": {"b": 1, "a": 2}},
            (("n", 1), ("m", 1), ("a", "text"), ("b", "text")),
        ),
    ],
)
def test_keys_of_existing_indexes(index: dict[str, Any], keys: Any) -> None:
    assert existing_keys(index) == keys


def test_declared_text_keys_are_sorted() -> None:
    keys = (("b", "text"), ("n", 1), ("a", "text"))
    assert comparable_keys(keys) == (("n", 1), ("a", "text"), ("b", "text"))


NAME = (("name", 1),)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"unique": False, "sparse": False, "v": 2}),
        ({"expireAfterSeconds": 2.5}, {"expireAfterSeconds": 2}),
        ({"collation": {"locale": "simple"}}, {}),
        ({"collation": Collation("en")}, {"collation": {"locale": "en"}}),
        ({"partialFilterExpression": {"n": 1}}, {"partialFilterExpression": {"n": 1}}),
    ],
)
def test_options_that_are_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert comparable_options(one, NAME) == comparable_options(other, NAME)


def test_options_of_text_indexes() -> None:
    keys = (("a", "text"), ("b", "text"))
    options = comparable_options({"weights": {"b": 5.0}, "collation": {"locale": "en"}}, keys)
    assert options["weights"] == {"a": 1, "b": 5}
    assert (options["default_language"], options["collation"]) == ("english", None)
    assert "weights" not in comparable_options({}, NAME)
    assert comparable_options({}, (("spot", "2d"),))["bits"] == 26


def test_differences_in_words() -> None:
    declared = {"unique": True, "expireAfterSeconds": None}
    existing = {"unique": False, "expireAfterSeconds": 0}
    assert difference(declared, existing) == (
        "unique: True is declared, False exists; expireAfterSeconds: nothing is declared, 0 exists"
    )
    assert difference(existing, existing) == ""


def test_collations_differ_only_in_what_is_declared() -> None:
    declared = {"collation": {"locale": "en"}}
    defaults = {"strength": 3, "caseLevel": False, "numericOrdering": False, "maxVariable": "punct"}
    existing: dict[str, Any] = {"collation": {"locale": "en", "version": "57.1", **defaults}}
    assert difference(declared, existing) == ""
    existing["collation"]["strength"] = 1
    assert difference(declared, existing).startswith("collation: {'locale': 'en'} is declared")
    assert difference(declared, {"collation": None}) != ""
