# Generated from tests/aio/ways_of_saving.py by `nox -s sync`: edit that file.
"""The ways in which many objects of one model are saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import loom_sync as lm
from tests.sync._concurrency import gathered

Save = Callable[[Sequence[lm.PersistableBase]], Any]


def one_by_one(objects: Sequence[lm.PersistableBase]) -> None:
    """Persist each object."""
    for document in objects:
        document.persist()


def in_tasks(objects: Sequence[lm.PersistableBase]) -> None:
    """Persist all objects at once: their updates are batched. Raise the first error at the end."""

    def call_for(document: lm.PersistableBase) -> Callable[[], lm.LoomError | None]:
        def call() -> lm.LoomError | None:
            try:
                document.persist()
            except lm.LoomError as error:
                return error
            return None

        return call

    for error in gathered(*map(call_for, objects)):
        if error is not None:
            raise error


def in_bulk(objects: Sequence[lm.PersistableBase]) -> None:
    """Persist all objects by one call."""
    type(objects[0]).persist_many(objects)


def in_order(objects: Sequence[lm.PersistableBase]) -> None:
    """Persist all objects by one call, in their order."""
    type(objects[0]).persist_many(objects, ordered=True)


def in_a_transaction(objects: Sequence[lm.PersistableBase]) -> None:
    """Persist each object in one transaction."""
    with lm.transaction():
        one_by_one(objects)


def in_bulk_in_a_transaction(objects: Sequence[lm.PersistableBase]) -> None:
    """Persist all objects by one call in a transaction."""
    with lm.transaction():
        in_bulk(objects)


WAYS: Sequence[Save] = (
    one_by_one,
    in_tasks,
    in_bulk,
    in_order,
    in_a_transaction,
    in_bulk_in_a_transaction,
)
