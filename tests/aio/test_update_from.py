"""Patches of stored documents: what is sent, and what a transaction takes back."""

from __future__ import annotations

from contextvars import Context

import pytest
from pydantic import BaseModel, ValidationError

import loom_async as lm


class Address(BaseModel):
    city: str
    street: str = ""


@lm.declare_persist_db("update_from", "customers")
class Customer(lm.Persistable):
    name: str
    visits: lm.IncrCounter = 0
    address: Address
    homes: dict[str, Address] = {}


class UpdateAddress(BaseModel):
    city: str | None = None
    street: str | None = None


class UpdateCustomer(BaseModel):
    name: str | None = None
    address: UpdateAddress | None = None


async def ann() -> Customer:
    customer = Customer(name="Ann", address=Address(city="Prague", street="Main"))
    await customer.persist()
    return customer


async def test_two_patches_of_different_fields_keep_both() -> None:
    customer = await ann()
    other = await Customer.from_id(customer.id)
    assert other is not None
    customer.update_from(UpdateCustomer(address=UpdateAddress(city="Brno")))
    other.update_from({"address": {"street": "Side"}, "visits": 2, "homes": {"a.b": {"city": "A"}}})
    customer.update_from({"visits": 3})
    assert await customer.persist()
    assert await other.persist()
    stored = await Customer.from_id(customer.id)
    assert stored == other
    assert stored is not None
    assert stored.address == Address(city="Brno", street="Side")
    assert (stored.visits, stored.homes) == (5, {"a.b": Address(city="A")})


async def test_a_patch_that_changes_nothing_sends_nothing() -> None:
    customer = await ann()
    customer.update_from({"name": "Ann", "address": {"city": "Prague"}})
    assert not await customer.persist()


async def test_a_refused_patch_sends_nothing() -> None:
    customer = await ann()
    with pytest.raises(ValidationError):
        customer.update_from({"name": "Eve", "address": {"city": None}})
    assert not await customer.persist()


async def test_an_aborted_transaction_takes_a_patch_back() -> None:
    customer = await ann()
    address = customer.address

    async def fail() -> None:
        async with lm.transaction():
            customer.update_from({"name": "Eve", "address": {"city": "Brno"}})
            await customer.persist()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert customer.name == "Ann"
    assert customer.address is address
    assert address.city == "Prague"
    assert not await customer.persist()


async def test_a_patch_from_outside_of_a_transaction_outlives_its_abort() -> None:
    customer = await ann()

    def patch_outside() -> None:
        customer.update_from({"visits": 4, "address": {"street": "Side"}})
        with pytest.raises(ValidationError):
            customer.update_from({"visits": 9, "address": {"street": None}})

    async def fail() -> None:
        async with lm.transaction():
            customer.update_from({"name": "Eve", "address": {"city": "Brno"}})
            await customer.persist()
            Context().run(patch_outside)
            assert customer.address == Address(city="Brno", street="Side")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert (customer.name, customer.visits) == ("Ann", 4)
    assert customer.address == Address(city="Prague", street="Side")
    assert await customer.persist()
    stored = await Customer.from_id(customer.id)
    assert stored == customer
