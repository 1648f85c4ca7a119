"""Runs the hooks of models one after another, once for each document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias, TypeVar

from .. import _concurrency
from .._core.model.document import DocumentModel
from .join_transaction import join_transaction

D = TypeVar("D", bound=DocumentModel)
# `DocumentModel` has a method for each, which does nothing.
Hook: TypeAlias = Literal[
    "before_persist", "after_persist", "before_delete", "after_delete", "after_load"
]


async def run(hook: Hook, documents: Iterable[DocumentModel]) -> None:
    """Run a hook of each document whose model overrides it."""
    for document in documents:
        if has(type(document), hook):
            await _concurrency.maybe_await(getattr(document, hook)())


async def loaded(documents: Sequence[D]) -> Sequence[D]:
    """Run `after_load` of loaded documents, and return them."""
    for kind in set(map(type, documents)):
        if has(kind, "after_load"):
            await run("after_load", documents)
            break
    return documents


def has(model: type[Any], hook: Hook) -> bool:
    """Say whether a model overrides a hook."""
    return getattr(model, hook) is not getattr(DocumentModel, hook)


async def run_before(hook: Hook, *documents: DocumentModel) -> None:
    """Run a hook whose changes of its objects the transaction in force can undo."""
    async with _concurrency.ObjectLock(*documents) as lock:
        await join_transaction(lock, *documents)
    await run(hook, documents)
