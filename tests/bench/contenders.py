"""The same model and operations, as a user of each library would write them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from bson import ObjectId
from pydantic import BaseModel, ConfigDict, Field
from pymongo import AsyncMongoClient

import loom_async as lm

DATABASE = "bench"


def make_rows(count: int) -> list[dict[str, Any]]:
    """Return documents of about 300 bytes."""
    return [
        {
            "name": f"Person number {n}",
            "email": f"person{n}@example.com",
            "age": n % 90,
            "score": n / 7,
            "is_active": n % 2 == 0,
            "tags": ["alpha", "beta", f"tag{n % 100}"],
            "address": {"street": f"Long street {n}", "city": "Prague", "zip": f"{n % 100000:05}"},
            "note": "x" * 60,
        }
        for n in range(count)
    ]


class Address(BaseModel):
    street: str
    city: str
    zip: str


class Contender(ABC):
    """One library."""

    name: str
    #: The size of a bulk insertion; None for all, fewer if a library sends each document alone.
    bulk_size: int | None = None

    def __init__(self, uri: str) -> None:
        self.uri = uri

    @abstractmethod
    async def open(self) -> None: ...

    @abstractmethod
    async def close(self) -> None: ...

    @abstractmethod
    async def drop(self) -> None: ...

    @abstractmethod
    def build(self, rows: Sequence[dict[str, Any]]) -> list[Any]: ...

    async def fill(self, rows: Sequence[dict[str, Any]]) -> None:
        """Insert further rows without the library, so that all contenders load equally many."""
        if rows:
            client: Any = AsyncMongoClient(self.uri)
            await client[DATABASE][self.name].insert_many([dict(row) for row in rows])
            await client.close()

    @abstractmethod
    async def insert_one(self, item: Any) -> None: ...

    @abstractmethod
    async def insert_many(self, items: list[Any]) -> None: ...

    @abstractmethod
    async def find_all(self) -> list[Any]: ...

    @abstractmethod
    async def get(self, key: Any) -> Any: ...

    @abstractmethod
    async def save_age(self, item: Any) -> None: ...


class PlainUser(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    id: ObjectId | None = Field(default=None, alias="_id")
    name: str
    email: str
    age: int
    score: float
    is_active: bool = True
    tags: list[str]
    address: Address
    note: str


class Plain(Contender):
    """pymongo with `model_validate` and `model_dump` of pydantic."""

    name = "pymongo"

    async def open(self) -> None:
        self.client: Any = AsyncMongoClient(self.uri, tz_aware=True)
        self.collection = self.client[DATABASE][self.name]

    async def close(self) -> None:
        await self.client.close()

    async def drop(self) -> None:
        await self.collection.drop()

    def build(self, rows: Sequence[dict[str, Any]]) -> list[Any]:
        return [PlainUser(**row) for row in rows]

    async def insert_one(self, item: Any) -> None:
        document = item.model_dump(by_alias=True, exclude={"id"})
        item.id = (await self.collection.insert_one(document)).inserted_id

    async def insert_many(self, items: list[Any]) -> None:
        documents = [item.model_dump(by_alias=True, exclude={"id"}) for item in items]
        result = await self.collection.insert_many(documents)
        for item, key in zip(items, result.inserted_ids, strict=True):
            item.id = key

    async def find_all(self) -> list[Any]:
        return [PlainUser.model_validate(document) async for document in self.collection.find()]

    async def get(self, key: Any) -> Any:
        return PlainUser.model_validate(await self.collection.find_one({"_id": key}))

    async def save_age(self, item: Any) -> None:
        await self.collection.update_one({"_id": item.id}, {"$set": {"age": item.age}})


class PlainToList(Plain):
    """pymongo with `to_list` instead of a loop over the cursor."""

    name = "to_list"

    async def find_all(self) -> list[Any]:
        documents = await self.collection.find().to_list()
        return [PlainUser.model_validate(document) for document in documents]


@lm.declare_persist_db(DATABASE, "loom")
class LoomUser(lm.PersistableBase):
    name: str
    email: str
    age: int
    score: float
    is_active: bool = True
    tags: list[str]
    address: Address
    note: str


class Loom(Contender):
    """Loom with change tracking."""

    name = "loom"

    async def open(self) -> None:
        self.client: Any = AsyncMongoClient(self.uri, tz_aware=True)
        self.context = lm.using(client=self.client)
        self.context.__enter__()

    async def close(self) -> None:
        self.context.__exit__(None, None, None)
        await self.client.close()

    async def drop(self) -> None:
        await self.client[DATABASE]["loom"].drop()

    def build(self, rows: Sequence[dict[str, Any]]) -> list[Any]:
        return [LoomUser(**row) for row in rows]

    async def insert_one(self, item: Any) -> None:
        await item.persist()

    async def insert_many(self, items: list[Any]) -> None:
        await LoomUser.persist_many(items)

    async def find_all(self) -> list[Any]:
        return list(await LoomUser.filter().load_many())

    async def get(self, key: Any) -> Any:
        return await LoomUser.from_id(key)

    async def save_age(self, item: Any) -> None:
        await item.persist()


CONTENDERS: list[Callable[[str], Contender]] = [Plain, PlainToList, Loom]

try:
    from tests.bench.peers import PEERS
except ImportError:  # the peers are installed only by `nox -s bench`
    PEERS: list[Callable[[str], Contender]] = []
CONTENDERS += PEERS
