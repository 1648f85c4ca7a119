"""Edits during a save: the next save stores them, and overwrites no write of another client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

import loom_async as lm
from tests.worlds.lost_replies import Connection, connected, open_connection, wait_until

DATABASE = "worlds_edits_during_save"


class Address(BaseModel):
    city: str = "Rome"
    zip: str = "1"
    visits: lm.IncrCounter = 0


class Pet(BaseModel):
    name: str
    age: int = 1


@lm.declare_persist_db("worlds", "edited")
class Person(lm.Persistable):
    name: str = ""
    addr: Address = Address()
    notes: dict[str, str] = {"first": "1"}
    places: dict[str, Address] = {"home": Address(), "work": Address()}
    tags: list[str] = ["old"]
    pets: list[Pet] = [Pet(name="Rex")]
    marks: set[str] = {"old"}
    count: lm.IncrCounter = 0


class Case(NamedTuple):
    """An edit, an earlier update by another client, and what is stored of both in the end."""

    name: str
    edit: Callable[[Person], object]
    other_update: dict[str, Any]
    stored: dict[str, Any]


def _set_city(person: Person) -> None:
    person.addr.city = "Oslo"


def _replace_address(person: Person) -> None:
    person.addr = person.addr.model_copy(update={"city": "Oslo"})


def _count_visits(person: Person) -> None:
    person.addr.visits += 2


def _count(person: Person) -> None:
    person.count += 2


def _move_home(person: Person) -> None:
    person.places["home"].city = "Oslo"


def _rename_pet(person: Person) -> None:
    person.pets[0].name = "Max"


_ZIP = {"$set": {"addr.zip": "2"}}
_CITY_AND_ZIP = {"addr.city": "Oslo", "addr.zip": "2"}

CASES = (
    Case("nested", _set_city, _ZIP, _CITY_AND_ZIP),
    Case("nested, replaced", _replace_address, _ZIP, _CITY_AND_ZIP),
    Case(
        "list",
        lambda p: p.tags.append("mine"),
        {"$push": {"tags": "theirs"}},
        {"tags": ["old", "theirs", "mine"]},
    ),
    Case(
        "list of models",
        lambda p: p.pets.append(Pet(name="Kit")),
        {"$push": {"pets": {"name": "Tom", "age": 1}}},
        {"pets": [{"name": n, "age": 1} for n in ("Rex", "Tom", "Kit")]},
    ),
    Case("model in a list", _rename_pet, {"$inc": {"count": 1}}, {"pets.0.name": "Max"}),
    Case(
        "set",
        lambda p: p.marks.add("mine"),
        {"$push": {"marks": "theirs"}},
        {"marks": {"old", "theirs", "mine"}},
    ),
    Case(
        "key added",
        lambda p: p.notes.update(mine="2"),
        {"$set": {"notes.theirs": "3"}},
        {"notes": {"first": "1", "theirs": "3", "mine": "2"}},
    ),
    Case(
        "odd key added",
        lambda p: p.notes.update({"a.b": "2"}),
        {"$set": {"notes.theirs": "3"}},
        {"notes": {"first": "1", "theirs": "3", "a.b": "2"}},
    ),
    Case(
        "key removed",
        lambda p: p.notes.pop("first"),
        {"$set": {"notes.theirs": "3"}},
        {"notes": {"theirs": "3"}},
    ),
    Case(
        "model in a dict",
        _move_home,
        {"$set": {"places.home.zip": "2", "places.work.zip": "3"}},
        {"places.home.city": "Oslo", "places.home.zip": "2", "places.work.zip": "3"},
    ),
    Case("counter", _count, {"$inc": {"count": 5}}, {"count": 7}),
    Case(
        "counter inside",
        _count_visits,
        {"$inc": {"addr.visits": 5}, **_ZIP},
        {"addr.visits": 7, "addr.zip": "2"},
    ),
)


def edit_name(person: Person) -> None:
    person.name = "first"


def edit_all(person: Person) -> None:
    """Edit the same fields as the cases: edits that are sent first are not sent again."""
    edit_name(person)
    person.addr.visits += 1
    person.tags.append("first")
    person.marks.add("first")
    person.notes["before"] = "0"
    person.count += 1


def value_at(document: Any, path: str) -> Any:
    for key in path.split("."):
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def find_differences(case: Case, document: Any, *, has_all_edits: bool) -> list[str]:
    """Return where a stored document differs from what both clients have written."""
    found: list[str] = []
    for path, expected in case.stored.items():
        value, wanted = value_at(document, path), expected
        if has_all_edits:
            wanted = with_first_edit(path, expected)
        if isinstance(wanted, set):
            value = set(value)
        if value != wanted:
            found.append(f"{case.name}: {path} is {value}, expected {wanted}")
    return found


def with_first_edit(path: str, expected: Any) -> Any:
    """Return what is expected after `edit_all`."""
    first = {
        "tags": lambda: ["old", "theirs", "first", "mine"],
        "marks": lambda: expected | {"first"},
        "notes": lambda: expected | {"before": "0"},
        "count": lambda: expected + 1,
        "addr.visits": lambda: expected + 1,
    }
    return first[path]() if path in first else expected


@pytest.fixture
async def connection(mongo_uri: str) -> AsyncIterator[Connection]:
    async with open_connection(mongo_uri, DATABASE) as opened:
        yield opened


async def create_people(connection: Connection, first: Callable[[Person], None]) -> list[Person]:
    """Return an object for each case, whose document another client has changed since."""
    people = [Person() for _ in CASES]
    await Person.persist_many(people)
    for case, person in zip(CASES, people, strict=True):
        await connection.direct[DATABASE]["edited"].update_one(
            {"_id": person.id}, case.other_update
        )
        first(person)
    return people


async def check(connection: Connection, people: list[Person], *, has_all_edits: bool) -> None:
    wrong: list[str] = []
    for case, person in zip(CASES, people, strict=True):
        document = await connection.direct[DATABASE]["edited"].find_one({"_id": person.id})
        wrong += find_differences(case, document, has_all_edits=has_all_edits)
        held = person.model_copy(deep=True)
        if await person.reload() != held:
            wrong.append(f"{case.name}: the object held {held}, and the database has {person}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("first", [edit_name, edit_all])
@pytest.mark.parametrize("store", ["single", "grouped", "many"])
async def test_edits_before_the_reply_arrives(
    connection: Connection, store: str, first: Any
) -> None:
    """The server has written; its reply is held back while the objects are edited."""
    raw = connection.direct[DATABASE]["edited"]

    async def are_stored() -> bool:
        return await raw.count_documents({"name": "first"}) == len(CASES)

    with lm.config_context(grouping=store == "grouped"):
        async with connected(connection, len(CASES)):
            people = await create_people(connection, first)
            connection.proxy.hold_replies()
            saves = asyncio.create_task(save_all(people, store))
            await wait_until(are_stored)
            for case, person in zip(CASES, people, strict=True):
                case.edit(person)
            connection.proxy.thaw()
            await saves
            await save_all(people, store)
            await check(connection, people, has_all_edits=first is edit_all)


async def save_all(people: list[Person], store: str) -> None:
    if store == "many":
        await Person.persist_many(people)
    else:
        await asyncio.gather(*(person.persist() for person in people))


@pytest.mark.parametrize("first", [edit_name, edit_all])
@pytest.mark.parametrize("iterations", [0, 1, 2, 3, 5, 8, 13])
@pytest.mark.parametrize("is_many", [False, True])
async def test_edits_at_any_iteration(
    connection: Connection, iterations: int, first: Any, is_many: bool
) -> None:
    async with connected(connection, 1):
        people = await create_people(connection, first)
        for case, person in zip(CASES, people, strict=True):
            store = "many" if is_many else "single"
            save = asyncio.create_task(save_all([person], store))
            for _ in range(iterations):
                await asyncio.sleep(0)
            case.edit(person)
            await save
            await save_all([person], store)
        await check(connection, people, has_all_edits=first is edit_all)


@pytest.mark.parametrize("first", [edit_name, edit_all])
async def test_edits_after_a_cancelled_save(connection: Connection, first: Any) -> None:
    """The caller cancels a save, edits and saves again; the first command runs to its end."""
    raw = connection.direct[DATABASE]["edited"]

    async def are_stored() -> bool:
        return await raw.count_documents({"name": "first"}) == len(CASES)

    async with connected(connection, len(CASES)):
        people = await create_people(connection, first)
        connection.proxy.hold_replies()
        saves = [asyncio.create_task(person.persist()) for person in people]
        await wait_until(are_stored)
        for save in saves:
            save.cancel()
        await asyncio.wait(saves, timeout=0.2)
        for case, person in zip(CASES, people, strict=True):
            case.edit(person)
        again = asyncio.gather(*(person.persist() for person in people))
        await asyncio.sleep(0.05)
        connection.proxy.thaw()
        await again
        await check(connection, people, has_all_edits=first is edit_all)
