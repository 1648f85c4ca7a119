"""Transactions are committed once or not at all, whatever the server does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import loom_async as lm
from loom_async._concurrency import in_thread
from tests.aio._concurrency import gathered
from tests.faults.replica_set import ReplicaSet
from tests.mongod import run_mongod

DATABASE = f"faults_{__name__.replace('.', '_')}"


@lm.declare_persist_db("faults", "accounts")
class Account(lm.PersistableBase):
    owner: str
    balance: int = 0
    moves: lm.IncrCounter = 0


@lm.declare_persist_db("faults", "moves")
class Move(lm.PersistableBase):
    amount: int


async def move(sender: Any, receiver: Any, amount: int) -> None:
    """Move money between two accounts, which are loaded in the transaction."""
    from_account, to_account = await Account.from_id(sender), await Account.from_id(receiver)
    assert from_account is not None
    assert to_account is not None
    from_account.balance -= amount
    to_account.balance += amount
    from_account.moves += 1
    to_account.moves += 1
    await from_account.persist()
    await to_account.persist()
    await Move(amount=amount).persist()


async def two_accounts() -> tuple[Any, Any]:
    ann, bob = Account(owner="ann", balance=100), Account(owner="bob", balance=100)
    await Account.persist_many([ann, bob])
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
async def test_a_transaction_is_committed_once(
    replica_set: ReplicaSet, command: str, failure: dict[str, Any], times: int
) -> None:
    async with lm.connect(replica_set.uri, heartbeatFrequencyMS=500) as client:
        with lm.using(database=DATABASE):
            sender, receiver = await two_accounts()
            with replica_set.failing(command, failure, mode={"times": times}):
                await lm.in_transaction(move, sender, receiver, 7)
            stored = await Account.filter().sort("owner").load_many()
            assert [(a.balance, a.moves) for a in stored] == [(93, 1), (107, 1)]
            assert await Move.filter().count() == 1
        await client.drop_database(DATABASE)


async def test_primaries_are_killed_during_transactions(replica_set: ReplicaSet) -> None:
    """The sum of the balances stays the same, and acknowledged moves are stored once."""
    async with lm.connect(replica_set.uri, heartbeatFrequencyMS=500) as client:
        with lm.using(database=DATABASE):
            sender, receiver = await two_accounts()
            acknowledged: list[int] = []
            is_done = False

            async def move_repeatedly() -> None:
                while not is_done:
                    await lm.in_transaction(move, sender, receiver, 1)
                    acknowledged.append(1)

            async def kill_primaries() -> None:
                nonlocal is_done
                try:
                    for _ in range(2):
                        await in_thread(replica_set.replace_primary)
                finally:
                    is_done = True

            await gathered(move_repeatedly, move_repeatedly, move_repeatedly, kill_primaries)
            stored = await Account.filter().sort("owner").load_many()
            moved = await Move.filter().count()
            assert moved == len(acknowledged)
            assert [(a.balance, a.moves) for a in stored] == [
                (100 - moved, moved),
                (100 + moved, moved),
            ]
        await client.drop_database(DATABASE)


async def test_a_standalone_server_has_no_transactions(tmp_path: Path) -> None:
    with run_mongod(tmp_path, replica_set=None) as uri:
        async with lm.connect(uri):
            account = Account(owner="ann")
            with pytest.raises(lm.ConfigurationError, match="stands alone"):
                await persist_in_transaction(account)
            assert await Account.filter().count() == 0
            assert await account.persist()
            account.balance = 1
            with pytest.raises(lm.ConfigurationError, match="stands alone"):
                await lm.in_transaction(persist_in_transaction, account)


async def persist_in_transaction(account: Account) -> None:
    async with lm.transaction():
        await account.persist()
