"""Open transactions without a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from loom_async._core import context
from loom_async._core.transactions.transaction_state import TransactionState


@pytest.fixture(autouse=True)
def no_open_journals() -> Iterator[None]:
    """Check that a test closes its journals."""
    assert context.journals == {}
    yield
    left = dict(context.journals)
    context.journals.clear()  # so that the other tests do not fail with this one
    assert left == {}


@pytest.fixture
def inside() -> Callable[[TransactionState], AbstractContextManager[None]]:
    """Return a context manager that makes a transaction the one of the present context."""

    @contextmanager
    def entered(state: TransactionState) -> Iterator[None]:
        token = context.transaction.set(state)
        try:
            yield
        finally:
            context.transaction.reset(token)

    return entered
