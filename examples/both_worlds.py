"""One model of `loom_sync`, used from plain code, from threads and in an event loop.

It needs no database: it starts the embedded server with a temporary directory, and stops it at the
end.
"""

# --8<-- [start:model]
import asyncio
from concurrent.futures import ThreadPoolExecutor

import loom_sync as lm
from loom_sync import fld


@lm.declare_persist_db("my_app", "orders")
class Order(lm.Persistable):
    customer: str
    items: list[str] = []
    views: lm.IncrCounter = 0


# --8<-- [end:model]


def from_both_worlds() -> None:
    # --8<-- [start:both]
    order = Order(customer="Ann")
    assert order.persist()  # plain code: blocks until it is stored

    async def add(item: str) -> None:
        order.items.append(item)
        await order.persist_async()  # a task: the event loop stays free

    async def serve() -> None:
        await asyncio.gather(add("tea"), add("cake"))
        full = Order.filter(fld["items"].has_size(2))
        assert await full.count_async() == 1
        async for found in full.stream_async():
            assert found.items == ["tea", "cake"]

    asyncio.run(serve())
    assert Order.from_id(order.id).items == ["tea", "cake"]
    # --8<-- [end:both]


def from_threads() -> None:
    # --8<-- [start:threads]
    order = Order(customer="Bob")
    order.persist()

    def look(_: int) -> None:
        seen = Order.from_id(order.id)  # a separate object in each thread
        seen.views += 1
        seen.persist()

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(look, range(100)))
    assert order.reload().views == 100
    # --8<-- [end:threads]


def by_tenant() -> None:
    # --8<-- [start:tenants]
    def store(tenant: str) -> int:
        with lm.using(database=tenant):  # applies to this thread
            Order(customer="Eve").persist()
            return Order.filter().count()

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(store, ["tenant_1", "tenant_2"])) == [1, 1]
    # --8<-- [end:tenants]


def main() -> None:
    with lm.embedded():  # applies to both worlds, and to the threads of this script
        from_both_worlds()
        from_threads()
        by_tenant()


if __name__ == "__main__":
    main()
