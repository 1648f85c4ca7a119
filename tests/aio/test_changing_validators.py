"""Validators that change values: which do so again when stored values are loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PlainValidator,
    WrapValidator,
    field_validator,
    model_validator,
)

import loom_async as lm

pytestmark = pytest.mark.usefixtures("db")


def hashed(password: str) -> str:
    """Return a hash: that of a hash is another one."""
    return hashlib.sha256(password.encode()).hexdigest()


def salted(password: str) -> str:
    """Return a hash that differs each time, of passwords that are not too long."""
    return hashlib.sha256(password.encode() + str(next(_salts)).encode()).hexdigest()


_salts = iter(range(10**9))


def hashed_around(password: Any, inner: Callable[[Any], Any]) -> Any:
    return hashed(inner(password))


class Nested(BaseModel):
    secret: str = ""

    @field_validator("secret")
    @classmethod
    def _hash(cls, value: str) -> str:
        return hashed(value)


@lm.declare_persist_db("shop", "accounts")
class Account(lm.Persistable):
    name: str = ""
    email: Annotated[str, AfterValidator(str.strip)] = ""
    password: str = ""
    informed: str = ""
    after: Annotated[str, AfterValidator(salted)] = ""
    before: Annotated[str, BeforeValidator(hashed)] = ""
    around: Annotated[str, WrapValidator(hashed_around)] = ""
    plain: Annotated[str, PlainValidator(salted)] = ""
    optional: Annotated[str, AfterValidator(hashed)] | None = None
    many: list[Annotated[str, AfterValidator(hashed)]] = []
    by_key: dict[str, Nested] = {}
    nested: Nested = Field(default_factory=Nested)
    items: list[Nested] = []

    @field_validator("password")
    @classmethod
    def _hash(cls, value: str) -> str:
        return hashed(value)

    @field_validator("informed")
    @classmethod
    def _hash_informed(cls, value: str, info: Any) -> str:
        assert info.field_name == "informed"
        return hashed(value)


def account() -> Account:
    return Account(
        name="Ann",
        email=" ann ",
        password="p",
        informed="p",
        after="p",
        before="p",
        around="p",
        plain="p",
        optional="p",
        many=["p"],
        by_key={"k": Nested(secret="p")},
        nested=Nested(secret="p"),
        items=[Nested(secret="p")],
    )


async def stored_of(account: Any) -> dict[str, Any]:
    found = await (await type(account).get_db_collection()).find_one({"_id": account.id})
    assert found is not None
    return found  # type: ignore[no-any-return]


async def test_a_hash_is_not_hashed_again() -> None:
    new = account()
    assert (new.password, new.nested.secret, new.many) == (hashed("p"), hashed("p"), [hashed("p")])
    await new.persist()
    first = await stored_of(new)
    assert first["password"] == hashed("p")
    by_id = await Account.from_id(new.id)
    by_query = await Account.filter().load_one()
    (of_many,) = await Account.filter().load_many()
    for loaded in by_id, by_query, of_many, Account.from_doc(first):
        assert loaded == new
        assert not await loaded.persist()
    assert await stored_of(new) == first
    await new.reload()
    assert not await new.persist()


async def test_an_edit_of_another_field_leaves_the_hashes() -> None:
    new = account()
    await new.persist()
    loaded = await Account.from_id(new.id)
    assert loaded is not None
    loaded.name = "Bea"
    loaded.items.append(Nested(secret="q"))
    loaded.many = [*loaded.many]
    await loaded.persist()
    assert loaded.items == [new.items[0], Nested(secret="q")]
    assert (await stored_of(loaded))["items"] == [{"secret": hashed("p")}, {"secret": hashed("q")}]
    assert loaded.password == new.password
    loaded.password = "q"
    await loaded.persist()
    assert (await stored_of(loaded))["password"] == hashed("q")
    assert await Account.from_id(new.id) == loaded
    assert not await loaded.persist()


async def test_a_validator_still_applies_to_documents_of_other_programs() -> None:
    new = account()
    await new.persist()
    await (await Account.get_db_collection()).update_one({}, {"$set": {"email": " new "}})
    loaded = await Account.from_id(new.id)
    assert loaded is not None
    assert loaded.email == "new"
    assert not await loaded.persist()


@lm.declare_persist_db("shop", "sums")
class Sum(lm.Persistable):
    items: list[int] = []
    total: int = 0
    label: str = ""
    parent: Sum | None = None

    @model_validator(mode="after")
    def _derive(self) -> Sum:
        self.total = sum(self.items)
        self.label = hashed(self.label)
        return self


async def test_a_validator_of_the_whole_model_may_assign_to_it() -> None:
    made = Sum(items=[1, 2], label="a", parent=Sum(items=[7]))
    assert (made.total, made.label) == (3, hashed("a"))
    assert made.parent is not None
    assert made.parent.total == 7
    await made.persist()
    loaded = await Sum.from_id(made.id)
    assert loaded is not None
    assert (loaded.total, loaded.label, loaded.parent) == (3, hashed("a"), made.parent)
    assert not await loaded.persist()
    loaded.items = [5]
    assert loaded.total == 5
    await loaded.persist()
    assert await Sum.from_id(made.id) == loaded


async def test_what_a_validator_derives_from_an_edit_in_place_is_stored() -> None:
    made = Sum(items=[1])
    await made.persist()
    made.items.append(2)
    await made.persist()
    assert made.total == 3
    assert (await stored_of(made))["total"] == 3
    assert await Sum.from_id(made.id) == made


@lm.declare_persist_db("shop", "strict")
class Bounded(lm.PersistableBase):
    low: int = 0
    high: int = 9

    @model_validator(mode="after")
    def _order(self) -> Bounded:
        if self.low < 0:
            self.low = "never"  # type: ignore[assignment]
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


def test_assignments_inside_a_validator_are_validated() -> None:
    with pytest.raises(ValueError, match="valid integer"):
        Bounded(low=-1)
    bounded = Bounded()
    with pytest.raises(ValueError, match="low is above high"):
        bounded.low = 10


@lm.declare_persist_db("shop", "prepared")
class Prepared(lm.PersistableBase):
    name: str = ""
    token: str = ""

    @model_validator(mode="before")
    @classmethod
    def _prepare(cls, data: dict[str, Any]) -> dict[str, Any]:
        data["token"] = hashed(data.get("token", ""))
        data.setdefault("name", "none")
        return data


async def test_a_validator_before_a_model_may_edit_its_input() -> None:
    made = Prepared(token="t")
    assert (made.name, made.token) == ("none", hashed("t"))
    await made.persist()
    loaded = await Prepared.from_id(made.id)
    assert loaded == made
    assert loaded is not None
    assert not await loaded.persist()
