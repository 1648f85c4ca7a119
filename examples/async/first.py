"""The README's first program: a model, the updates of its edits, and a query."""

# --8<-- [start:program]
import asyncio

import loom_async as lm
from loom_async import fld


@lm.declare_persist_db("my_app", "users", index=[lm.Index("email", unique=True)])
class User(lm.Persistable):
    name: str
    email: lm.StrLower
    age: int
    tags: list[str] = []
    visits: lm.IncrCounter = 0


async def main() -> None:
    async with lm.embedded():  # a temporary MongoDB, gone when the block ends
        ann = User(name="Ann", email="Ann@Example.org", age=41)
        await ann.persist()  # one insert

        ann.tags.append("admin")
        ann.visits += 1
        await ann.persist()  # {"$push": {"tags": …}, "$inc": {"visits": 1}, "$set": …}
        await ann.persist()  # nothing changed: no call

        adults = User.filter(fld["age"] >= 18).sort("age", descending=True).limit(10)
        for user in await adults.load_many():
            print(user.name, user.tags, user.visits)

        same = User.filter(lambda u: (u.age >= 18) & (u.email == "ann@example.org"))
        assert await same.load_one() == ann


if __name__ == "__main__":
    asyncio.run(main())
# --8<-- [end:program]
