"""The client and the database that an operation uses: blocks, tenants, settings."""

import asyncio

# --8<-- [start:model]
import loom_async as lm


@lm.declare_persist_db("my_app", "notes")
class Note(lm.PersistableBase):
    text: str


async def store(tenant: str) -> int:
    with lm.using(database=tenant):
        await Note(text=f"of {tenant}").persist()
        return await Note.filter().count()


# --8<-- [end:model]


async def main() -> None:
    async with lm.embedded() as client:
        # --8<-- [start:tenants]
        for tenant in ("tenant_1", "tenant_2"):
            assert await store(tenant) == 1
        assert await Note.filter().count() == 0  # nothing is in my_app
        # --8<-- [end:tenants]

        with lm.using(client=client, database="tenant_1"):
            assert await Note.filter().exists()

        # --8<-- [start:driver]
        with lm.using(database="tenant_1"):
            notes = await Note.get_db_collection()
            await notes.update_many({}, {"$rename": {"text": "body"}})
        # --8<-- [end:driver]

    # --8<-- [start:notebook]
    client = await lm.open_embedded()  # or lm.open(uri)
    await Note(text="of any later cell").persist()
    print(await client.list_database_names())
    await lm.close()
    # --8<-- [end:notebook]

    # --8<-- [start:settings]
    with lm.config_context(server_timeout=5):
        assert lm.settings().server_timeout == 5
    # --8<-- [end:settings]


if __name__ == "__main__":
    asyncio.run(main())
