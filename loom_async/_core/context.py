"""Where operations go in the present context: which server, which database.

Both packages share this: inside a block of either one, the operations of both go the same way.
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
        client: The block's client, of whichever package.
        uri: Its address, from which the other package makes its own client; None if unknown.
        options: The options the client was opened with.
        scope: The event loop or process that the client belongs to; None if unknown.
        outer: The block around this one.
    """

    client: object
    uri: str | None = field(default=None, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    scope: object = None
    outer: Server | None = None

    def given(self) -> Iterator[object]:
        """Yield the clients of this block and of those around it that were given a client too."""
        server: Server | None = self
        while server is not None and server.uri is None:
            yield server.client
            server = server.outer


class Inherited(Generic[T]):
    """A context variable that the threads of a script see as well.

    A thread begins with an empty context, so that the workers of a pool would leave the block that
    they were started in. One that has no value of its own uses the last that was set as shared.
    """

    def __init__(self, name: str) -> None:
        # Every open block has an entry of its own, which its end takes away wherever it stands:
        # blocks of generators end in any order, and even in another context than they began in.
        self._entries: ContextVar[tuple[_Entry[T], ...]] = ContextVar(name, default=())
        self._of_script: list[_Entry[T]] = []
        #: The value outside all blocks, in every context of the process.
        self.default: T | None = None

    def get(self) -> T | None:
        """Return the value of this context; None if there is none."""
        entries = self._entries.get() or self._of_script
        return entries[-1].value if entries else self.default

    @contextmanager
    def set(self, value: T, *, shared: bool) -> Generator[None]:
        """Have `get` return a value until the block ends.

        Parameters:
            value: The value for this context.
            shared: Whether threads that have no value of their own see it too.
        """
        entry = _Entry(value)
        self._entries.set((*self._entries.get(), entry))
        if shared:
            self._of_script.append(entry)
        try:
            yield
        finally:
            if shared:
                self._of_script.remove(entry)
            self._entries.set(tuple(e for e in self._entries.get() if e is not entry))


@dataclass(frozen=True, eq=False)
class _Entry(Generic[T]):
    """What one block has set: blocks that set equal values are told apart."""

    value: T


server: Inherited[Server] = Inherited("loom_server")
database: Inherited[str] = Inherited("loom_database")


class OpenJournal(Protocol):
    """The earlier states of the objects that a transaction has changed (`transactions.journal`)."""

    closed: Future[None]

    @property
    def is_of_this_thread(self) -> bool:
        """True in the thread that the transaction has begun in."""
        ...

    def amend(self, document: Any, change: Callable[[], None]) -> None:
        """Change an object, and its earlier state as well."""
        ...

    def assigned_outside(self, document: Any, name: str, before: Any) -> None:
        """Keep a value that a task outside of the transaction has assigned to a field."""
        ...


class OpenTransaction(Protocol):
    """The transaction of a context, of either package (`transactions.transaction_state`)."""

    namespaces: set[tuple[str, str]]

    @property
    def journal(self) -> OpenJournal:
        """The earlier states of the objects that it has changed."""
        ...

    def remember(self, document: Any) -> None:
        """Keep the state that an object has now."""
        ...

    def check(self) -> None:
        """Raise `TransactionError` if no operation can be part of it any more."""
        ...

    def fail(self, error: BaseException) -> None:
        """Note that it cannot be committed."""
        ...


class OperationContext(NamedTuple):
    """Where an operation goes; None leaves it to the settings and to the model."""

    server: Server | None
    database: str | None
    transaction: OpenTransaction | None = None


# The journals of open transactions, by the ids of the objects that they hold.
journals: dict[int, OpenJournal] = {}

transaction: ContextVar[OpenTransaction | None] = ContextVar("loom_transaction", default=None)


def current_context() -> OperationContext:
    """Return where operations go in the present context."""
    return OperationContext(server.get(), database.get(), transaction.get())
