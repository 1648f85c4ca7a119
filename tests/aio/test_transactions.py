"""All operations of a transaction happen, or none, and objects know which."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from pymongo import AsyncMongoClient

import loom_async as lm
from loom_async.collections.find import collection_of
from tests.aio import _concurrency
from tests.aio.shop import Archived, User, names


@lm.declare_persist_db("shop", "accounts")
class Account(lm.PersistableBase):
    owner: str
    balance: int = 0
    visits: lm.IncrCounter = 0
    notes: list[str] = []


class Interrupted(Exception):
    pass


async def balances() -> dict[str, int]:
    return {account.owner: account.balance for account in await Account.filter().load_many()}


async def test_all_or_nothing(db: str) -> None:
    ann, bob = Account(owner="ann", balance=10), Account(owner="bob")
    await Account.persist_many([ann, bob])
    async with lm.transaction():
        ann.balance -= 4
        bob.balance += 4
        assert await ann.persist()
        assert await Account.persist_many([bob]) == lm.PersistResult(0, 1, 0)
        assert await balances() == {"ann": 6, "bob": 4}
    assert await balances() == {"ann": 6, "bob": 4}
    with pytest.raises(Interrupted):
        async with lm.transaction():
            await Account.filter().update(balance=0)
            await Archived(name="x").persist()
            await Account.filter(lm.fld["owner"] == "bob").delete()
            assert await Account.filter().count() == 1
            raise Interrupted
    assert await balances() == {"ann": 6, "bob": 4}
    assert not await Archived.filter().exists()


async def test_nobody_else_sees_it_before_its_end(db: str) -> None:
    collection = await collection_of(Account)
    async with lm.transaction():
        await Account(owner="ann").persist()
        assert await collection.count_documents({}) == 0  # the driver, without the session
    assert await collection.count_documents({}) == 1


async def test_reads_go_to_the_primary_whatever_is_preferred(db: str, mongo_uri: str) -> None:
    async with lm.connect(mongo_uri, readPreference="secondaryPreferred"), lm.transaction():
        await (ann := Account(owner="ann")).persist()
        assert await Account.from_id(ann.id) == ann
        assert await balances() == {"ann": 0}


async def test_objects_are_what_they_were(db: str) -> None:
    old, new, gone = Account(owner="old", balance=1), Account(owner="new"), Account(owner="gone")
    await Account.persist_many([old, gone])
    with pytest.raises(Interrupted):
        async with lm.transaction():
            old.balance += 5
            old.visits += 2
            await old.persist()
            old.notes.append("more")
            await old.persist()
            await new.persist()
            await gone.delete()
            raise Interrupted
    assert (old.balance, old.visits, old.notes) == (1, 0, [])
    assert not await old.persist()
    assert await new.persist() and await Account.filter().count() == 3
    assert not await gone.persist()
    old.balance = 7
    assert await old.persist()
    assert (await old.reload()).balance == 7


async def test_an_edit_before_the_block_survives_it(db: str) -> None:
    account = Account(owner="ann")
    await account.persist()
    account.balance = 3
    with pytest.raises(Interrupted):
        async with lm.transaction():
            await account.persist()
            raise Interrupted
    assert account.balance == 3
    assert await account.persist() and await balances() == {"ann": 3}


async def test_gathered_calls_take_turns(db: str) -> None:
    users = [User(name=str(n)) for n in range(8)]
    with pytest.raises(Interrupted):
        async with lm.transaction():
            await _concurrency.gathered(*(user.persist for user in users))
            assert await User.filter().count() == 8
            raise Interrupted
    assert await User.filter().count() == 0
    async with lm.transaction():
        await _concurrency.gathered(*(user.persist for user in users))
    assert await User.filter().count() == 8


async def test_operations_while_streaming(db: str) -> None:
    await User.persist_many([User(name=f"{n:03}", age=n) for n in range(50)])
    async with lm.transaction():
        async for user in User.filter().sort("name").stream():
            user.age += 1
            await user.persist()
        assert sum(await User.filter().distinct("age")) == sum(range(51))
        async for user in User.filter().stream():
            assert user.age
            break
    assert await User.filter(lm.fld["age"] > 0).count() == 50


async def test_a_load_that_is_left(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loom_async.frames.batches.BATCH_SIZE", 2)
    await User.persist_many([User(name=f"{n:03}") for n in range(50)])
    async with lm.transaction():
        batches = User.filter().load_batches(rows=2)
        async for batch in batches:
            assert batch.num_rows == 2
            break
        await batches.aclose()  # type: ignore[attr-defined]
        await User(name="new").persist()
    assert await User.filter().count() == 51


async def test_frames_read_the_snapshot(db: str) -> None:
    await User.persist_many([User(name="a"), User(name="b")])
    collection = await collection_of(User)
    async with lm.transaction():
        assert await User.filter().count() == 2
        await collection.insert_one({"name": "meanwhile"})
        await collection.delete_one({"name": "a"})
        table = await User.filter().load_table()
        assert sorted(table.column("name").to_pylist()) == ["a", "b"]
        assert len(await User.filter().load_polars()) == 2
    assert (await User.filter().load_table()).num_rows == 2


async def test_every_way_to_read_and_write(db: str) -> None:
    ann = User(name="Ann", age=30)
    async with lm.transaction():
        await ann.persist()
        assert await User.from_id(ann.id) is not None
        assert (await ann.reload()).age == 30
        assert await User.filter().count() == 1 and await User.filter().exists()
        assert await User.filter().distinct("name") == ["Ann"]
        assert await User.filter().limit(1).distinct("name") == ["Ann"]
        assert await User.filter().sample(1).distinct("name") == ["Ann"]
        assert await User.filter().sample(1).count() == 1
        assert (await User.filter().load_latest()) is not None
        assert (await User.filter().sample(1).load_one()) is not None
        rows = await User.agg(lm.AggregationStages().group({"_id": "$name"})).load_many()
        assert rows == [{"_id": "Ann"}]
        assert len(await User.filter().load_docs()) == 1
        assert (await User.filter().load_table()).num_rows == 1
        assert [b.num_rows async for b in User.filter().load_batches()] == [1]
        table = await User.filter().project("age").load_table()
        await User.update_dataframe(table.append_column("name", [["Bea"]]))
        await User.insert_dataframe(table.slice(0, 0))
        assert await names(User.filter()) == ["Bea"]
        ann.age = 31
        assert (await User.persist_many([ann, User(name="Dan")])).inserted == 1
    assert await User.filter().count() == 2


async def test_blocks_inside_are_part_of_it(db: str) -> None:
    with pytest.raises(Interrupted):
        async with lm.transaction():
            async with lm.transaction():
                await User(name="inner").persist()
            raise Interrupted
    assert await User.filter().count() == 0
    with pytest.raises(lm.TransactionError, match="Interrupted"):
        async with lm.transaction():
            await User(name="outer").persist()
            try:
                async with lm.transaction():
                    await User(name="inner").persist()
                    raise Interrupted
            except Interrupted:
                await _concurrency.pause()
    assert await User.filter().count() == 0


async def test_nothing_is_kept_after_a_failure(db: str) -> None:
    user = User(name="Ann")
    await user.persist()
    twin = User(name="twin", id=user.id)
    with pytest.raises(lm.TransactionError, match="already a document"):
        async with lm.transaction():
            await User(name="Bea").persist()
            with pytest.raises(lm.BulkError):
                await User.persist_many([twin.model_copy(deep=True), fresh_twin(user)])
            with pytest.raises(lm.TransactionError, match="has failed"):
                await User(name="Cid").persist()
    assert await names(User.filter()) == ["Ann"]


def fresh_twin(user: User) -> User:
    """Return a new object whose id is another's, by chance."""
    twin = User(name="twin")
    vars(twin)["id"] = user.id
    return twin


