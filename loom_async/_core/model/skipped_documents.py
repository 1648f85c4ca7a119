"""Counts and logs the documents that a query with `on_invalid="skip"` leaves out."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import get_args

from pydantic import ValidationError
from pydantic_core.core_schema import ErrorType

from ..errors import InvalidDocument

_log = logging.getLogger("loom")
# So many errors are kept, so that a stream of any length fits into memory.
_MOST_KEPT = 1_000
_KNOWN_TYPES = frozenset(get_args(ErrorType))
# The messages of these errors may quote the value.
_QUOTING_TYPES = frozenset(
    {"value_error", "assertion_error", "union_tag_invalid", "get_attribute_error"}
)


class SkippedDocuments:
    """The documents that queries have left out inside a `skipped_documents` block.

    `count` is their number, `errors` has the reasons of the first 1,000: `InvalidDocument` objects
    with the `id` and the invalid `fields` of each.
    """

    __slots__ = ("count", "errors")

    def __init__(self) -> None:
        self.count: int = 0
        self.errors: list[InvalidDocument] = []

    def __repr__(self) -> str:
        return f"<SkippedDocuments: {self.count}>"

    def add(self, error: InvalidDocument) -> None:
        """Count a document."""
        self.count += 1
        if len(self.errors) < _MOST_KEPT:
            self.errors.append(error)


_open_blocks: ContextVar[tuple[SkippedDocuments, ...]] = ContextVar("loom_skipped", default=())


@contextmanager
def skipped_documents() -> Generator[SkippedDocuments]:
    """Count the documents that queries with `on_invalid="skip"` leave out inside this block.

    It counts the queries of this task, and of the tasks that it starts inside the block.

    Returns:
        The counter.

    Example:
        >>> import loom_async as lm
        >>> @lm.declare_persist_db("my_app", "users")
        ... class User(lm.Persistable):
        ...     age: int
        >>> async def main() -> None:
        ...     with lm.skipped_documents() as skipped:
        ...         users = await User.filter().options(on_invalid="skip").load_many()
        ...     print(len(users), skipped.count, [error.id for error in skipped.errors])
    """
    counter = SkippedDocuments()
    # Removed by identity: a block in a generator may end in another order than it began.
    _open_blocks.set((*_open_blocks.get(), counter))
    try:
        yield counter
    finally:
        _open_blocks.set(tuple(one for one in _open_blocks.get() if one is not counter))


def skip(model: type, error: InvalidDocument) -> None:
    """Count and log a document that is left out.

    Parameters:
        model: The class that the document does not fit.
        error: The reason; `id` is the document's `_id`.
    """
    for counter in _open_blocks.get():
        counter.add(error)
    _log.warning(
        "load %s: the document with the _id %r is left out: %s",
        model.__name__,
        error.id,
        _reason(error),
    )


def _reason(error: InvalidDocument) -> str:
    """Return the invalid fields and why they are, without values of the document."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return ", ".join(error.fields) or "it cannot be read"
    reasons: list[str] = []
    for detail in cause.errors(include_url=False, include_context=False, include_input=False):
        kind = detail["type"]
        is_silent = kind in _QUOTING_TYPES or kind not in _KNOWN_TYPES
        message = f"refused ({kind})" if is_silent else detail["msg"]
        path = ".".join(map(str, detail["loc"]))
        reasons.append(f"{path}: {message}" if path else message)
    return "; ".join(reasons)
