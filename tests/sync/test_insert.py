# Generated from tests/aio/test_insert.py by `nox -s sync`: edit that file.
"""`insert` stores only new documents."""

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


class Aborted(Exception):
    pass


def insert_and_abort(country: Country) -> None:
    with lm.transaction():
        country.insert()
        raise Aborted


def test_a_new_document_is_inserted(db: str) -> None:
    country = Country(id="cz", name="Czechia")
    assert country.insert()
    assert country.log == ["before", "after"]
    country.name = "Česko"
    assert country.persist()
    assert (Country.from_id("cz") or country).name == "Česko"


def test_an_existing_id_raises(db: str) -> None:
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


def test_an_inserted_document_has_a_revision(db: str) -> None:
    counted = Counted()
    counted.insert()
    first = counted.revision
    counted.name = "new"
    counted.persist()
    assert counted.revision == first + 1


def test_insert_in_an_aborted_transaction(db: str) -> None:
    country = Country(id="cz")
    with pytest.raises(Aborted):
        insert_and_abort(country)
    assert Country.from_id("cz") is None
    assert country.insert()
