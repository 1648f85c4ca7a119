"""Transactions: all operations happen or none, and objects agree with the outcome."""

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


async def test_all_operations_happen_or_none(db: str) -> None:
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


async def test_other_clients_see_writes_only_after_the_commit(db: str) -> None:
    collection = await collection_of(Account)
    async with lm.transaction():
        await Account(owner="ann").persist()
        assert await collection.count_documents({}) == 0  # by the driver, outside the session
    assert await collection.count_documents({}) == 1


async def test_reads_go_to_the_primary_regardless_of_the_read_preference(
    db: str, mongo_uri: str
) -> None:
    async with lm.connect(mongo_uri, readPreference="secondaryPreferred"), lm.transaction():
        await (ann := Account(owner="ann")).persist()
        assert await Account.from_id(ann.id) == ann
        assert await balances() == {"ann": 0}


async def test_objects_are_restored_after_an_abort(db: str) -> None:
    old, new, deleted = (
        Account(owner="old", balance=1),
        Account(owner="new"),
        Account(owner="deleted"),
    )
    await Account.persist_many([old, deleted])
    with pytest.raises(Interrupted):
        async with lm.transaction():
            old.balance += 5
            old.visits += 2
            await old.persist()
            old.notes.append("more")
            await old.persist()
            await new.persist()
            await deleted.delete()
            raise Interrupted
    assert (old.balance, old.visits, old.notes) == (1, 0, [])
    assert not await old.persist()
    assert await new.persist() and await Account.filter().count() == 3
    assert not await deleted.persist()
    old.balance = 7
    assert await old.persist()
    assert (await old.reload()).balance == 7


async def test_an_edit_before_the_block_is_kept(db: str) -> None:
    account = Account(owner="ann")
    await account.persist()
    account.balance = 3
    with pytest.raises(Interrupted):
        async with lm.transaction():
            await account.persist()
            raise Interrupted
    assert account.balance == 3
    assert await account.persist() and await balances() == {"ann": 3}


async def test_concurrent_calls_in_a_transaction(db: str) -> None:
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


async def test_operations_during_a_stream(db: str) -> None:
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


async def test_batches_that_are_not_read_to_the_end(
    db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
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
        await collection.insert_one({"name": "later"})
        await collection.delete_one({"name": "a"})
        table = await User.filter().load_table()
        assert sorted(table.column("name").to_pylist()) == ["a", "b"]
        assert len(await User.filter().load_polars()) == 2
    assert (await User.filter().load_table()).num_rows == 2


async def test_all_kinds_of_reads_and_writes(db: str) -> None:
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


async def test_nested_blocks_belong_to_the_outer_transaction(db: str) -> None:
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


async def test_a_failed_write_aborts_the_transaction(db: str) -> None:
    user = User(name="Ann")
    await user.persist()
    twin = User(name="twin", id=user.id)
    with pytest.raises(lm.TransactionError, match="already a document"):
        async with lm.transaction():
            await User(name="Bea").persist()
            with pytest.raises(lm.BulkError):
                await User.persist_many([twin.model_copy(deep=True), new_object_with_same_id(user)])
            with pytest.raises(lm.TransactionError, match="has failed"):
                await User(name="Cid").persist()
    assert await names(User.filter()) == ["Ann"]


def new_object_with_same_id(user: User) -> User:
    """Return a new object with the id of a stored one."""
    twin = User(name="twin")
    vars(twin)["id"] = user.id
    return twin


async def test_a_transaction_cannot_use_two_servers(db: str, mongo_uri: str) -> None:
    async with AsyncMongoClient[dict[str, object]](mongo_uri) as other:
        with pytest.raises(lm.TransactionError, match="another server"):
            async with lm.transaction():
                await User(name="first").persist()
                with lm.using(client=other):
                    await User(name="second").persist()
    assert await User.filter().count() == 0


async def test_an_empty_block_does_not_connect() -> None:
    with lm.config_context(uri="mongodb://localhost:1"):
        async with lm.transaction():
            await _concurrency.pause()


async def test_first_use_of_a_model_with_indexes(db: str) -> None:
    @lm.declare_persist_db("shop", "indexed", index=[lm.Index("name", unique=True)])
    class Indexed(lm.PersistableBase):
        name: str

    @lm.declare_persist_db("shop", "indexed", index=[lm.Index("-name")])
    class Again(lm.PersistableBase):
        name: str

    async with lm.transaction():
        await Indexed(name="a").persist()
        assert (
            await Again.filter().count() == 1
        )  # creating its index would wait for this transaction
    assert not await Indexed.sync_indexes()
    with pytest.raises(lm.DuplicateKey):
        await Indexed(name="a").persist()


async def test_a_bulk_error_aborts_the_transaction(db: str) -> None:
    user = User(name="Ann")
    await user.persist()
    with pytest.raises(lm.BulkError) as caught:
        async with lm.transaction():
            user.age = 3
            await User.persist_many([new_object_with_same_id(user), user])
    assert [entry.index for entry in caught.value.entries] == [0]
    assert (caught.value.inserted, caught.value.updated) == (0, 0)


async def test_refused_rows_abort_the_transaction(db: str, small_chunks: None) -> None:
    frame: Any = pa.table({"name": ["a", "b", "c", None]})
    with pytest.raises(lm.TransactionError, match="has failed"):
        async with lm.transaction():
            with pytest.raises(lm.FrameError):
                await User.insert_dataframe(frame)
    assert await User.filter().count() == 0


async def test_concurrent_loads_begin_one_transaction(db: str) -> None:
    await User(name="Ann").persist()
    stages = lm.AggregationStages().match({})
    for _ in range(10):
        async with lm.transaction():
            loads = [lambda: User.agg(stages).load_table()] * 3
            tables = await _concurrency.gathered(*loads)
        assert [table.num_rows for table in tables] == [1, 1, 1]
