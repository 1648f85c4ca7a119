"""The types that checkers infer for a model of `loom_sync` and its async twins."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

import loom_async
import loom_sync as lm


@lm.declare_persist_db("shop", "users")
class User(lm.Persistable):
    name: str
    age: int = 0


def check_blocking_methods(user: User) -> None:
    assert_type(user.persist(), bool)
    assert_type(user.reload(), User)
    assert_type(User.from_id("x"), User | None)
    query = User.filter(lambda u: u.age > 3)
    assert_type(query.load_many(), list[User])
    assert_type(query.load_latest(), User | None)
    assert_type(query.load_latest(3), list[User])
    assert_type(query.stream(), Iterator[User])
    assert_type(query.project("name").load_many(), list[dict[str, Any]])
    with User.watch() as changes:
        assert_type(changes.token, str | None)
        for change in changes:
            assert_type(change, lm.Change[User])
            assert_type(change.document, User | None)
    for change in query.watch(resume_after="82"):
        assert_type(change.operation, str)


async def check_twins(user: User) -> None:
    assert_type(await user.persist_async(), bool)
    assert_type(await user.reload_async(), User)
    assert_type(await User.from_id_async("x"), User | None)
    query = User.filter(lambda u: u.age > 3)
    assert_type(await query.load_many_async(), list[User])
    assert_type(await query.load_one_async(), User | None)
    assert_type(await query.load_latest_async(), User | None)
    assert_type(await query.load_latest_async(3), list[User])
    assert_type(await query.load_top_async(3), list[User])
    assert_type(query.stream_async(), AsyncIterator[User])
    assert_type(await query.count_async(), int)
    rows = query.project("name")
    assert_type(await rows.load_many_async(), list[dict[str, Any]])
    assert_type(await rows.into(User).load_many_async(), list[User])


@lm.transactional
def move(user: User, by: int) -> str:
    with lm.transaction():
        return f"{user.name} {by}"


@loom_async.transactional
async def move_async(user: User, by: int) -> str:
    async with loom_async.transaction():
        return f"{user.name} {by}"


def check_transactions(user: User) -> None:
    assert_type(move(user, by=3), str)
    assert_type(lm.in_transaction(move, user, 3), str)
    assert_type(User.filter().page(3), lm.Page[User])


async def check_async_transactions(user: User) -> None:
    assert_type(await move_async(user, by=3), str)
    assert_type(await loom_async.in_transaction(move_async, user, 3), str)
    assert_type(await User.filter().page_async(3), lm.Page[User])
    async with User.watch_async() as changes:
        assert_type(await anext(changes), lm.Change[User])
    async for change in User.filter().watch_async():
        assert_type(change.document, User | None)
