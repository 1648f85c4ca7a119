"""Changes of documents, as they happen."""

import asyncio

# --8<-- [start:model]
import loom_async as lm
from loom_async import fld


@lm.declare_persist_db("my_app", "orders")
class Order(lm.Persistable):
    item: str
    amount: int = 1
    paid: bool = False


# --8<-- [end:model]


async def block() -> None:
    # --8<-- [start:block]
    async with Order.watch() as changes:  # no change after this is missed
        order = Order(item="tea")
        await order.persist()
        order.paid = True
        await order.persist()

        inserted = await anext(changes)
        assert (inserted.operation, inserted.document.item) == ("insert", "tea")
        updated = await anext(changes)
        assert updated.updated["paid"] is True
        updated.document.amount = 2  # an ordinary object
        await updated.document.persist()
    # --8<-- [end:block]


async def chosen() -> None:
    # --8<-- [start:filter]
    large = Order.filter((fld["amount"] >= 10) & (fld["paid"] == False))
    async with large.watch() as changes:
        await Order(item="salt", amount=1).persist()
        await Order(item="rice", amount=50).persist()
        async for change in changes:
            assert change.document.item == "rice"
            break
    # --8<-- [end:filter]


async def resumed() -> None:
    # --8<-- [start:resume]
    async with Order.watch() as changes:
        await Order(item="oil").persist()
        token = (await anext(changes)).token  # a string: store it where you like

    await Order(item="corn").persist()  # while no change stream is open
    async for change in Order.watch(resume_after=token):
        assert change.document.item == "corn"
        break
    # --8<-- [end:resume]


async def stopped() -> None:
    order = Order(item="figs")
    # --8<-- [start:stop]
    changes = Order.watch()
    async with changes:
        await order.persist()
        await order.delete()
        async for change in changes:
            if change.operation == "delete":
                changes.stop()  # from here, another task or a signal handler
    # --8<-- [end:stop]


async def main() -> None:
    async with lm.embedded():
        await block()
        await chosen()
        await resumed()
        await stopped()


asyncio.run(main())
