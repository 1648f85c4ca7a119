"""Many concurrent loads and saves: each call has the result or the error of a single call."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any

from bson import DatetimeMS, Int64

import loom_async as lm
from loom_async.collections.find import collection_of
from tests.aio._concurrency import gathered

MANY = 30


@lm.declare_persist_db("at_once", "tasks", index=[lm.Index("name", unique=True)])
class Task(lm.Persistable):
    name: str
    notes: list[str] = []
    details: dict[str, int] = {}
    count: lm.IncrCounter = 0


@lm.declare_persist_db("at_once", "animals", discriminator="kind")
class Animal(lm.PersistableBase):
    name: str


class Dog(Animal, tag="dog"):
    pass


class Cat(Animal, tag="cat"):
    pass


@lm.declare_persist_db("at_once", "numbered")
class Numbered(lm.PersistableBase):
    id: int
    text: str = ""


@lm.declare_persist_db("at_once", "named")
class Named(lm.PersistableBase):
    id: str


def result_or_error(function: Callable[..., Awaitable[Any]], *arguments: Any) -> Callable[[], Any]:
    """Return a call that returns the result of a function, or the Loom error it raises."""

    async def call() -> Any:
        try:
            return await function(*arguments)
        except lm.LoomError as error:
            return error

    return call


async def create_tasks(count: int = MANY) -> list[Task]:
    tasks = [Task(name=f"task {n}") for n in range(count)]
    await Task.persist_many(tasks)
    return tasks


async def load(id: Any) -> Task | None:
    return await Task.from_id(id)


async def test_each_call_has_its_own_document(db: str) -> None:
    tasks = await create_tasks()
    ids = [task.id for task in tasks]
    random.shuffle(ids)
    assert [
        task and task.id for task in await gathered(*(result_or_error(load, id) for id in ids))
    ] == ids
    for number, task in enumerate(tasks):
        task.name = f"new {number}"
    assert await gathered(*(result_or_error(task.persist) for task in tasks)) == [True] * MANY
    assert {task.name for task in await Task.filter().load_many()} == {t.name for t in tasks}
    before = [task.model_dump() for task in tasks]
    assert await gathered(*(result_or_error(task.persist) for task in tasks)) == [False] * MANY
    assert [(await task.reload()).model_dump() for task in tasks] == before


async def test_each_load_returns_a_new_object(db: str) -> None:
    (task,) = await create_tasks(1)
    found = await gathered(*(result_or_error(load, task.id) for _ in range(MANY)))
    for other in found[1:]:
        assert other == found[0]
        other.notes.append("mine")
    assert found[0].notes == []


async def test_deleted_documents_and_duplicate_keys(db: str) -> None:
    tasks = await create_tasks()
    collection = await collection_of(Task)
    await collection.delete_many({"_id": {"$in": [task.id for task in tasks[:3]]}})
    await Task(name="taken").persist()
    for number, task in enumerate(tasks):
        task.name = "taken" if number % 10 == 9 else f"new {number}"
    outcomes = await gathered(*(result_or_error(task.persist) for task in tasks))
    for number, outcome in enumerate(outcomes):
        if number < 3:
            assert isinstance(outcome, lm.DocumentNotFound)
        elif number % 10 == 9:
            assert isinstance(outcome, lm.DuplicateKey)
            assert outcome.key == {"name": "taken"}
        else:
            assert outcome is True
    found = await gathered(*(result_or_error(load, task.id) for task in tasks))
    for number, (task, loaded) in enumerate(zip(tasks, found, strict=True)):
        stored = f"task {number}" if number % 10 == 9 else task.name
        assert loaded is None if number < 3 else loaded.name == stored
    tasks[9].name = "not taken"
    assert await tasks[9].persist()


async def test_saves_merge_the_writes_of_another_client(db: str) -> None:
    tasks = await create_tasks()
    collection = await collection_of(Task)
    await collection.update_many({}, {"$set": {"details.theirs": 1}, "$push": {"notes": "theirs"}})
    for number, task in enumerate(tasks):
        task.name = f"new {number}"
    assert all(await gathered(*(result_or_error(task.persist) for task in tasks)))
    assert all((task.notes, task.details) == (["theirs"], {"theirs": 1}) for task in tasks)


async def test_many_objects_of_one_document(db: str) -> None:
    (task,) = await create_tasks(1)
    copies = [task.model_copy(deep=True) for _ in range(MANY)]
    for number, copy in enumerate(copies):
        if number % 2:
            copy.notes.append(f"note {number}")
        else:
            copy.name = f"name {number}"
    assert all(await gathered(*(result_or_error(copy.persist) for copy in copies)))
    stored = await task.reload()
    assert stored.name.startswith("name ")
    assert sorted(stored.notes) == sorted(f"note {n}" for n in range(1, MANY, 2))


async def test_each_increment_counts_once(db: str) -> None:
    (task,) = await create_tasks(1)
    copies = [task.model_copy() for _ in range(MANY)]
    for copy in copies:
        copy.count += 1
    assert all(await gathered(*(result_or_error(copy.persist) for copy in copies)))
    assert (await task.reload()).count == MANY


async def test_objects_have_the_class_of_their_tag(db: str) -> None:
    animals = [(Dog if n % 2 else Cat)(name=f"animal {n}") for n in range(MANY)]
    await Animal.persist_many(animals)
    found = await gathered(*(result_or_error(Animal.from_id, animal.id) for animal in animals))
    assert [type(animal) for animal in found] == [type(animal) for animal in animals]
    dogs = await gathered(*(result_or_error(Dog.from_id, animal.id) for animal in animals))
    assert [dog is not None for dog in dogs] == [n % 2 == 1 for n in range(MANY)]


async def test_numeric_ids_of_different_bson_types(db: str) -> None:
    collection = await collection_of(Numbered)
    rows = [{"_id": Int64(n) if n % 2 else float(n), "text": f"{n}"} for n in range(MANY)]
    await collection.insert_many(rows)
    found = await gathered(*(result_or_error(Numbered.from_id, n) for n in range(MANY + 5)))
    assert [f and f.text for f in found] == [*map(str, range(MANY)), *[None] * 5]


async def test_ids_that_a_collation_treats_as_equal(client: Any, db: str) -> None:
    collation = {"locale": "en", "strength": 1}
    await client[db].create_collection("named", collation=collation)
    await Named.persist_many(Named(id=f"a{n}") for n in range(MANY))
    found = await gathered(*(result_or_error(Named.from_id, f"A{n}") for n in range(MANY + 5)))
    assert [f and f.id for f in found] == [*(f"a{n}" for n in range(MANY)), *[None] * 5]


async def test_two_spellings_of_one_id(client: Any, db: str) -> None:
    collation = {"locale": "en", "strength": 1}
    await client[db].create_collection("named", collation=collation)
    await Named.persist_many(Named(id=f"a{n}") for n in range(MANY))
    spellings = [f"{'aA'[n % 2]}{n // 2}" for n in range(2 * MANY)]
    found = await gathered(*(result_or_error(Named.from_id, name) for name in spellings))
    assert [f and f.id for f in found] == [name.lower() for name in spellings]


async def test_only_the_call_that_cannot_be_encoded_or_decoded_fails(db: str) -> None:
    await Numbered.persist_many(Numbered(id=n) for n in range(MANY))
    ids = [2**70 if n == 20 else n for n in range(MANY)]
    found = await gathered(*(result_or_error(Numbered.from_id, id) for id in ids))
    assert isinstance(found.pop(20), lm.LoomError)
    assert [one.id for one in found] == [id for id in ids if id != 2**70]
    tasks = await create_tasks()
    collection = await collection_of(Task)
    beyond = {"$set": {"created_at": DatetimeMS(2**50)}}
    await collection.update_one({"_id": tasks[20].id}, beyond)
    loaded = await gathered(*(result_or_error(load, task.id) for task in tasks))
    assert isinstance(loaded.pop(20), lm.LoomError)
    assert loaded == tasks[:20] + tasks[21:]
    for number, task in enumerate(tasks):
        task.name = f"new {number}"
    outcomes = await gathered(*(result_or_error(task.persist) for task in tasks))
    assert isinstance(outcomes.pop(20), lm.LoomError)
    assert all(outcome is True for outcome in outcomes)
