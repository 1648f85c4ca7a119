"""Models that count the writes of their documents."""

from __future__ import annotations

import pytest
from bson import ObjectId
from pydantic import Field

import loom_async as lm
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.revisions import revision_condition, revision_of, revision_to_count


class Plain(lm.PersistableBase):
    name: str = ""


class Counted(lm.PersistableBase):
    version: lm.Revision = Field(default=None, validation_alias="v")


@lm.declare_persist_db("core", "animals", discriminator="kind")
class Animal(lm.PersistableBase):
    name: str = ""


class Dog(Animal):
    version: lm.Revision


class Puppy(Dog):
    toy: str = ""


class Cat(Animal):
    lives: int = 9


def test_revision_has_its_stored_name() -> None:
    assert revision_of(Counted) == "v"
    assert revision_of(Plain) is None


def test_an_update_counts_the_revision_of_all_classes_that_it_can_meet() -> None:
    assert revision_to_count(Counted) == "v"
    assert revision_to_count(Plain) is revision_to_count(Cat) is None
    assert revision_to_count(Dog) == revision_to_count(Puppy) == "version"


def test_classes_that_count_differently_cannot_be_updated_together() -> None:
    with pytest.raises(lm.QueryError, match="Dog counts its writes otherwise than Animal"):
        revision_to_count(Animal)


def test_condition_is_the_revision_that_was_loaded() -> None:
    counted = hydrator(Counted).one({"_id": ObjectId(), "v": 4})
    counted.version = 9
    assert revision_condition(counted) == {"v": 4}


def test_a_document_without_its_revision_must_still_lack_it() -> None:
    assert revision_condition(hydrator(Counted).one({"_id": ObjectId()})) == {"v": None}


def test_new_objects_and_models_without_revisions_have_no_condition() -> None:
    assert revision_condition(Counted()) == {}
    assert revision_condition(hydrator(Plain).one({"_id": ObjectId()})) == {}
