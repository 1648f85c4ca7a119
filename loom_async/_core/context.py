"""The operation context: the server, the database and the transaction in force.

Both packages share it: a block of either package applies to the operations of both.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Server:
    """The server of a `connect`, `embedded` or `using` block.

    Parameters:
        client: The block's client, which may belong to either package.
        uri: Its URI, by which other event loops and the other package open their own clients; None
            for a client that was passed to `using`.
        options: The options that the client was opened with.
        scope: The event loop or process that the client belongs to; None if unknown.
        outer: The server of the enclosing block.
    """

    client: object
    uri: str | None = field(default=None, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    scope: object = None
    outer: Server | None = None

    def given_clients(self) -> Iterator[object]:
        """Yield the clients passed to this `using` block and to those directly around it."""
        server: Server | None = self
        while server is not None and server.uri is None:
            yield server.client
            server = server.outer


class Inherited(Generic[T]):
    """A context variable whose value the threads of a script inherit.

    A new thread has an empty context: without this, the workers of a pool would not be inside the
    block that started them. A thread without a value uses the last one that was set as shared.
    """

    def __init__(self, name: str) -> None:
        # Each open block has an entry, which its end removes from any position: blocks inside
        # generators end in any order, and even in another context than they began in.
        self._entries: ContextVar[tuple[_Entry[T], ...]] = ContextVar(name, default=())
        self._shared: list[_Entry[T]] = []
        #: The value outside of all blocks, in every context of the process.
        self.default: T | None = None

    def get(self) -> T | None:
        """Return the value in this context; None if there is none."""
        entries = self._entries.get() or self._shared
        return entries[-1].value if entries else self.default

    @contextmanager
    def set(self, value: T, *, shared: bool) -> Generator[None]:
        """Set the value until the block ends.

        Parameters:
            value: The value in this context.
            shared: Whether threads without a value inherit it.
        """
        entry = _Entry(value)
        self._entries.set((*self._entries.get(), entry))
        if shared:
            self._shared.append(entry)
        try:
            yield
        finally:
            if shared:
                self._shared.remove(entry)
            self._entries.set(tuple(e for e in self._entries.get() if e is not entry))


@dataclass(frozen=True, eq=False)
class _Entry(Generic[T]):
    """The value that one block has set; entries of equal values are distinct."""

    value: T


server: Inherited[Server] = Inherited("loom_server")
database: Inherited[str] = Inherited("loom_database")


class OpenJournal(Protocol):
    """The former states of the objects that a transaction has changed (`transactions.journal`)."""

    closed: Future[None]

    @property
    def is_of_this_thread(self) -> bool:
        """True in the thread that began the transaction."""
        ...

    def amend(self, document: Any, change: Callable[[], None]) -> None:
        """Change an object and its former state."""
        ...

    def assigned_outside(self, document: Any, name: str, before: Any) -> None:
        """Note a value that a task outside of the transaction assigned to a field."""
        ...


class OpenTransaction(Protocol):
    """The transaction of a context, from either package (`transactions.transaction_state`)."""

    namespaces: set[tuple[str, str]]

    @property
    def journal(self) -> OpenJournal:
        """The former states of the objects that it has changed."""
        ...

    def remember(self, document: Any) -> None:
        """Record the state of an object."""
        ...

    def check(self) -> None:
        """Raise `TransactionError` if it takes no further operations."""
        ...

    def fail(self, error: BaseException) -> None:
        """Mark it as failed: it cannot be committed."""
        ...


class OperationContext(NamedTuple):
    """The server, database and transaction in force; None where settings and model decide."""

    server: Server | None
    database: str | None
    transaction: OpenTransaction | None = None


#: The journals of open transactions, by the ids of the objects that they hold.
journals: dict[int, OpenJournal] = {}

transaction: ContextVar[OpenTransaction | None] = ContextVar("loom_transaction", default=None)


def current_context() -> OperationContext:
    """Return the context of an operation that starts here."""
    return OperationContext(server.get(), database.get(), transaction.get())
