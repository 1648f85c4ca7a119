# Generated from examples/async/transactions.py by `nox -s sync`: edit that file.
"""Several writes that are committed together or not at all."""

# --8<-- [start:model]
import loom_sync as lm


@lm.declare_persist_db("bank", "accounts")
class Account(lm.Persistable):
    owner: str
    balance: int = 0


@lm.declare_persist_db("bank", "transfers")
class Transfer(lm.Persistable):
    giver: str
    taker: str
    amount: int


# --8<-- [end:model]


# --8<-- [start:transactional]
@lm.transactional
def transfer(giver: Account, taker: Account, amount: int) -> None:
    giver.balance -= amount
    taker.balance += amount
    if giver.balance < 0:
        raise ValueError(f"{giver.owner} has too little")
    giver.persist()
    taker.persist()
    Transfer(giver=giver.owner, taker=taker.owner, amount=amount).persist()


# --8<-- [end:transactional]


def main() -> None:
    with lm.embedded():
        # --8<-- [start:block]
        ann, bob = Account(owner="Ann", balance=10), Account(owner="Bob")
        with lm.transaction():
            ann.persist()
            bob.persist()
        # --8<-- [end:block]

        # --8<-- [start:undone]
        transfer(ann, bob, 4)
        try:
            transfer(ann, bob, 40)
        except ValueError as error:
            reason = str(error)
        assert reason == "Ann has too little"
        assert (ann.balance, bob.balance) == (6, 4)  # the objects are restored too
        assert Transfer.filter().count() == 1
        # --8<-- [end:undone]


if __name__ == "__main__":
    main()
