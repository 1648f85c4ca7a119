"""Models and calls for tests in which many asyncio tasks store objects at once."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from pydantic import Field

import loom_async as lm

MANY = 40


@lm.declare_persist_db("grouping", "tasks")
class Task(lm.Persistable):
    name: str = ""
    text: str = ""
    count: lm.IncrCounter = 0


@lm.declare_persist_db("grouping", "counted")
class Counted(lm.PersistableBase):
    name: str = ""
    revision: lm.Revision = 0


@lm.declare_persist_db("grouping", "unique", index=[lm.Index("name", unique=True)])
class Unique(lm.PersistableBase):
    name: str = Field(default_factory=lambda: uuid4().hex)


@lm.declare_persist_db("grouping", "tagged")
class Tagged(lm.PersistableBase):
    tags: set[str] = set()


async def create(count: int = MANY, model: Any = Task, **values: Any) -> list[Any]:
    created = [model(**values) for _ in range(count)]
    await model.persist_many(created)
    return created


def rename(tasks: list[Any], name: str = "new") -> list[Any]:
    for task in tasks:
        task.name = name
    return [task.persist() for task in tasks]


async def names() -> set[str]:
    return {task.name for task in await Task.filter().load_many()}
