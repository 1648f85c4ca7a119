"""The declared indexes of a model compared with the reply of `listIndexes`."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field

import loom_async as lm
from loom_async._core.collections.index_comparison import (
    Comparison,
    IndexSpec,
    compare,
    index_specs,
)

ID: dict[str, Any] = {"name": "_id_", "key": {"_id": 1}}


class Address(BaseModel):
    city: str = ""


class Person(lm.PersistableBase):
    name: str = ""
    bio: str = Field("", alias="about")
    address: Address = Address()


def specs(*indexes: lm.Index) -> tuple[IndexSpec, ...]:
    return index_specs(Person, indexes)


def names(comparison: Comparison) -> tuple[list[str], list[str], list[str]]:
    return (
        [spec.name for spec in comparison.missing],
        [conflict.spec.name for conflict in comparison.conflicting],
        [index["name"] for index in comparison.extra],
    )


def test_specs_have_stored_names() -> None:
    (spec,) = specs(lm.Index(("bio", "text"), "id", weights={"bio": 5}))
    assert spec == IndexSpec(
        "about_text__id_1", (("about", "text"), ("_id", 1)), {"weights": {"about": 5}}
    )
    everything, below = specs(lm.Index("$**"), lm.Index("address.$**", name="below"))
    assert everything.keys == (("$**", 1),)
    assert (below.name, below.keys) == ("below", (("address.$**", 1),))


def test_specs_that_cannot_be() -> None:
    with pytest.raises(lm.UnknownFieldError, match="an index of Person names a field") as caught:
        specs(lm.Index("nmae"))
    assert caught.value.nearest == "name"
    with pytest.raises(lm.ConfigurationError, match="two indexes named 'name_1'"):
        specs(lm.Index("name"), lm.Index("name", unique=True))


def test_missing_and_undeclared_indexes() -> None:
    existing = [ID, {"name": "old", "key": {"age": 1}}]
    assert names(compare(specs(lm.Index("name")), existing)) == (["name_1"], [], ["old"])
    assert names(compare((), [ID])) == ([], [], [])


def test_equal_indexes_under_another_name() -> None:
    existing = [ID, {"name": "other", "key": {"name": 1}}, {"name": "name_1", "key": {"name": 1}}]
    assert names(compare(specs(lm.Index("name")), existing[:2])) == ([], [], [])
    assert names(compare(specs(lm.Index("name")), existing)) == ([], [], ["other"])


def test_the_index_on_ids_exists_always() -> None:
    assert names(compare(specs(lm.Index("id", unique=True)), [])) == ([], [], [])
    assert names(compare(specs(lm.Index("id", sparse=True)), [ID])) == (["_id_1"], [], [])


@pytest.mark.parametrize(
    ("index", "existing", "reason"),
    [
        (lm.Index("name", unique=True), {"name": "name_1", "key": {"name": 1}}, "unique: True"),
        (lm.Index("name", unique=True), {"name": "other", "key": {"name": 1}}, "unique: True"),
        (lm.Index("bio", name="x"), {"name": "x", "key": {"name": 1}}, "keys: "),
        (
            lm.Index(("bio", "text")),
            {"name": "t", "key": {"_fts": "text", "_ftsx": 1}, "weights": {"name": 1}},
            "keys: ",
        ),
    ],
)
def test_conflicting_indexes(index: lm.Index, existing: dict[str, Any], reason: str) -> None:
    comparison = compare(specs(index), [ID, existing])
    (conflict,) = comparison.conflicting
    assert conflict.existing is existing
    assert reason in conflict.reason
    assert (comparison.missing, comparison.extra) == ((), ())


def test_the_collation_of_the_collection_is_the_default() -> None:
    collation = {"locale": "cs", "strength": 3, "caseLevel": False, "numericOrdering": False,
                 "maxVariable": "punct"}  # fmt: skip
    existing = [{**ID, "collation": collation}, {"name": "n", "key": {"name": 1}}]
    assert names(compare(specs(lm.Index("name")), existing)) == ([], ["name_1"], [])
    existing[1]["collation"] = collation
    assert names(compare(specs(lm.Index("name")), existing)) == ([], [], [])


def test_a_difference_is_true_unless_it_is_empty() -> None:
    assert not lm.IndexDifference()
    assert lm.IndexDifference(extra=("old",))
