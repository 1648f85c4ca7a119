# Generated from tests/aio/test_indexes.py by `nox -s sync`: edit that file, not this one.
"""Indexes: made once, on first use, and never dropped unasked."""

from __future__ import annotations

from typing import Any

import pytest

import loom_sync as lm
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
def test_made_once_on_first_use(client: Any, db: str) -> None:
    with commands_of(client, "createIndexes") as sent:
        Person(email="a@b.c").persist()
        Person.filter().load_many()
    assert len(sent) == 1
    made = client[db].people.index_information()
    assert made["by_city"]["key"] == [("city", 1), ("age", -1)]
    assert made["email_1"]["unique"] is True
    assert made["seen_at_1"]["expireAfterSeconds"] == 3600
    with pytest.raises(lm.DuplicateKey) as caught:
        Person(email="A@B.c").persist()
    assert caught.value.key == {"email": "a@b.c"}


@pytest.mark.usefixtures("db")
def test_sync_shows_and_applies_the_difference(client: Any, db: str) -> None:
    people = client[db].people
    people.create_index("age", name="old")
    people.create_index([("city", 1)], name="by_city")
    first = Person.sync_indexes()
    assert first.extra == ("old",)
    assert first.conflicting == ("by_city",)
    assert "email_1" in first.created
    assert "old" in people.index_information()
    second = Person.sync_indexes(drop=True)
    assert (second.dropped, second.replaced) == (("old",), ("by_city",))
    assert not Person.sync_indexes()
    assert people.index_information()["by_city"]["key"] == [("city", 1), ("age", -1)]


@pytest.mark.usefixtures("db")
def test_changed_index_does_not_break_first_use(
    client: Any, db: str, caplog: pytest.LogCaptureFixture
) -> None:
    client[db].people.create_index("email", name="email_1")
    Person(email="a@b.c").persist()
    assert "email_1" in caplog.text
    assert "sync_indexes(drop=True)" in caplog.text


@pytest.mark.usefixtures("db")
def test_data_that_does_not_allow_an_index(client: Any, db: str) -> None:
    client[db].people.insert_many([{"email": "x"}, {"email": "x"}])
    with pytest.raises(lm.IndexConflict, match="email_1"):
        Person.filter().load_many()


@pytest.mark.usefixtures("db")
def test_unknown_field() -> None:
    @lm.declare_persist_db("shop", "typos", index=[lm.Index("emial")])
    class Typo(lm.PersistableBase):
        email: str

    with pytest.raises(lm.UnknownFieldError, match="email"):
        Typo.filter().load_many()


def test_declaration_is_checked() -> None:
    with pytest.raises(lm.ConfigurationError):
        lm.Index()
    with pytest.raises(lm.ConfigurationError):
        lm.Index(("a", "up"))
