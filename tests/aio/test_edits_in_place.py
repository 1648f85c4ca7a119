"""Containers that are edited in place: invalid values are refused before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

import loom_async as lm
from tests.commands import commands_of

pytestmark = pytest.mark.usefixtures("db")


class Address(BaseModel):
    zip: int = 0
    streets: list[str] = []


@dataclass
class Line:
    qty: int = 0


Short = Annotated[str, Field(max_length=3)]


@lm.declare_persist_db("shop", "people")
class Person(lm.Persistable):
    name: str = ""
    tags: list[str] = []
    numbers: set[int] = set()
    codes: list[Short] = []
    address: Address = Address()
    others: list[Address] = []
    by_key: dict[str, int] = {}
    by_number: dict[int, list[int]] = {}
    times: list[datetime] = []
    line: Line = Field(default_factory=Line)
    pair: tuple[list[int], str] = ([], "")


INVALID: list[tuple[Callable[[Person], Any], str, str]] = [
    (lambda p: p.tags.append(5), "tags.0", "5"),
    (lambda p: p.numbers.add("x"), "numbers.0", "'x'"),
    (lambda p: p.codes.append("long"), "codes.0", "'long'"),
    (lambda p: setattr(p.address, "zip", "x"), "address.zip", "'x'"),
    (lambda p: p.address.streets.append(None), "address.streets.0", "None"),
    (lambda p: p.others.append(Address.model_construct(zip=None)), "others.0.zip", "None"),
    (lambda p: p.others.append(7), "others.0", "7"),
    (lambda p: p.by_key.update(a="x"), "by_key.a", "'x'"),
    (lambda p: p.by_number.update({1: ["x"]}), "by_number.1.0", "'x'"),
    (lambda p: p.by_number.update(x=[1]), "by_number.x.[key]", "'x'"),
    (lambda p: p.times.append("never"), "times.0", "'never'"),
    (lambda p: setattr(p.line, "qty", "x"), "line.qty", "'x'"),
    (lambda p: p.pair[0].append("x"), "pair.0.0", "'x'"),
]
invalid = pytest.mark.parametrize(("edit", "path", "value"), INVALID)


async def refused(client: Any, write: Callable[[], Any], path: str, value: str) -> None:
    would_not_load = pytest.raises(lm.InvalidDocument, match="would not load")
    with commands_of(client) as sent, would_not_load as caught:
        await write()
    assert sent == []
    assert isinstance(caught.value, ValueError)
    assert list(caught.value.fields) == [path]
    assert f"not {value}" in caught.value.message


@invalid
async def test_a_loaded_object_is_not_written(
    client: Any, edit: Callable[[Person], Any], path: str, value: str
) -> None:
    person = Person(name="Ann")
    await person.persist()
    edit(person)
    await refused(client, person.persist, path, value)
    assert [found.name for found in await Person.filter().load_many()] == ["Ann"]


@invalid
async def test_a_new_object_is_not_written(
    client: Any, edit: Callable[[Person], Any], path: str, value: str
) -> None:
    person = Person()
    edit(person)
    await refused(client, person.persist, path, value)
    await refused(client, person.insert, path, value)
    assert await Person.filter().count() == 0


async def test_each_invalid_object_of_many_is_reported() -> None:
    people = [Person(name=str(n)) for n in range(5)]
    await Person.persist_many(people[:3])
    for person in people:
        person.tags.append("x")
    people[1].tags.append(5)  # type: ignore[arg-type]
    people[4].by_key["a"] = "x"  # type: ignore[assignment]
    with pytest.raises(lm.BulkError) as caught:
        await Person.persist_many(people)
    assert [(entry.index, entry.id) for entry in caught.value.entries] == [
        (1, people[1].id),
        (4, people[4].id),
    ]
    assert "tags.1: Input should be a valid string, not 5" in caught.value.entries[0].reason
    assert (caught.value.inserted, caught.value.updated) == (1, 2)
    stored = {found.name: found.tags for found in await Person.filter().load_many()}
    assert stored == {"0": ["x"], "1": [], "2": ["x"], "3": ["x"]}


async def test_a_transaction_goes_on_after_a_refused_write() -> None:
    person, other = Person(), Person(name="other")
    await person.persist()
    async with lm.transaction():
        person.tags.append(5)  # type: ignore[arg-type]
        with pytest.raises(lm.InvalidDocument):
            await person.persist()
        await other.persist()
    assert await Person.filter().count() == 2


async def test_valid_edits_of_every_field_are_stored() -> None:
    person = Person()
    await person.persist()
    person.tags.append("x")
    person.numbers.add(1)
    person.codes.append("abc")
    person.address.zip = 5
    person.others.append(Address(streets=["a"]))
    person.by_key["a.b"] = 1
    person.by_number[3] = [1]
    person.times.append(datetime(2026, 1, 1, tzinfo=UTC))
    person.line.qty = 3
    person.pair[0].append(4)
    assert await person.persist()
    assert await Person.from_id(person.id) == person
    assert not await person.persist()


@pytest.mark.parametrize("is_new", [True, False])
async def test_values_are_converted_as_at_an_assignment(*, is_new: bool) -> None:
    person = Person()
    if not is_new:
        await person.persist()
    numbers, address = person.by_number, person.address
    person.by_number[1] = ["5"]  # type: ignore[list-item]
    person.address.zip = "7"  # type: ignore[assignment]
    person.numbers.add("8")  # type: ignore[arg-type]
    person.others.append({"zip": "9", "streets": ["x"]})  # type: ignore[arg-type]
    assert await person.persist()
    assert (person.by_number, person.address, person.numbers) == (
        {1: [5]},
        Address(zip=7),
        {8},
    )
    assert person.others == [Address(zip=9, streets=["x"])]
    assert person.by_number is numbers
    assert person.address is address
    assert await Person.from_id(person.id) == person
    stored = await (await Person.get_db_collection()).find_one({"_id": person.id})
    assert stored is not None
    assert stored["by_number"] == {"1": [5]}
    assert not await person.persist()
    person.address.zip = 1
    assert await person.persist()


@lm.declare_persist_db("shop", "limits")
class Limited(lm.PersistableBase):
    most: int = 2
    items: list[int] = []

    @model_validator(mode="after")
    def _check(self) -> Limited:
        if len(self.items) > self.most:
            raise ValueError("too many items")
        return self


@pytest.mark.parametrize("is_new", [True, False])
async def test_validators_of_the_whole_model_see_edits_in_place(*, is_new: bool) -> None:
    limited = Limited()
    if not is_new:
        await limited.persist()
    limited.items.extend([1, 2, 3])
    with pytest.raises(lm.InvalidDocument, match="too many items"):
        await limited.persist()
    limited.items.pop()
    await limited.persist()
    assert await Limited.from_id(limited.id) == limited


@lm.declare_persist_db("shop", "frozen")
class Frozen(lm.PersistableBase):
    model_config = ConfigDict(frozen=True)
    items: list[int] = []


async def test_containers_of_a_frozen_object_are_validated() -> None:
    frozen = Frozen()
    await frozen.persist()
    frozen.items.append("x")  # type: ignore[arg-type]
    with pytest.raises(lm.InvalidDocument, match=r"items\.0"):
        await frozen.persist()
    frozen.items[0] = 1
    await frozen.persist()
    assert await Frozen.from_id(frozen.id) == frozen


@lm.declare_persist_db("shop", "free")
class Free(lm.PersistableBase):
    model_config = ConfigDict(validate_assignment=False)
    n: int = 0


async def test_assignments_that_are_not_validated_are_validated_later() -> None:
    free = Free()
    await free.persist()
    free.n = "x"  # type: ignore[assignment]
    with pytest.raises(lm.InvalidDocument, match="n: "):
        await free.persist()
    free.n = 3
    assert await free.persist()


@lm.declare_persist_db("shop", "defaults")
class Unfit(lm.PersistableBase):
    name: str = None  # type: ignore[assignment]
    size: Annotated[int, Field(ge=1)] = 0


async def test_a_default_that_does_not_fit_is_refused() -> None:
    with pytest.raises(lm.ConfigurationError, match=r"the default None of Unfit\.name"):
        await Unfit(size=1).persist()
    with pytest.raises(lm.ConfigurationError, match=r"the default 0 of Unfit\.size"):
        await Unfit(name="x").insert()
    with pytest.raises(lm.BulkError, match=r"the default None of Unfit\.name"):
        await Unfit.persist_many([Unfit(name="x", size=1), Unfit(size=1)])
    assert [found.name for found in await Unfit.filter().load_many()] == ["x"]


@lm.declare_persist_db("shop", "secrets")
class Secretive(lm.PersistableBase):
    secrets: list[Annotated[SecretStr, Field(min_length=3)]] = []


async def test_an_error_shows_no_secret() -> None:
    secretive = Secretive()
    secretive.secrets.append(SecretStr("xy"))
    with pytest.raises(lm.InvalidDocument, match=r"secrets\.0: .* at least 3") as caught:
        await secretive.persist()
    assert "xy" not in str(caught.value)
