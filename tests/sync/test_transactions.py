# Generated from tests/aio/test_transactions.py by `nox -s sync`: edit that file.
"""Transactions: all operations happen or none, and objects agree with the outcome."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from pymongo import MongoClient

import loom_sync as lm
from loom_sync.collections.find import collection_of
from tests.sync import _concurrency
from tests.sync.shop import Archived, User, names


@lm.declare_persist_db("shop", "accounts")
class Account(lm.PersistableBase):
    owner: str
    balance: int = 0
    visits: lm.IncrCounter = 0
    notes: list[str] = []


class Interrupted(Exception):
    pass


def balances() -> dict[str, int]:
    return {account.owner: account.balance for account in Account.filter().load_many()}


def test_all_operations_happen_or_none(db: str) -> None:
    ann, bob = Account(owner="ann", balance=10), Account(owner="bob")
    Account.persist_many([ann, bob])
    with lm.transaction():
        ann.balance -= 4
        bob.balance += 4
        assert ann.persist()
        assert Account.persist_many([bob]) == lm.PersistResult(0, 1, 0)
        assert balances() == {"ann": 6, "bob": 4}
    assert balances() == {"ann": 6, "bob": 4}
    with pytest.raises(Interrupted), lm.transaction():
        Account.filter().update(balance=0)
        Archived(name="x").persist()
        Account.filter(lm.fld["owner"] == "bob").delete()
        assert Account.filter().count() == 1
        raise Interrupted
    assert balances() == {"ann": 6, "bob": 4}
    assert not Archived.filter().exists()


def test_other_clients_see_writes_only_after_the_commit(db: str) -> None:
    collection = collection_of(Account)
    with lm.transaction():
        Account(owner="ann").persist()
        assert collection.count_documents({}) == 0  # by the driver, outside the session
    assert collection.count_documents({}) == 1


def test_reads_go_to_the_primary_regardless_of_the_read_preference(db: str, mongo_uri: str) -> None:
    with lm.connect(mongo_uri, readPreference="secondaryPreferred"), lm.transaction():
        (ann := Account(owner="ann")).persist()
        assert Account.from_id(ann.id) == ann
        assert balances() == {"ann": 0}


def test_objects_are_restored_after_an_abort(db: str) -> None:
    old, new, deleted = (
        Account(owner="old", balance=1),
        Account(owner="new"),
        Account(owner="deleted"),
    )
    Account.persist_many([old, deleted])
    with pytest.raises(Interrupted), lm.transaction():
        old.balance += 5
        old.visits += 2
        old.persist()
        old.notes.append("more")
        old.persist()
        new.persist()
        deleted.delete()
        raise Interrupted
    assert (old.balance, old.visits, old.notes) == (1, 0, [])
    assert not old.persist()
    assert new.persist() and Account.filter().count() == 3
    assert not deleted.persist()
    old.balance = 7
    assert old.persist()
    assert old.reload().balance == 7


def test_an_edit_before_the_block_is_kept(db: str) -> None:
    account = Account(owner="ann")
    account.persist()
    account.balance = 3
    with pytest.raises(Interrupted), lm.transaction():
        account.persist()
        raise Interrupted
    assert account.balance == 3
    assert account.persist() and balances() == {"ann": 3}


def test_concurrent_calls_in_a_transaction(db: str) -> None:
    users = [User(name=str(n)) for n in range(8)]
    with pytest.raises(Interrupted), lm.transaction():
        _concurrency.gathered(*(user.persist for user in users))
        assert User.filter().count() == 8
        raise Interrupted
    assert User.filter().count() == 0
    with lm.transaction():
        _concurrency.gathered(*(user.persist for user in users))
    assert User.filter().count() == 8


def test_operations_during_a_stream(db: str) -> None:
    User.persist_many([User(name=f"{n:03}", age=n) for n in range(50)])
    with lm.transaction():
        for user in User.filter().sort("name").stream():
            user.age += 1
            user.persist()
        assert sum(User.filter().distinct("age")) == sum(range(51))
        for user in User.filter().stream():
            assert user.age
            break
    assert User.filter(lm.fld["age"] > 0).count() == 50


def test_batches_that_are_not_read_to_the_end(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loom_sync.frames.batches.BATCH_SIZE", 2)
    User.persist_many([User(name=f"{n:03}") for n in range(50)])
    with lm.transaction():
        batches = User.filter().load_batches(rows=2)
        for batch in batches:
            assert batch.num_rows == 2
            break
        batches.close()  # type: ignore[attr-defined]
        User(name="new").persist()
    assert User.filter().count() == 51


def test_frames_read_the_snapshot(db: str) -> None:
    User.persist_many([User(name="a"), User(name="b")])
    collection = collection_of(User)
    with lm.transaction():
        assert User.filter().count() == 2
        collection.insert_one({"name": "later"})
        collection.delete_one({"name": "a"})
        table = User.filter().load_table()
        assert sorted(table.column("name").to_pylist()) == ["a", "b"]
        assert len(User.filter().load_polars()) == 2
    assert User.filter().load_table().num_rows == 2


def test_all_kinds_of_reads_and_writes(db: str) -> None:
    ann = User(name="Ann", age=30)
    with lm.transaction():
        ann.persist()
        assert User.from_id(ann.id) is not None
        assert ann.reload().age == 30
        assert User.filter().count() == 1 and User.filter().exists()
        assert User.filter().distinct("name") == ["Ann"]
        assert User.filter().limit(1).distinct("name") == ["Ann"]
        assert User.filter().sample(1).distinct("name") == ["Ann"]
        assert User.filter().sample(1).count() == 1
        assert User.filter().load_latest() is not None
        assert User.filter().sample(1).load_one() is not None
        rows = User.agg(lm.AggregationStages().group({"_id": "$name"})).load_many()
        assert rows == [{"_id": "Ann"}]
        assert len(User.filter().load_docs()) == 1
        assert User.filter().load_table().num_rows == 1
        assert [b.num_rows for b in User.filter().load_batches()] == [1]
        table = User.filter().project("age").load_table()
        User.update_dataframe(table.append_column("name", [["Bea"]]))
        User.insert_dataframe(table.slice(0, 0))
        assert names(User.filter()) == ["Bea"]
        ann.age = 31
        assert User.persist_many([ann, User(name="Dan")]).inserted == 1
    assert User.filter().count() == 2


def test_nested_blocks_belong_to_the_outer_transaction(db: str) -> None:
    with pytest.raises(Interrupted), lm.transaction():
        with lm.transaction():
            User(name="inner").persist()
        raise Interrupted
    assert User.filter().count() == 0
    with pytest.raises(lm.TransactionError, match="Interrupted"), lm.transaction():
        User(name="outer").persist()
        try:
            with lm.transaction():
                User(name="inner").persist()
                raise Interrupted
        except Interrupted:
            _concurrency.pause()
    assert User.filter().count() == 0


def test_a_failed_write_aborts_the_transaction(db: str) -> None:
    user = User(name="Ann")
    user.persist()
    twin = User(name="twin", id=user.id)
    with pytest.raises(lm.TransactionError, match="already a document"), lm.transaction():
        User(name="Bea").persist()
        with pytest.raises(lm.BulkError):
            User.persist_many([twin.model_copy(deep=True), new_object_with_same_id(user)])
        with pytest.raises(lm.TransactionError, match="has failed"):
            User(name="Cid").persist()
    assert names(User.filter()) == ["Ann"]


def new_object_with_same_id(user: User) -> User:
    """Return a new object with the id of a stored one."""
    twin = User(name="twin")
    vars(twin)["id"] = user.id
    return twin


def test_a_transaction_cannot_use_two_servers(db: str, mongo_uri: str) -> None:
    with MongoClient[dict[str, object]](mongo_uri) as other:
        with pytest.raises(lm.TransactionError, match="another server"):
            with lm.transaction():
                User(name="first").persist()
                with lm.using(client=other):
                    User(name="second").persist()
    assert User.filter().count() == 0


def test_an_empty_block_does_not_connect() -> None:
    with lm.config_context(uri="mongodb://localhost:1"), lm.transaction():
        _concurrency.pause()


def test_first_use_of_a_model_with_indexes(db: str) -> None:
    @lm.declare_persist_db("shop", "indexed", index=[lm.Index("name", unique=True)])
    class Indexed(lm.PersistableBase):
        name: str

    @lm.declare_persist_db("shop", "indexed", index=[lm.Index("-name")])
    class Again(lm.PersistableBase):
        name: str

    with lm.transaction():
        Indexed(name="a").persist()
        assert Again.filter().count() == 1  # creating its index would wait for this transaction
    assert not Indexed.sync_indexes()
    with pytest.raises(lm.DuplicateKey):
        Indexed(name="a").persist()


def test_a_bulk_error_aborts_the_transaction(db: str) -> None:
    user = User(name="Ann")
    user.persist()
    with pytest.raises(lm.BulkError) as caught, lm.transaction():
        user.age = 3
        User.persist_many([new_object_with_same_id(user), user])
    assert [entry.index for entry in caught.value.entries] == [0]
    assert (caught.value.inserted, caught.value.updated) == (0, 0)


def test_refused_rows_abort_the_transaction(db: str, small_chunks: None) -> None:
    frame: Any = pa.table({"name": ["a", "b", "c", None]})
    with pytest.raises(lm.TransactionError, match="has failed"), lm.transaction():
        with pytest.raises(lm.FrameError):
            User.insert_dataframe(frame)
    assert User.filter().count() == 0


def test_concurrent_loads_begin_one_transaction(db: str) -> None:
    User(name="Ann").persist()
    stages = lm.AggregationStages().match({})
    for _ in range(10):
        with lm.transaction():
            loads = [lambda: User.agg(stages).load_table()] * 3
            tables = _concurrency.gathered(*loads)
        assert [table.num_rows for table in tables] == [1, 1, 1]
