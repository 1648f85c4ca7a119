# Generated from tests/aio/test_in_transaction.py by `nox -s sync`: edit that file.
"""`in_transaction` and `transactional`: functions that are retried after a conflict."""

from __future__ import annotations

import pytest

import loom_sync as lm
from loom_sync.collections.find import collection_of
from tests.sync.shop import User
from tests.sync.test_transactions import Account, Interrupted, balances


def test_in_transaction_retries_after_a_conflict(db: str) -> None:
    account = Account(owner="ann")
    account.persist()
    attempts = 0

    def raise_balance(changed: Account, by: int) -> int:
        nonlocal attempts
        attempts += 1
        Account.filter().count()  # takes the snapshot
        if attempts == 1:
            write_outside(account.id)
        changed.balance += by
        changed.notes.append("raised")
        changed.persist()
        return changed.balance

    assert lm.in_transaction(raise_balance, account, by=5) == 5
    assert attempts == 2
    account.reload()
    assert (account.balance, account.visits, account.notes) == (5, 1, ["raised"])
    attempts = 0
    with pytest.raises(lm.TransactionAborted), lm.transaction():
        raise_balance(account, 1)
    assert account.balance == 5


def write_outside(id: object) -> None:
    """Update a document by the driver, outside the transaction."""
    collection = collection_of(Account)
    collection.update_one({"_id": id}, {"$inc": {"visits": 1}})


def test_transactional_functions(db: str) -> None:
    @lm.transactional
    def move(sender: Account, receiver: Account, amount: int) -> None:
        """Move money."""
        sender.balance -= amount
        receiver.balance += amount
        sender.persist()
        receiver.persist()
        if sender.balance < 0:
            raise Interrupted

    ann, bob = Account(owner="ann", balance=10), Account(owner="bob")
    Account.persist_many([ann, bob])
    move(ann, bob, 4)
    with pytest.raises(Interrupted):
        move(ann, bob, 40)
    assert (ann.balance, bob.balance) == (6, 4) and balances() == {"ann": 6, "bob": 4}
    assert move.__name__ == "move" and move.__doc__ == "Move money."


def test_retries_end_after_the_transaction_timeout(db: str) -> None:
    account = Account(owner="ann")
    account.persist()

    def always_in_conflict() -> None:
        Account.filter().count()
        write_outside(account.id)
        Account.filter().update(balance=1)

    with lm.config_context(transaction_timeout=0.2), pytest.raises(lm.TransactionAborted):
        lm.in_transaction(always_in_conflict)


def test_in_transaction_does_not_retry_after_other_errors(db: str) -> None:
    runs = 0

    def function() -> None:
        nonlocal runs
        runs += 1
        with pytest.raises(lm.OperationFailed):
            User.agg(lm.AggregationStages().raw({"$nonsense": 1})).load_table()
        User.filter().count()

    with pytest.raises(lm.TransactionError, match="nonsense"):
        lm.in_transaction(function)
    assert runs == 1
