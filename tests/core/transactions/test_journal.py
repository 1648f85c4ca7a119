"""Journals: the earlier states of the objects that a transaction changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest

import loom_async as lm
from loom_async._core import context
from loom_async._core.model.document import attempts_of, baseline, set_baseline
from loom_async._core.model.write_attempt import LOST_COMMAND
from loom_async._core.transactions.journal import Journal, absorb, in_use, journal_of
from loom_async._core.transactions.transaction_state import TransactionState

Inside = Callable[[TransactionState], AbstractContextManager[None]]


class Account(lm.PersistableBase):
    owner: str = ""
    balance: lm.IncrCounter = 0
    entries: list[str] = []


@pytest.fixture
def journal() -> Iterator[Journal]:
    """A journal that is closed after the test."""
    made = Journal()
    yield made
    made.close()


def test_the_earliest_state_is_restored(journal: Journal) -> None:
    account = Account(owner="Ann", entries=["a"])
    journal.remember(account)
    vars(account)["owner"] = "Bob"
    journal.remember(account)
    account.entries.append("b")
    journal.restore(is_unknown=False)
    assert (account.owner, account.entries) == ("Ann", ["a"])


def test_an_object_belongs_to_one_journal_at_a_time(journal: Journal) -> None:
    account, other = Account(owner="Ann"), Journal()
    journal.remember(account)
    with pytest.raises(lm.TransactionAborted, match=r"Account .+ part of another open"):
        other.remember(account)
    other.close()
    assert context.journals == {id(account): journal}
    journal.close()
    later = Journal()
    later.remember(account)
    assert context.journals == {id(account): later}
    later.close()


def test_a_refused_object_is_not_restored_by_the_second_journal(journal: Journal) -> None:
    account, other = Account(owner="Ann"), Journal()
    journal.remember(account)
    vars(account)["owner"] = "Bob"
    with pytest.raises(lm.TransactionAborted):
        other.remember(account)
    other.restore(is_unknown=False)
    assert account.owner == "Bob"


def test_a_closed_journal_restores_nothing(journal: Journal) -> None:
    account = Account(owner="Ann")
    journal.remember(account)
    vars(account)["owner"] = "Bob"
    assert not journal.closed.done()
    journal.close()
    journal.close()
    assert journal.closed.done()
    journal.restore(is_unknown=False)
    assert account.owner == "Bob"


def test_a_journal_belongs_to_the_thread_that_created_it(journal: Journal) -> None:
    assert journal.is_of_this_thread
    with ThreadPoolExecutor(1) as pool:
        assert not pool.submit(lambda: journal.is_of_this_thread).result()


def test_amend_changes_the_object_and_its_earlier_state(journal: Journal) -> None:
    account = Account(owner="Ann", entries=["a"])
    journal.remember(account)
    vars(account)["owner"] = "Bob"
    account.entries.append("b")
    entries = account.entries

    def reply() -> None:
        account.entries.append("reply")
        set_baseline(account, b"stored")

    journal.amend(account, reply)
    assert (account.owner, account.entries) == ("Bob", ["a", "b", "reply"])
    assert baseline(account) == b"stored"
    journal.restore(is_unknown=False)
    assert (account.owner, account.entries) == ("Ann", ["a", "reply"])
    assert account.entries is entries
    assert baseline(account) == b"stored"


def test_a_value_assigned_outside_survives_the_restoration(journal: Journal) -> None:
    account = Account(owner="Ann")
    journal.remember(account)
    vars(account)["balance"] = 5
    account.owner = "Cid"  # outside of the transaction: the model calls assigned_outside
    assert (account.owner, account.balance) == ("Cid", 5)
    journal.restore(is_unknown=False)
    assert (account.owner, account.balance) == ("Cid", 0)


def test_a_value_assigned_outside_replaces_that_of_the_transaction(journal: Journal) -> None:
    account = Account(owner="Ann")
    journal.remember(account)
    vars(account)["owner"] = "Bob"
    account.owner = "Cid"
    assert account.owner == "Cid"
    journal.restore(is_unknown=False)
    assert account.owner == "Cid"


def test_a_counter_assigned_outside_keeps_its_difference_alone(journal: Journal) -> None:
    account = Account(balance=10)
    journal.remember(account)
    vars(account)["balance"] += 5  # in the transaction
    account.balance += 1
    account.balance += 1
    assert account.balance == 17
    journal.restore(is_unknown=False)
    assert account.balance == 12


@pytest.mark.parametrize("value", [None, True])
def test_a_counter_without_a_number_is_replaced(journal: Journal, value: Any) -> None:
    account = Account(balance=10)
    journal.remember(account)
    vars(account)["balance"] = value
    journal.assigned_outside(account, "balance", 10)
    journal.restore(is_unknown=False)
    assert account.balance is value


def test_an_assigned_name_that_is_no_field_is_ignored(journal: Journal) -> None:
    account = Account(owner="Ann")
    journal.remember(account)
    journal.assigned_outside(account, "nothing", None)
    journal.restore(is_unknown=False)
    assert "nothing" not in vars(account)


def test_an_unknown_commit_leaves_a_lost_write_on_objects_that_were_written(
    journal: Journal,
) -> None:
    written, edited = Account(), Account()
    journal.remember(written)
    journal.remember(edited)
    set_baseline(written, b"of the transaction")
    vars(edited)["owner"] = "Bob"
    journal.restore(is_unknown=True)
    assert baseline(written) is None
    assert [attempt.command for attempt in attempts_of(written)] == [LOST_COMMAND]
    assert (edited.owner, attempts_of(edited)) == ("", ())


def test_a_transaction_that_was_not_committed_leaves_no_lost_write(journal: Journal) -> None:
    account = Account()
    journal.remember(account)
    set_baseline(account, b"of the transaction")
    journal.restore(is_unknown=False)
    assert (baseline(account), attempts_of(account)) == (None, ())


def test_journal_of_objects_is_that_of_the_holder(journal: Journal) -> None:
    free, held = Account(), Account()
    assert journal_of([free, held]) is None
    journal.remember(held)
    assert journal_of([free, held]) is journal
    assert journal_of([free]) is None


def test_absorb_amends_the_journals_of_other_transactions_alone(inside: Inside) -> None:
    state, account = TransactionState(), Account()
    add = partial(account.entries.append, "reply")
    absorb(account, add)
    assert account.entries == ["reply"]
    state.remember(account)
    with inside(state):
        absorb(account, add)
    assert account.entries == ["reply", "reply"]
    absorb(account, add)
    assert account.entries == ["reply"] * 3
    state.journal.restore(is_unknown=False)
    assert account.entries == ["reply", "reply"]
    state.journal.close()


def test_in_use_names_the_object_that_is_held(journal: Journal) -> None:
    free, held = Account(), Account()
    journal.remember(held)
    assert str(held.id) in str(in_use(journal, [free, held]))
    journal.close()
    assert str(free.id) in str(in_use(journal, [free, held]))
