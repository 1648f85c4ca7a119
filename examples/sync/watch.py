# Generated from examples/async/watch.py by `nox -s sync`: edit that file.
"""Changes of documents, as they happen."""

# --8<-- [start:model]
import loom_sync as lm
from loom_sync import fld


@lm.declare_persist_db("my_app", "orders")
class Order(lm.Persistable):
    item: str
    amount: int = 1
    paid: bool = False


# --8<-- [end:model]


def block() -> None:
    # --8<-- [start:block]
    with Order.watch() as changes:  # no change after this is missed
        order = Order(item="tea")
        order.persist()
        order.paid = True
        order.persist()

        inserted = next(changes)
        assert (inserted.operation, inserted.document.item) == ("insert", "tea")
        updated = next(changes)
        assert updated.updated["paid"] is True
        updated.document.amount = 2  # an ordinary object
        updated.document.persist()
    # --8<-- [end:block]


def chosen() -> None:
    # --8<-- [start:filter]
    large = Order.filter((fld["amount"] >= 10) & (fld["paid"] == False))
    with large.watch() as changes:
        Order(item="salt", amount=1).persist()
        Order(item="rice", amount=50).persist()
        for change in changes:
            assert change.document.item == "rice"
            break
    # --8<-- [end:filter]


def resumed() -> None:
    # --8<-- [start:resume]
    with Order.watch() as changes:
        Order(item="oil").persist()
        token = next(changes).token  # a string: store it where you like

    Order(item="corn").persist()  # while no change stream is open
    for change in Order.watch(resume_after=token):
        assert change.document.item == "corn"
        break
    # --8<-- [end:resume]


def stopped() -> None:
    order = Order(item="figs")
    # --8<-- [start:stop]
    changes = Order.watch()
    with changes:
        order.persist()
        order.delete()
        for change in changes:
            if change.operation == "delete":
                changes.stop()  # from here, another thread or a signal handler
    # --8<-- [end:stop]


def main() -> None:
    with lm.embedded():
        block()
        chosen()
        resumed()
        stopped()


main()
