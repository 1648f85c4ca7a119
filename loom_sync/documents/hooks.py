# Generated from loom_async/documents/hooks.py by `nox -s sync`: edit that file.
"""The hooks of models: run one after another, once for each document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias, TypeVar

from loom_async._core.model.document import DocumentModel

from .. import _concurrency
from ..operations.transactions import join_transaction

D = TypeVar("D", bound=DocumentModel)
Hook: TypeAlias = Literal[
    "before_persist", "after_persist", "before_delete", "after_delete", "after_load"
]


def run(hook: Hook, documents: Iterable[DocumentModel]) -> None:
    """Run a hook of every document whose model has one."""
    for document in documents:
        if has(type(document), hook):
            _concurrency.maybe_await(getattr(document, hook)())


def loaded(documents: Sequence[D]) -> Sequence[D]:
    """Return documents that have been loaded, their hooks run."""
    if any(has(kind, "after_load") for kind in set(map(type, documents))):
        run("after_load", documents)
    return documents


def has(model: type[Any], hook: Hook) -> bool:
    """Say whether a model does anything in a hook."""
    return getattr(model, hook) is not getattr(DocumentModel, hook)


def run_before(hook: Hook, *documents: DocumentModel) -> None:
    """Run a hook of objects that the present transaction puts back, with all that the hook does."""
    with _concurrency.ObjectLock(*documents) as objects:
        join_transaction(objects, *documents)
    run(hook, documents)
