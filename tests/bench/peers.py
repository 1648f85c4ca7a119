"""Beanie and ODMantic, which only `nox -s bench` installs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import beanie
from motor.motor_asyncio import AsyncIOMotorClient
from odmantic import AIOEngine, EmbeddedModel, Model
from pymongo import AsyncMongoClient

from tests.bench.contenders import DATABASE, Address, Contender


class BeanieUser(beanie.Document):
    name: str
    email: str
    age: int
    score: float
    is_active: bool = True
    tags: list[str]
    address: Address
    note: str

    class Settings:
        name = "beanie"
        use_state_management = True


class Beanie(Contender):
    name = "beanie"

    async def open(self) -> None:
        self.client: Any = AsyncMongoClient(self.uri, tz_aware=True)
        await beanie.init_beanie(database=self.client[DATABASE], document_models=[BeanieUser])

    async def close(self) -> None:
        await self.client.close()

    async def drop(self) -> None:
        await self.client[DATABASE]["beanie"].drop()

    def build(self, rows: Sequence[dict[str, Any]]) -> list[Any]:
        return [BeanieUser(**row) for row in rows]

    async def insert_one(self, item: Any) -> None:
        await item.insert()

    async def insert_many(self, items: list[Any]) -> None:
        await BeanieUser.insert_many(items)

    async def find_all(self) -> list[Any]:
        return await BeanieUser.find_all().to_list()

    async def get(self, key: Any) -> Any:
        return await BeanieUser.get(key)

    async def save_age(self, item: Any) -> None:
        await item.save_changes()


class OdmanticAddress(EmbeddedModel):
    street: str
    city: str
    zip: str


class OdmanticUser(Model):
    model_config = {"collection": "odmantic"}

    name: str
    email: str
    age: int
    score: float
    is_active: bool = True
    tags: list[str]
    address: OdmanticAddress
    note: str


class Odmantic(Contender):
    name = "odmantic"
    bulk_size = 1_000

    async def open(self) -> None:
        self.client: Any = AsyncIOMotorClient(self.uri)
        self.engine = AIOEngine(client=self.client, database=DATABASE)

    async def close(self) -> None:
        self.client.close()

    async def drop(self) -> None:
        await self.client[DATABASE]["odmantic"].drop()

    def build(self, rows: Sequence[dict[str, Any]]) -> list[Any]:
        return [OdmanticUser(**row) for row in rows]

    async def insert_one(self, item: Any) -> None:
        await self.engine.save(item)

    async def insert_many(self, items: list[Any]) -> None:
        await self.engine.save_all(items)

    async def find_all(self) -> list[Any]:
        return list(await self.engine.find(OdmanticUser))

    async def get(self, key: Any) -> Any:
        return await self.engine.find_one(OdmanticUser, OdmanticUser.id == key)

    async def save_age(self, item: Any) -> None:
        await self.engine.save(item)


PEERS: list[Callable[[str], Contender]] = [Beanie, Odmantic]
