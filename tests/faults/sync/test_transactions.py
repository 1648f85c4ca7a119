# Generated from tests/faults/test_transactions.py by `nox -s sync`: edit that file.
"""Transactions are kept once or not at all, whatever the server does meanwhile."""

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


def move(giver: Any, taker: Any, amount: int) -> None:
    """Move money between two accounts, which are loaded inside."""
    one, other = Account.from_id(giver), Account.from_id(taker)
    assert one is not None
    assert other is not None
    one.balance -= amount
    other.balance += amount
    one.moves += 1
    other.moves += 1
    one.persist()
    other.persist()
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
def test_it_is_kept_once(
    replica_set: ReplicaSet, command: str, failure: dict[str, Any], times: int
) -> None:
    with lm.connect(replica_set.uri, heartbeatFrequencyMS=500) as client:
        with lm.using(database=DATABASE):
            giver, taker = two_accounts()
            with replica_set.failing(command, failure, mode={"times": times}):
                lm.in_transaction(move, giver, taker, 7)
            stored = Account.filter().sort("owner").load_many()
            assert [(a.balance, a.moves) for a in stored] == [(93, 1), (107, 1)]
            assert Move.filter().count() == 1
        client.drop_database(DATABASE)


def test_primaries_are_killed_meanwhile(replica_set: ReplicaSet) -> None:
    """Money is neither made nor lost, and each move that was acknowledged is there."""
    with lm.connect(replica_set.uri, heartbeatFrequencyMS=500) as client:
        with lm.using(database=DATABASE):
            giver, taker = two_accounts()
            acknowledged: list[int] = []
            is_over = False

            def mover() -> None:
                while not is_over:
                    lm.in_transaction(move, giver, taker, 1)
                    acknowledged.append(1)

            def killer() -> None:
                nonlocal is_over
                try:
                    for _ in range(2):
                        in_thread(replica_set.replace_primary)
                finally:
                    is_over = True

            gathered(mover, mover, mover, killer)
            stored = Account.filter().sort("owner").load_many()
            moved = Move.filter().count()
            assert moved == len(acknowledged)
            assert [(a.balance, a.moves) for a in stored] == [
                (100 - moved, moved),
                (100 + moved, moved),
            ]
        client.drop_database(DATABASE)


def test_a_server_that_stands_alone(tmp_path: Path) -> None:
    with run_mongod(tmp_path, replica_set=None) as uri, lm.connect(uri):
        account = Account(owner="ann")
        with pytest.raises(lm.ConfigurationError, match="stands alone"):
            persist_inside(account)
        assert Account.filter().count() == 0
        assert account.persist()
        account.balance = 1
        with pytest.raises(lm.ConfigurationError, match="stands alone"):
            lm.in_transaction(persist_inside, account)


def persist_inside(account: Account) -> None:
    with lm.transaction():
        account.persist()
