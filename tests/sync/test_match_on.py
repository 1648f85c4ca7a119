# Generated from tests/aio/test_match_on.py by `nox -s sync`: edit that file.
"""`persist_many(match_on=…)`: objects are upserted by a natural key."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field

import loom_sync as lm
from loom_async._core.model.document import attempts_of
from loom_sync import fld
from tests.commands import commands_of

pytestmark = pytest.mark.usefixtures("db")


class Address(BaseModel):
    city: str
    zip: str | None = None


@lm.declare_persist_db(
    "shop",
    "clients",
    index=[
        lm.Index("email", unique=True, partial={"email": {"$type": "string"}}),
        lm.Index("town", "number", unique=True, partial={"town": {"$type": "string"}}),
        lm.Index("nick", unique=True, partial={"nick": {"$type": "string"}}),
        lm.Index("name"),
    ],
)
class Client(lm.Persistable):
    email: lm.StrLower | None = None
    name: str = "new"
    visits: lm.IncrCounter = 0
    town: str | None = None
    number: int | float | None = None
    nick: str | None = Field(default=None, exclude=True)
    tags: list[str] = Field(default_factory=list)
    address: Address | None = None
    token: str = Field(default="t", validation_alias="storedAs")
    revision: lm.Revision


@lm.declare_persist_db("shop", "plain", index=[lm.Index("code", unique=True)])
class Plain(lm.PersistableBase):
    code: str
    n: int = 0
    calls: list[str] = Field(default_factory=list, exclude=True)

    def before_persist(self) -> None:
        HOOKS.append(f"before {self.code}")

    def after_persist(self) -> None:
        HOOKS.append(f"after {self.code}")


HOOKS: list[str] = []


@lm.declare_persist_db("shop", "pets", index=[lm.Index("name", unique=True)], discriminator="kind")
class Pet(lm.PersistableBase):
    name: str


class Cat(Pet):
    lives: int = 9


class Dog(Pet):
    tricks: int = 0


@lm.declare_persist_db("shop", "log", index=[lm.Index("key", unique=True)])
class Log(lm.LedgerModel):
    key: str


def test_new_objects_are_inserted_as_by_persist() -> None:
    clients = [Client(email="A", name="Ann", visits=2), Client(email="b")]
    result = Client.persist_many(clients, match_on=["email"])
    assert result == lm.PersistResult(2, 0, 0)
    stored = Client.filter().sort("email").load_many()
    assert stored == clients
    assert [client.email for client in clients] == ["a", "b"]
    assert clients[0].created_at == clients[0].updated_time
    assert [client.revision for client in clients] == [1, 1]
    document = Client.filter().sort("email").load_docs()[1]
    nulls = {name for name, value in document.items() if value is None}
    assert nulls == {"town", "number", "nick", "address"}
    assert Client.persist_many(clients) == lm.PersistResult(0, 0, 2)


def test_matched_documents_get_what_the_objects_set() -> None:
    old = Client(email="a", name="Ann", visits=5, tags=["x"], address=Address(city="Brno", zip="1"))
    old.persist()
    new = Client(email="A", visits=3, address=Address(city="Prague"))
    other = Client(email="b")
    own_id = new.id
    assert Client.persist_many([new, other], match_on=["email"]) == lm.PersistResult(1, 1, 0)
    assert new.id == old.id != own_id
    assert (new.name, new.visits, new.tags) == ("Ann", 8, ["x"])
    assert new.address == Address(city="Prague")
    assert (new.created_at, new.revision) == (old.created_at, 2)
    assert new.updated_time >= old.updated_time
    assert new == Client.from_id(old.id)
    assert new.persist() is False
    new.visits += 1
    assert new.persist() is True
    old.reload()
    assert old.visits == 9


def test_edits_in_place_are_set_too() -> None:
    Client(email="a", tags=["old"]).persist()
    new = Client(email="a")
    new.tags.append("new")
    Client.persist_many([new], match_on=["email"])
    assert new.tags == ["new"]
    assert Client.filter().load_docs()[0]["tags"] == ["new"]


def test_loaded_objects_are_updated_by_their_ids() -> None:
    old = Client(email="a", visits=1)
    old.persist()
    old.email, old.visits = "z", 2
    new = Client(email="a")
    assert Client.persist_many([old, new], match_on=["email"]) == lm.PersistResult(1, 1, 0)
    assert Client.persist_many([old, new], match_on=["email"]) == lm.PersistResult(0, 0, 2)
    assert [c.visits for c in Client.filter().sort("email").load_many()] == [0, 2]


@pytest.mark.parametrize("ordered", [True, False])
def test_two_objects_of_one_key(ordered: bool) -> None:
    """They are written in their order; the later values stay, and counters add up."""
    first, second = Client(email="a", name="1", visits=1), Client(email="A", tags=["2"], visits=2)
    result = Client.persist_many([first, second], ordered=ordered, match_on=["email"])
    assert result == lm.PersistResult(1, 1, 0)
    assert first == second
    assert (first.name, first.tags, first.visits) == ("1", ["2"], 3)
    assert Client.filter().count() == 1


def test_keys_of_several_fields() -> None:
    Client(town="Brno", number=1, name="one", email="1").persist()
    clients = [Client(town="Brno", number=1, email="1x"), Client(town="Brno", number=2, email="2")]
    result = Client.persist_many(clients, match_on=["number", "town"])
    assert result == lm.PersistResult(1, 1, 0)
    assert [client.name for client in clients] == ["one", "new"]
    assert [client.email for client in clients] == ["1x", "2"]


def test_equal_numbers_of_other_types_match() -> None:
    collection = Client.get_db_collection()
    collection.insert_one({"town": "Brno", "number": 1.0, "name": "one", "revision": 4})
    client = Client(town="Brno", number=1)
    Client.persist_many([client], match_on=["town", "number"])
    assert (client.name, client.revision, Client.filter().count()) == ("one", 5, 1)


def test_the_id_is_a_key() -> None:
    old = Client(email="a", name="Ann")
    old.persist()
    new = Client(id=old.id, visits=2)
    assert Client.persist_many([new], match_on=["id"]) == lm.PersistResult(0, 1, 0)
    assert (new.name, new.visits, new.email) == ("Ann", 2, "a")


def test_what_stays_the_same_is_unchanged() -> None:
    Plain(code="a", n=1).persist()
    plain = [Plain(code="a", n=1), Plain(code="b")]
    assert Plain.persist_many(plain, match_on=["code"]) == lm.PersistResult(1, 0, 1)
    alone = [Plain(code="a")]
    assert Plain.persist_many(alone, match_on=["code"]) == lm.PersistResult(0, 0, 1)
    assert alone[0].n == 1


def test_hooks_run_as_by_persist_many() -> None:
    HOOKS.clear()
    Plain.persist_many([Plain(code="a"), Plain(code="b")], match_on=["code"])
    assert HOOKS == ["before a", "before b", "after a", "after b"]


def test_a_key_without_a_value_fails_alone() -> None:
    clients = [Client(email="a"), Client(name="x"), Client(email="b")]
    with pytest.raises(lm.BulkError) as caught:
        Client.persist_many(clients, match_on=["email"])
    (entry,) = caught.value.entries
    assert (entry.index, caught.value.inserted) == (1, 2)
    assert "email is None" in entry.reason
    with pytest.raises(lm.BulkError):
        Client.persist_many(
            [Client(email="c"), Client(), Client(email="d")], ordered=True, match_on=["email"]
        )
    assert sorted([c.email or "" for c in Client.filter().load_many()]) == ["a", "b", "c"]


def test_a_duplicate_in_another_index_fails_alone() -> None:
    Client(email="a", nick="ann").persist()
    clients = [Client(email="b", nick="ann"), Client(email="a", name="Ann")]
    with pytest.raises(lm.BulkError) as caught:
        Client.persist_many(clients, match_on=["email"])
    assert [entry.index for entry in caught.value.entries] == [0]
    assert (caught.value.inserted, caught.value.updated) == (0, 1)
    assert clients[1].nick == "ann"
    clients[0].nick = "bea"
    assert Client.persist_many(clients, match_on=["email"]) == lm.PersistResult(1, 0, 1)


def test_subclasses_of_a_family() -> None:
    pets: list[Pet] = [Dog(name="Rex", tricks=1), Cat(name="Tom"), Pet(name="Pat")]
    assert Pet.persist_many(pets, match_on=["name"]) == lm.PersistResult(3, 0, 0)
    again: list[Pet] = [Dog(name="Rex", tricks=2), Cat(name="Tom", lives=8)]
    assert Pet.persist_many(again, match_on=["name"]) == lm.PersistResult(0, 2, 0)
    found = Pet.filter().sort("name").load_many()
    assert [type(pet) for pet in found] == [Pet, Dog, Cat]
    with pytest.raises(lm.BulkError, match="Rex"):
        Pet.persist_many([Cat(name="Rex")], match_on=["name"])


@pytest.mark.parametrize(
    ("match_on", "error", "message"),
    [
        (["name"], lm.ConfigurationError, 'Index("name", unique=True)'),
        (["email", "nick"], lm.ConfigurationError, "no declared index"),
        (["emial"], lm.UnknownFieldError, "email"),
        (["address.city"], lm.QueryError, "whole fields"),
        ([], lm.QueryError, "needs a field"),
        ("email", lm.QueryError, "names of fields"),
    ],
    ids=repr,
)
def test_bad_keys_send_nothing(match_on: Any, error: Any, message: str, client: Any) -> None:
    with commands_of(client) as sent, pytest.raises(error) as caught:
        Client.persist_many([Client(email="a")], match_on=match_on)
    assert message in str(caught.value)
    assert sent == []


def test_ledgers_are_left_alone() -> None:
    with pytest.raises(lm.LedgerIsAppendOnly):
        Log.persist_many([Log(key="a")], match_on=["key"])


def test_a_transaction_takes_objects_and_documents_back() -> None:
    old = Client(email="a", name="Ann", visits=1)
    old.persist()
    new, other = Client(email="a", visits=1), Client(email="b")
    own_id = new.id

    def fail() -> None:
        with lm.transaction():
            result = Client.persist_many([new, other], match_on=["email"])
            assert result == lm.PersistResult(1, 1, 0)
            assert (new.id, new.visits) == (old.id, 2)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (new.id, new.visits, new.name) == (own_id, 1, "new")
    assert Client.filter().count() == 1
    assert Client.persist_many([new, other], match_on=["email"]) == lm.PersistResult(1, 1, 0)
    assert (new.id, new.visits) == (old.id, 2)


def test_many_objects_in_few_commands(client: Any) -> None:
    Client.persist_many([Client(email=f"{n}", name="old") for n in range(0, 1200, 2)])
    clients = [Client(email=f"{n}", visits=1) for n in range(1200)]
    with commands_of(client) as sent:
        result = Client.persist_many(clients, match_on=["email"])
    assert result == lm.PersistResult(600, 600, 0)
    assert len(sent) < 6
    assert not any(attempts_of(one) for one in clients)
    stored = {one.id: one for one in Client.filter(fld["visits"] == 1).load_many()}
    assert [stored[one.id] for one in clients] == clients


def test_a_value_that_would_not_load_is_one_entry_of_the_error() -> None:
    wrong, right = Client(email="w@x", tags=["a"]), Client(email="r@x")
    wrong.tags.append(5)  # type: ignore[arg-type]
    with pytest.raises(lm.BulkError) as caught:
        Client.persist_many([wrong, right], match_on=["email"])
    (entry,) = caught.value.entries
    assert entry.index == 0
    assert "tags.1" in entry.reason
    assert [client.email for client in Client.filter().load_many()] == ["r@x"]
