# Generated from tests/aio/test_insert.py by `nox -s sync`: edit that file.
"""`insert` stores new documents alone."""

from __future__ import annotations

import pytest

import loom_sync as lm


@lm.declare_persist_db("insert", "countries")
class Country(lm.PersistableBase):
    id: str
    name: str = ""
    log: list[str] = []

    def before_persist(self) -> None:
        self.log.append("before")

    def after_persist(self) -> None:
        self.log.append("after")


@lm.declare_persist_db("insert", "counted")
class Counted(lm.PersistableBase):
    name: str = ""
    revision: lm.Revision = 0


class Undone(Exception):
    pass


def insert_and_fail(country: Country) -> None:
    with lm.transaction():
        country.insert()
        raise Undone


def test_a_new_document(db: str) -> None:
    country = Country(id="cz", name="Czechia")
    assert country.insert()
    assert country.log == ["before", "after"]
    country.name = "Česko"
    assert country.persist()
    assert (Country.from_id("cz") or country).name == "Česko"


def test_a_taken_id(db: str) -> None:
    Country(id="cz", name="Czechia").insert()
    other = Country(id="cz", name="other")
    with pytest.raises(lm.DuplicateKey):
        other.insert()
    assert other.log == ["before"]
    stored = Country.from_id("cz")
    assert stored is not None
    assert stored.name == "Czechia"
    with pytest.raises(lm.DuplicateKey):
        stored.insert()


def test_a_revision_is_counted_from_there(db: str) -> None:
    counted = Counted()
    counted.insert()
    first = counted.revision
    counted.name = "new"
    counted.persist()
    assert counted.revision == first + 1


def test_in_a_transaction(db: str) -> None:
    country = Country(id="cz")
    with pytest.raises(Undone):
        insert_and_fail(country)
    assert Country.from_id("cz") is None
    assert country.insert()