async def test_a_conflict_is_aborted_and_run_again(db: str) -> None:
    account = Account(owner="ann")
    await account.persist()
    attempts = 0

    async def raise_balance(mine: Account, by: int) -> int:
        nonlocal attempts
        attempts += 1
        await Account.filter().count()  # the snapshot is taken
        if attempts == 1:
            await outside(account.id)
        mine.balance += by
        mine.notes.append("raised")
        await mine.persist()
        return mine.balance

    assert await lm.in_transaction(raise_balance, account, by=5) == 5
    assert attempts == 2
    await account.reload()
    assert (account.balance, account.visits, account.notes) == (5, 1, ["raised"])
    attempts = 0
    with pytest.raises(lm.TransactionAborted):
        async with lm.transaction():
            await raise_balance(account, 1)
    assert account.balance == 5


async def outside(id: object) -> None:
    """Write with the plain driver, which knows of no transaction."""
    collection = await collection_of(Account)
    await collection.update_one({"_id": id}, {"$inc": {"visits": 1}})


async def test_transactional(db: str) -> None:
    @lm.transactional
    async def move(giver: Account, taker: Account, amount: int) -> None:
        """Move money."""
        giver.balance -= amount
        taker.balance += amount
        await giver.persist()
        await taker.persist()
        if giver.balance < 0:
            raise Interrupted

    ann, bob = Account(owner="ann", balance=10), Account(owner="bob")
    await Account.persist_many([ann, bob])
    await move(ann, bob, 4)
    with pytest.raises(Interrupted):
        await move(ann, bob, 40)
    assert (ann.balance, bob.balance) == (6, 4) and await balances() == {"ann": 6, "bob": 4}
    assert move.__name__ == "move" and move.__doc__ == "Move money."


