"""Declaring models: fields, ids, times, indexes."""

import asyncio

# --8<-- [start:model]
from enum import Enum

import loom_async as lm


class Plan(Enum):
    FREE = "free"
    PRO = "pro"


@lm.declare_persist_db(
    "my_app",
    "accounts",
    index=[lm.Index("email", unique=True), lm.Index("plan", "-created_at")],
)
class Account(lm.Persistable):
    email: lm.StrLower
    plan: Plan = Plan.FREE
    logins: lm.IncrCounter = 0


# --8<-- [end:model]


# --8<-- [start:country]
@lm.declare_persist_db("my_app", "countries")
class Country(lm.PersistableBase):
    id: str
    name: str


# --8<-- [end:country]


# --8<-- [start:family]
@lm.declare_persist_db("zoo", "animals", discriminator="kind")
class Animal(lm.Persistable):
    name: str


class Dog(Animal, tag="dog"):
    barks: int = 0


class Cat(Animal, tag="cat"):
    lives: int = 9


# --8<-- [end:family]


async def main() -> None:
    # --8<-- [start:validation]
    account = Account(email="Ann@Example.org")
    assert account.email == "ann@example.org"
    account.plan = "pro"  # assignment is validated
    assert account.plan is Plan.PRO
    # --8<-- [end:validation]

    async with lm.embedded():
        # --8<-- [start:times]
        assert account.created_at is None
        await account.persist()
        assert account.created_at == account.updated_time
        # --8<-- [end:times]

        await Country(id="CZ", name="Czechia").persist()
        assert await Country.from_id("CZ") == Country(id="CZ", name="Czechia")

        # --8<-- [start:families]
        await Animal.persist_many([Dog(name="Rex"), Cat(name="Tom")])
        loaded = await Animal.filter().sort("name").load_many()
        assert [type(animal) for animal in loaded] == [Dog, Cat]
        assert await Dog.filter().count() == 1
        # --8<-- [end:families]

        # --8<-- [start:indexes]
        difference = await Account.sync_indexes()
        assert difference == lm.IndexDifference()  # the first operation has made them
        # --8<-- [end:indexes]


if __name__ == "__main__":
    asyncio.run(main())
