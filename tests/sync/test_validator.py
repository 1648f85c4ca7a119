# Generated from tests/aio/test_validator.py by `nox -s sync`: edit that file.
"""Validators: the server refuses exactly the documents that the model could not write."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any

import pandas as pd
import pytest
from pydantic import BaseModel, ConfigDict, Field
from pymongo.errors import BulkWriteError, OperationFailure

import loom_sync as lm
from loom_sync.collections.find import collection_of
from tests.commands import commands_of
from tests.sync import _concurrency

pytestmark = pytest.mark.usefixtures("db")


class Plan(Enum):
    FREE = "free"
    PRO = "pro"


class Address(BaseModel):
    model_config = ConfigDict(extra="forbid")

    city: str
    zip: int | None = None


@lm.declare_persist_db("shop", "customers", index=[lm.Index("email", unique=True)])
class Customer(lm.Persistable):
    name: str = Field(min_length=1, max_length=20)
    email: lm.StrLower
    age: int = Field(0, ge=0, lt=150)
    plan: Plan = Plan.FREE
    credit: Decimal = Decimal(0)
    tags: list[str] = []
    address: Address | None = None
    logins: lm.IncrCounter = 0
    code: str = Field("AB12", pattern="^[A-Z]{2}[0-9]{2}$")


def customer(**changes: Any) -> dict[str, Any]:
    """Return a document that another client writes."""
    return {"name": "Ann", "email": "a@b.c", **changes}


INVALID = [
    ({"name": 3}, "name: 3 is of type int, not string"),
    ({"name": ""}, "name: '', but minLength is 1"),
    ({"name": "x" * 21}, "but maxLength is 20"),
    ({"email": None}, "email: None is of type null, not string"),
    ({"age": "x"}, "age: 'x' is of type string, not int or long"),
    ({"age": 2.5}, "age: 2.5 is of type double, not int or long"),
    ({"age": -1}, "age: -1, but minimum is 0"),
    ({"age": 150}, "age: 150, but maximum is 150"),
    ({"plan": "gold"}, "plan: 'gold' is none of ['free', 'pro']"),
    ({"credit": 1.5}, "credit: 1.5 is of type double, not decimal"),
    ({"tags": ["a", 2]}, "tags.1: 2 is of type int, not string"),
    ({"address": {"zip": 1}}, "address lacks 'city'"),
    ({"address": {"city": "x", "zap": 1}}, "address has fields that are not allowed: 'zap'"),
    ({"address": "Brno"}, "address: 'Brno' is of type string, not object or null"),
    ({"created_at": None}, "created_at: None is of type null, not date"),
    ({"code": "AB1"}, "code: 'AB1', but pattern is '^[A-Z]{2}[0-9]{2}$'"),
]


@pytest.mark.parametrize(("changes", "reason"), INVALID, ids=lambda value: str(value)[:40])
def test_invalid_documents_of_other_clients_are_refused(
    client: Any, db: str, changes: dict[str, Any], reason: str
) -> None:
    Customer.ensure_validator()
    customers = client[db].customers
    with pytest.raises(OperationFailure) as error:
        customers.insert_one(customer(**changes))
    assert error.value.code == 121
    customers.insert_one(customer())
    with pytest.raises(lm.OperationFailed) as caught:
        Customer.filter().update({"$set": changes}, validate=False)
    assert caught.value.code == 121
    assert reason in str(caught.value)
    assert "does not pass the validator of its collection" in str(caught.value)
    assert "ensure_validator" in (caught.value.hint or "")


def test_the_error_names_missing_fields(client: Any, db: str) -> None:
    Customer.ensure_validator()
    with pytest.raises(BulkWriteError):
        client[db].customers.insert_many([{}, {"name": "x"}], ordered=False)
    client[db].customers.insert_one(customer())
    with pytest.raises(lm.OperationFailed, match="the document lacks 'email'"):
        Customer.filter().update({"$unset": {"email": 1}})


def test_objects_pass_or_the_error_says_why_not(client: Any, db: str) -> None:
    Customer.ensure_validator()
    ann = Customer(name="Ann", email="a@x", plan=Plan.PRO, address=Address(city="Brno"))
    ann.persist()
    ann.logins += 1
    ann.age = 3
    ann.persist()
    Customer.persist_many([ann, Customer(name="Bea", email="b@x")])
    assert len(Customer.filter().load_many()) == 2
    vars(ann)["age"] = -1  # past pydantic
    reason = "age: -1, but minimum is 0"
    with pytest.raises(lm.OperationFailed, match=reason):
        ann.persist()
    with pytest.raises(lm.BulkError) as caught:
        Customer.persist_many([ann])
    assert reason in caught.value.entries[0].reason
    invalid = Customer(name="Cid", email="c@x")
    vars(invalid)["age"] = -1
    for call in (invalid.persist, lambda: Customer.persist_many([invalid])):
        with pytest.raises((lm.OperationFailed, lm.BulkError), match=reason):
            call()


def test_errors_of_frames_say_why_not() -> None:
    Customer.ensure_validator()
    valid = pd.DataFrame({"name": ["Ann"], "email": ["a@x"], "age": [3]})
    Customer.insert_dataframe(valid)
    with pytest.raises(lm.FrameError, match="age: -1, but minimum is 0"):
        Customer.insert_dataframe(
            pd.DataFrame({"name": ["B"], "email": ["b@x"], "age": [-1]}), validate=False
        )
    with pytest.raises(lm.FrameError, match="the document lacks 'name'"):
        Customer.update_dataframe(
            pd.DataFrame({"email": ["new"], "age": [1]}), on=["email"], upsert=True
        )


def test_ensure_validator_returns_the_stored_schema(client: Any, db: str) -> None:
    first = Customer.ensure_validator()
    assert _options(client, db) == {
        "validator": {"$jsonSchema": first},
        "validationLevel": "strict",
        "validationAction": "error",
    }

    @lm.declare_persist_db("shop", "customers")
    class Later(lm.PersistableBase):
        name: int

    second = Later.ensure_validator(level="moderate", action="warn")
    assert second["properties"]["name"] == {"bsonType": ["int", "long"]}
    assert _options(client, db) == {
        "validator": {"$jsonSchema": second},
        "validationLevel": "moderate",
        "validationAction": "warn",
    }
    client[db].customers.insert_one(customer())
    Later.ensure_validator(level="off")
    client[db].customers.insert_one(customer(email="b"))


def _options(client: Any, db: str) -> Any:
    (found,) = client[db].list_collections(filter={"name": "customers"}).to_list()
    return found["options"]


def test_concurrent_calls_and_an_existing_collection(client: Any, db: str) -> None:
    schemas = _concurrency.gathered(*[Customer.ensure_validator] * 4)
    assert all(schema == schemas[0] for schema in schemas)
    client[db].customers.drop()
    client[db].customers.insert_one({"name": 1})
    Customer.ensure_validator(level="moderate")
    client[db].customers.update_one({}, {"$set": {"name": 2}})
    with pytest.raises(OperationFailure):
        client[db].customers.insert_one({"name": 2})


def test_ensure_validator_raises_in_a_transaction(client: Any) -> None:
    collection_of(Customer)
    with commands_of(client) as sent, pytest.raises(lm.TransactionError, match="of Customer"):
        with lm.transaction():
            Customer.ensure_validator()
    assert sent == []


def test_level_and_action_are_checked() -> None:
    with pytest.raises(lm.QueryError, match="strict"):
        Customer.ensure_validator(level="strickt")  # type: ignore[arg-type]
    with pytest.raises(lm.QueryError, match="warn"):
        Customer.ensure_validator(action="warning")  # type: ignore[arg-type]
