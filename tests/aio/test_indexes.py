"""Indexes are created once, on first use, and dropped only by `sync_indexes(drop=True)`."""

from __future__ import annotations

from typing import Any

import pytest

import loom_async as lm
from tests.aio import _concurrency
from tests.commands import commands_of


@lm.declare_persist_db(
    "shop",
    "people",
    index=[
        lm.Index("email", unique=True),
        lm.Index("city", "-age", name="by_city"),
        lm.Index(("bio", "text")),
        lm.Index(("home", "2dsphere"), sparse=True),
        lm.Index("seen_at", expire_after=3600),
        lm.Index("id"),
    ],
)
class Person(lm.PersistableBase):
    email: lm.StrLower
    city: str = ""
    age: int = 0
    bio: str = ""
    home: dict[str, Any] | None = None
    seen_at: lm.TimeInserted = None  # type: ignore[assignment]


@pytest.mark.usefixtures("db")
async def test_indexes_are_created_once_on_first_use(client: Any, db: str) -> None:
    with commands_of(client, "createIndexes") as sent:
        await Person(email="a@b.c").persist()
        await Person.filter().load_many()
    assert len(sent) == 1
    made = await client[db].people.index_information()
    assert made["by_city"]["key"] == [("city", 1), ("age", -1)]
    assert made["email_1"]["unique"] is True
    assert made["seen_at_1"]["expireAfterSeconds"] == 3600
    with pytest.raises(lm.DuplicateKey) as caught:
        await Person(email="A@B.c").persist()
    assert caught.value.key == {"email": "a@b.c"}


@pytest.mark.usefixtures("db")
async def test_sync_shows_and_applies_the_difference(client: Any, db: str) -> None:
    people = client[db].people
    await people.create_index("age", name="old")
    await people.create_index([("city", 1)], name="by_city")
    first = await Person.sync_indexes()
    assert first.extra == ("old",)
    assert first.conflicting == ("by_city",)
    assert "email_1" in first.created
    assert "old" in await people.index_information()
    second = await Person.sync_indexes(drop=True)
    assert (second.dropped, second.replaced) == (("old",), ("by_city",))
    assert not await Person.sync_indexes()
    assert (await people.index_information())["by_city"]["key"] == [("city", 1), ("age", -1)]


@pytest.mark.usefixtures("db")
async def test_a_changed_index_is_a_warning_on_first_use(
    client: Any, db: str, caplog: pytest.LogCaptureFixture
) -> None:
    await client[db].people.create_index("email", name="email_1")
    await Person(email="a@b.c").persist()
    assert "email_1" in caplog.text
    assert "unique: True is declared, False exists" in caplog.text
    assert "sync_indexes(drop=True)" in caplog.text


@pytest.mark.usefixtures("db")
async def test_data_that_does_not_allow_an_index(client: Any, db: str) -> None:
    await client[db].people.insert_many([{"email": "x"}, {"email": "x"}])
    with pytest.raises(lm.IndexConflict, match="email_1"):
        await Person.filter().load_many()


@lm.declare_persist_db("shop", "typos", index=[lm.Index("email"), lm.Index("emial")])
class Typo(lm.PersistableBase):
    email: str


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    "call",
    [lambda: Typo(email="x").persist(), lambda: Typo.filter().load_many(), Typo.sync_indexes],
)
async def test_unknown_field(client: Any, db: str, call: Any) -> None:
    with pytest.raises(lm.UnknownFieldError) as caught:
        await call()
    assert "an index of Typo" in str(caught.value)
    assert "did you mean 'email'" in str(caught.value)
    assert await client[db].list_collection_names() == []


@pytest.mark.usefixtures("db")
async def test_concurrent_first_uses_create_them_once(client: Any) -> None:
    people = [Person(email=f"{n}@x") for n in range(4)]
    with commands_of(client, "createIndexes") as sent:
        await _concurrency.gathered(*(person.persist for person in people))
    assert len(sent) == 1


@pytest.mark.usefixtures("db")
async def test_duplicates_are_named(client: Any, db: str) -> None:
    people = client[db].people
    await people.create_index("age", name="old")
    await people.insert_many([{"email": "x"}, {"email": "y"}, {"email": "y"}])
    for _ in range(2):
        with pytest.raises(lm.IndexConflict) as caught:
            await Person.sync_indexes(drop=True)
        assert "index email_1 cannot be made: several documents have email='y'" in str(caught.value)
        assert caught.value.code == 11000
        # The former indexes are restored.
        assert set(await people.index_information()) == {"_id_", "old"}
    await people.delete_one({"email": "y"})
    assert (await Person.sync_indexes(drop=True)).dropped == ("old",)


@pytest.mark.usefixtures("db")
async def test_sync_indexes_is_refused_in_a_transaction(client: Any) -> None:
    await Person(email="a").persist()
    with commands_of(client) as sent, pytest.raises(lm.TransactionError, match="of Person"):
        async with lm.transaction():
            await Person.sync_indexes()
    assert sent == []


@pytest.mark.usefixtures("db")
async def test_a_dropped_collection(client: Any, db: str) -> None:
    await Person(email="a").persist()
    await client[db].people.drop()
    again = await Person.sync_indexes(drop=True)
    assert (len(again.created), again.extra, again.dropped) == (5, (), ())
    assert "by_city" in await client[db].people.index_information()
