"""`in_transaction` and `transactional`: functions that are retried after a conflict."""

from __future__ import annotations

import pytest

import loom_async as lm
from loom_async.collections.find import collection_of
from tests.aio.shop import User
from tests.aio.test_transactions import Account, Interrupted, balances


async def test_in_transaction_retries_after_a_conflict(db: str) -> None:
    account = Account(owner="ann")
    await account.persist()
    attempts = 0

    async def raise_balance(changed: Account, by: int) -> int:
        nonlocal attempts
        attempts += 1
        await Account.filter().count()  # takes the snapshot
        if attempts == 1:
            await write_outside(account.id)
        changed.balance += by
        changed.notes.append("raised")
        await changed.persist()
        return changed.balance

    assert await lm.in_transaction(raise_balance, account, by=5) == 5
    assert attempts == 2
    await account.reload()
    assert (account.balance, account.visits, account.notes) == (5, 1, ["raised"])
    attempts = 0
    with pytest.raises(lm.TransactionAborted):
        async with lm.transaction():
            await raise_balance(account, 1)
    assert account.balance == 5


async def write_outside(id: object) -> None:
    """Update a document by the driver, outside the transaction."""
    collection = await collection_of(Account)
    await collection.update_one({"_id": id}, {"$inc": {"visits": 1}})


async def test_transactional_functions(db: str) -> None:
    @lm.transactional
    async def move(sender: Account, receiver: Account, amount: int) -> None:
        """Move money."""
        sender.balance -= amount
        receiver.balance += amount
        await sender.persist()
        await receiver.persist()
        if sender.balance < 0:
            raise Interrupted

    ann, bob = Account(owner="ann", balance=10), Account(owner="bob")
    await Account.persist_many([ann, bob])
    await move(ann, bob, 4)
    with pytest.raises(Interrupted):
        await move(ann, bob, 40)
    assert (ann.balance, bob.balance) == (6, 4) and await balances() == {"ann": 6, "bob": 4}
    assert move.__name__ == "move" and move.__doc__ == "Move money."


async def test_retries_end_after_the_transaction_timeout(db: str) -> None:
    account = Account(owner="ann")
    await account.persist()

    async def always_in_conflict() -> None:
        await Account.filter().count()
        await write_outside(account.id)
        await Account.filter().update(balance=1)

    with lm.config_context(transaction_timeout=0.2), pytest.raises(lm.TransactionAborted):
        await lm.in_transaction(always_in_conflict)


async def test_in_transaction_does_not_retry_after_other_errors(db: str) -> None:
    runs = 0

    async def function() -> None:
        nonlocal runs
        runs += 1
        with pytest.raises(lm.OperationFailed):
            await User.agg(lm.AggregationStages().raw({"$nonsense": 1})).load_table()
        await User.filter().count()

    with pytest.raises(lm.TransactionError, match="nonsense"):
        await lm.in_transaction(function)
    assert runs == 1
