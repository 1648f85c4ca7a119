# Generated from tests/faults/test_transactions.py by `nox -s sync`: edit that file.
"""Transactions are committed once or not at all, whatever the server does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import loom_sync as lm
from loom_sync._concurrency import in_thread
from tests.faults.replica_set import ReplicaSet
from tests.mongod import run_mongod
from tests.sync._concurrency import gathered

DATABASE = f"faults_{__name__.replace('.', '_')}"


@lm.declare_persist_db("faults", "accounts")
class Account(lm.PersistableBase):
    owner: str
    balance: int = 0
    moves: lm.IncrCounter = 0


@lm.declare_persist_db("faults", "moves")
class Move(lm.PersistableBase):
    amount: int


def move(sender: Any, receiver: Any, amount: int) -> None:
    """Move money between two accounts, which are loaded in the transaction."""
    from_account, to_account = Account.from_id(sender), Account.from_id(receiver)
    assert from_account is not None
    assert to_account is not None
    from_account.balance -= amount
    to_account.balance += amount
    from_account.moves += 1
    to_account.moves += 1
    from_account.persist()
    to_account.persist()
    Move(amount=amount).persist()


def two_accounts() -> tuple[Any, Any]:
    ann, bob = Account(owner="ann", balance=100), Account(owner="bob", balance=100)
    Account.persist_many([ann, bob])
    return ann.id, bob.id


@pytest.mark.parametrize(
    ("command", "failure", "times"),
    [
        ("commitTransaction", {"closeConnection": True}, 3),
        ("commitTransaction", {"errorCode": 91}, 2),
        ("commitTransaction", {"writeConcernError": {"code": 91, "errmsg": "leaving"}}, 1),
        ("commitTransaction", {"errorCode": 251, "errorLabels": ["TransientTransactionError"]}, 2),
        ("insert", {"closeConnection": True}, 2),
        ("findAndModify", {"errorCode": 112, "errorLabels": ["TransientTransactionError"]}, 2),
    ],
)
def test_a_transaction_is_committed_once(
    replica_set: ReplicaSet, command: str, failure: dict[str, Any], times: int
) -> None:
    with lm.connect(replica_set.uri, heartbeatFrequencyMS=500) as client:
        with lm.using(database=DATABASE):
            sender, receiver = two_accounts()
            with replica_set.failing(command, failure, mode={"times": times}):
                lm.in_transaction(move, sender, receiver, 7)
            stored = Account.filter().sort("owner").load_many()
            assert [(a.balance, a.moves) for a in stored] == [(93, 1), (107, 1)]
            assert Move.filter().count() == 1
        client.drop_database(DATABASE)


def test_primaries_are_killed_during_transactions(replica_set: ReplicaSet) -> None:
    """The sum of the balances stays the same, and acknowledged moves are stored once."""
    with lm.connect(replica_set.uri, heartbeatFrequencyMS=500) as client:
        with lm.using(database=DATABASE):
            sender, receiver = two_accounts()
            acknowledged: list[int] = []
            is_done = False

            def move_repeatedly() -> None:
                while not is_done:
                    lm.in_transaction(move, sender, receiver, 1)
                    acknowledged.append(1)

            def kill_primaries() -> None:
                nonlocal is_done
                try:
                    for _ in range(2):
                        in_thread(replica_set.replace_primary)
                finally:
                    is_done = True

            gathered(move_repeatedly, move_repeatedly, move_repeatedly, kill_primaries)
            stored = Account.filter().sort("owner").load_many()
            moved = Move.filter().count()
            assert moved == len(acknowledged)
            assert [(a.balance, a.moves) for a in stored] == [
                (100 - moved, moved),
                (100 + moved, moved),
            ]
        client.drop_database(DATABASE)


def test_a_standalone_server_has_no_transactions(tmp_path: Path) -> None:
    with run_mongod(tmp_path, replica_set=None) as uri, lm.connect(uri):
        account = Account(owner="ann")
        with pytest.raises(lm.ConfigurationError, match="stands alone"):
            persist_in_transaction(account)
        assert Account.filter().count() == 0
        assert account.persist()
        account.balance = 1
        with pytest.raises(lm.ConfigurationError, match="stands alone"):
            lm.in_transaction(persist_in_transaction, account)


def persist_in_transaction(account: Account) -> None:
    with lm.transaction():
        account.persist()
