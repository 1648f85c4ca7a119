"""Transactions are kept once or not at all, whatever the server does meanwhile."""

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


async def move(giver: Any, taker: Any, amount: int) -> None:
    """Move money between two accounts, which are loaded inside."""
    one, other = await Account.from_id(giver), await Account.from_id(taker)
    assert one is not None
    assert other is not None
    one.balance -= amount
    other.balance += amount
    one.moves += 1
    other.moves += 1
    await one.persist()
    await other.persist()
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
async def test_it_is_kept_once(
    replica_set: ReplicaSet, command: str, failure: dict[str, Any], times: int
) -> None:
    async with lm.connect(replica_set.uri, heartbeatFrequencyMS=500) as client:
        with lm.using(database=DATABASE):
            giver, taker = await two_accounts()
            with replica_set.failing(command, failure, mode={"times": times}):
                await lm.in_transaction(move, giver, taker, 7)
            stored = await Account.filter().sort("owner").load_many()
            assert [(a.balance, a.moves) for a in stored] == [(93, 1), (107, 1)]
            assert await Move.filter().count() == 1
        await client.drop_database(DATABASE)


async def test_primaries_are_killed_meanwhile(replica_set: ReplicaSet) -> None:
    """Money is neither made nor lost, and each move that was acknowledged is there."""
    async with lm.connect(replica_set.uri, heartbeatFrequencyMS=500) as client:
        with lm.using(database=DATABASE):
            giver, taker = await two_accounts()
            acknowledged: list[int] = []
            is_over = False

            async def mover() -> None:
                while not is_over:
                    await lm.in_transaction(move, giver, taker, 1)
                    acknowledged.append(1)

            async def killer() -> None:
                nonlocal is_over
                try:
                    for _ in range(2):
                        await in_thread(replica_set.replace_primary)
                finally:
                    is_over = True

            await gathered(mover, mover, mover, killer)
            stored = await Account.filter().sort("owner").load_many()
            moved = await Move.filter().count()
            assert moved == len(acknowledged)
            assert [(a.balance, a.moves) for a in stored] == [
                (100 - moved, moved),
                (100 + moved, moved),
            ]
        await client.drop_database(DATABASE)


async def test_a_server_that_stands_alone(tmp_path: Path) -> None:
    with run_mongod(tmp_path, replica_set=None) as uri:
        async with lm.connect(uri):
            account = Account(owner="ann")
            with pytest.raises(lm.ConfigurationError, match="stands alone"):
                await persist_inside(account)
            assert await Account.filter().count() == 0
            assert await account.persist()
            account.balance = 1
            with pytest.raises(lm.ConfigurationError, match="stands alone"):
                await lm.in_transaction(persist_inside, account)


async def persist_inside(account: Account) -> None:
    async with lm.transaction():
        await account.persist()
