"""`insert` stores only new documents."""

from __future__ import annotations

import pytest

import loom_async as lm


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


async def insert_and_abort(country: Country) -> None:
    async with lm.transaction():
        await country.insert()
        raise Aborted


async def test_a_new_document_is_inserted(db: str) -> None:
    country = Country(id="cz", name="Czechia")
    assert await country.insert()
    assert country.log == ["before", "after"]
    country.name = "Česko"
    assert await country.persist()
    assert (await Country.from_id("cz") or country).name == "Česko"


async def test_an_existing_id_raises(db: str) -> None:
    await Country(id="cz", name="Czechia").insert()
    other = Country(id="cz", name="other")
    with pytest.raises(lm.DuplicateKey):
        await other.insert()
    assert other.log == ["before"]
    stored = await Country.from_id("cz")
    assert stored is not None
    assert stored.name == "Czechia"
    with pytest.raises(lm.DuplicateKey):
        await stored.insert()


async def test_an_inserted_document_has_a_revision(db: str) -> None:
    counted = Counted()
    await counted.insert()
    first = counted.revision
    counted.name = "new"
    await counted.persist()
    assert counted.revision == first + 1


async def test_insert_in_an_aborted_transaction(db: str) -> None:
    country = Country(id="cz")
    with pytest.raises(Aborted):
        await insert_and_abort(country)
    assert await Country.from_id("cz") is None
    assert await country.insert()
