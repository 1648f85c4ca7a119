"""The state of a transaction, and the objects among the arguments of a call."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest

import loom_async as lm
from loom_async._core import context
from loom_async._core.transactions.transaction_state import (
    TransactionState,
    documents_in,
    failed,
    lock_timed_out,
    lock_timeout,
    refuse_in_transaction,
)

Inside = Callable[[TransactionState], AbstractContextManager[None]]


class Item(lm.PersistableBase):
    name: str = ""

    def __hash__(self) -> int:
        return hash(self.id)

    def rename(self, *names: str) -> None:
        """Do nothing; only the bound method matters."""


def found(*values: object) -> set[int]:
    """Return the identities of the objects among values, each yielded once."""
    documents = list(documents_in(*values))
    assert len({id(document) for document in documents}) == len(documents)
    return {id(document) for document in documents}


def ids(*documents: Item) -> set[int]:
    return set(map(id, documents))


def test_documents_in_arguments_and_containers() -> None:
    items = [Item() for _ in range(6)]
    a, b, c, d, e, f = items
    assert found(a, [b, (c,)], {"x": d, "y": [e]}, {f}) == ids(*items)
    assert found(frozenset({a}), a, [a, a]) == ids(a)
    assert found() == found(1, "text", None, b"bytes", {"a": [1]}) == set()


def test_documents_of_methods_and_partials() -> None:
    a, b, c = Item(), Item(), Item()
    assert found(a.rename) == ids(a)
    assert found(partial(a.rename, b, name=[c])) == ids(a, b, c)
    assert found(partial(partial(a.rename, b), c)) == ids(a, b, c)
    assert found(print, Item.rename, Item, lambda: a) == set()


def test_documents_in_containers_that_hold_themselves() -> None:
    item, ring = Item(), list[Any]()
    ring += [ring, {"ring": ring}, item]
    assert found(ring) == ids(item)


def test_conditions_and_fields_hold_no_documents() -> None:
    assert found(lm.fld, lm.fld["name"], lm.fld["name"] == "x", lm.Index("name")) == set()


def test_a_sound_transaction_passes_the_check() -> None:
    TransactionState().check()


def test_an_ended_transaction_refuses_operations() -> None:
    state = TransactionState()
    state.fail(ValueError("x"))
    state.is_ended = True
    with pytest.raises(lm.TransactionError, match="has ended"):
        state.check()


def test_the_first_failure_is_the_reason() -> None:
    state, first = TransactionState(), ValueError("first")
    state.fail(first)
    state.fail(ValueError("second"))
    with pytest.raises(lm.TransactionError, match=r"ValueError\('first'\)") as caught:
        state.check()
    assert state.failure is caught.value.__cause__ is first


def test_the_error_after_an_aborted_transaction_is_of_the_same_class() -> None:
    aborted = lm.TransactionAborted("write conflict", hint="a hint")
    assert type(failed(aborted)) is lm.TransactionAborted
    assert type(failed(KeyError("x"))) is lm.TransactionError
    assert "write conflict" in str(failed(aborted))
    assert "a hint" not in str(failed(aborted))


def test_an_open_transaction_remembers_objects_and_an_ended_one_none() -> None:
    state, item = TransactionState(), Item()
    state.remember(item)
    assert context.journals == {id(item): state.journal}
    state.journal.close()
    state.is_ended = True
    state.remember(item)
    assert context.journals == {}


def test_an_assignment_inside_a_transaction_is_remembered(inside: Inside) -> None:
    state, item = TransactionState(), Item(name="before")
    with inside(state):
        item.name = "after"
    state.journal.restore(is_unknown=False)
    state.journal.close()
    assert item.name == "before"


def test_lock_timeout_is_bounded_inside_transactions(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lock_timeout() is None
    with inside(TransactionState()):
        assert lock_timeout() == 5.0
        monkeypatch.setenv("LOOM_TRANSACTION_TIMEOUT", "2")
        assert lock_timeout() == 2.0


def test_lock_timed_out_names_each_class_once() -> None:
    error = lock_timed_out([Item(), object(), Item()])
    assert "this Item, object" in str(error)


def test_refuse_in_transaction(inside: Inside) -> None:
    refuse_in_transaction("dropping a collection cannot be done")
    with (
        inside(TransactionState()),
        pytest.raises(lm.TransactionError, match="dropping x is impossible inside a transaction"),
    ):
        refuse_in_transaction("dropping x is impossible")