async def test_giving_up_after_a_time(db: str) -> None:
    account = Account(owner="ann")
    await account.persist()

    async def always_in_conflict() -> None:
        await Account.filter().count()
        await outside(account.id)
        await Account.filter().update(balance=1)

    with lm.config_context(transaction_timeout=0.2), pytest.raises(lm.TransactionAborted):
        await lm.in_transaction(always_in_conflict)


async def test_two_servers(db: str, mongo_uri: str) -> None:
    async with AsyncMongoClient[dict[str, object]](mongo_uri) as other:
        with pytest.raises(lm.TransactionError, match="another server"):
            async with lm.transaction():
                await User(name="here").persist()
                with lm.using(client=other):
                    await User(name="there").persist()
    assert await User.filter().count() == 0


async def test_an_empty_block_asks_nothing() -> None:
    with lm.config_context(uri="mongodb://localhost:1"):
        async with lm.transaction():
            await _concurrency.pause()


async def test_first_use_of_indexes_inside(db: str) -> None:
    @lm.declare_persist_db("shop", "indexed", index=[lm.Index("name", unique=True)])
    class Indexed(lm.PersistableBase):
        name: str

    @lm.declare_persist_db("shop", "indexed", index=[lm.Index("-name")])
    class Again(lm.PersistableBase):
        name: str

    async with lm.transaction():
        await Indexed(name="a").persist()
        assert await Again.filter().count() == 1  # its index would wait for this block
    assert not await Indexed.sync_indexes()
    with pytest.raises(lm.DuplicateKey):
        await Indexed(name="a").persist()


async def test_a_refused_document_of_many_is_told(db: str) -> None:
    user = User(name="Ann")
    await user.persist()
    with pytest.raises(lm.BulkError) as caught:
        async with lm.transaction():
            user.age = 3
            await User.persist_many([fresh_twin(user), user])
    assert [entry.index for entry in caught.value.entries] == [0]
    assert (caught.value.inserted, caught.value.updated) == (0, 0)


async def test_refused_rows_leave_nothing(db: str, small_chunks: None) -> None:
    frame: Any = pa.table({"name": ["a", "b", "c", None]})
    with pytest.raises(lm.TransactionError, match="has failed"):
        async with lm.transaction():
            with pytest.raises(lm.FrameError):
                await User.insert_dataframe(frame)
    assert await User.filter().count() == 0


async def test_a_failing_load_runs_a_function_once(db: str) -> None:
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


async def test_loads_at_once_begin_one_transaction(db: str) -> None:
    await User(name="Ann").persist()
    stages = lm.AggregationStages().match({})
    for _ in range(10):
        async with lm.transaction():
            loads = [lambda: User.agg(stages).load_table()] * 3
            tables = await _concurrency.gathered(*loads)
        assert [table.num_rows for table in tables] == [1, 1, 1]
