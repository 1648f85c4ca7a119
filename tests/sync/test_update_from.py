# Generated from tests/aio/test_update_from.py by `nox -s sync`: edit that file.
"""Patches of stored documents: what is sent, and what a transaction takes back."""

from __future__ import annotations

from contextvars import Context

import pytest
from pydantic import BaseModel, ValidationError

import loom_sync as lm


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


def ann() -> Customer:
    customer = Customer(name="Ann", address=Address(city="Prague", street="Main"))
    customer.persist()
    return customer


def test_two_patches_of_different_fields_keep_both() -> None:
    customer = ann()
    other = Customer.from_id(customer.id)
    assert other is not None
    customer.update_from(UpdateCustomer(address=UpdateAddress(city="Brno")))
    other.update_from({"address": {"street": "Side"}, "visits": 2, "homes": {"a.b": {"city": "A"}}})
    customer.update_from({"visits": 3})
    assert customer.persist()
    assert other.persist()
    stored = Customer.from_id(customer.id)
    assert stored == other
    assert stored is not None
    assert stored.address == Address(city="Brno", street="Side")
    assert (stored.visits, stored.homes) == (5, {"a.b": Address(city="A")})


def test_a_patch_that_changes_nothing_sends_nothing() -> None:
    customer = ann()
    customer.update_from({"name": "Ann", "address": {"city": "Prague"}})
    assert not customer.persist()


def test_a_refused_patch_sends_nothing() -> None:
    customer = ann()
    with pytest.raises(ValidationError):
        customer.update_from({"name": "Eve", "address": {"city": None}})
    assert not customer.persist()


def test_an_aborted_transaction_takes_a_patch_back() -> None:
    customer = ann()
    address = customer.address

    def fail() -> None:
        with lm.transaction():
            customer.update_from({"name": "Eve", "address": {"city": "Brno"}})
            customer.persist()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert customer.name == "Ann"
    assert customer.address is address
    assert address.city == "Prague"
    assert not customer.persist()


def test_a_patch_from_outside_of_a_transaction_outlives_its_abort() -> None:
    customer = ann()

    def patch_outside() -> None:
        customer.update_from({"visits": 4, "address": {"street": "Side"}})
        with pytest.raises(ValidationError):
            customer.update_from({"visits": 9, "address": {"street": None}})

    def fail() -> None:
        with lm.transaction():
            customer.update_from({"name": "Eve", "address": {"city": "Brno"}})
            customer.persist()
            Context().run(patch_outside)
            assert customer.address == Address(city="Brno", street="Side")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (customer.name, customer.visits) == ("Ann", 4)
    assert customer.address == Address(city="Prague", street="Side")
    assert customer.persist()
    stored = Customer.from_id(customer.id)
    assert stored == customer
