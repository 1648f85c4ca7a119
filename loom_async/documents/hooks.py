"""The hooks of models: run one after another, once for each document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias, TypeVar

from .. import _concurrency
from .._core.model.document import DocumentModel
from ..operations.transactions import join_transaction

D = TypeVar("D", bound=DocumentModel)
Hook: TypeAlias = Literal[
    "before_persist", "after_persist", "before_delete", "after_delete", "after_load"
]


async def run(hook: Hook, documents: Iterable[DocumentModel]) -> None:
    """Run a hook of every document whose model has one."""
    for document in documents:
        if has(type(document), hook):
            await _concurrency.maybe_await(getattr(document, hook)())


async def loaded(documents: Sequence[D]) -> Sequence[D]:
    """Return documents that have been loaded, their hooks run."""
    if any(has(kind, "after_load") for kind in set(map(type, documents))):
        await run("after_load", documents)
    return documents


def has(model: type[Any], hook: Hook) -> bool:
    """Say whether a model does anything in a hook."""
    return getattr(model, hook) is not getattr(DocumentModel, hook)


async def run_before(hook: Hook, *documents: DocumentModel) -> None:
    """Run a hook of objects that the present transaction puts back, with all that the hook does."""
    async with _concurrency.ObjectLock(*documents) as objects:
        await join_transaction(objects, *documents)
    await run(hook, documents)
