"""Where operations go in the present context: which server, which database.

Both packages share this: inside a block of either one, the operations of both go the same way.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

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
        self._variable: ContextVar[T | None] = ContextVar(name)
        self._of_script: list[T] = []

    def get(self) -> T | None:
        """Return the value of this context; None if there is none."""
        try:
            return self._variable.get()
        except LookupError:
            return self._of_script[-1] if self._of_script else None

    @contextmanager
    def set(self, value: T, *, shared: bool) -> Generator[None]:
        """Have `get` return a value until the block ends.

        Parameters:
            value: The value for this context.
            shared: Whether threads that have no value of their own see it too.
        """
        token = self._variable.set(value)
        if shared:
            self._of_script.append(value)
        try:
            yield
        finally:
            if shared:
                # The last of several equal ones: blocks of generators may end in any order.
                last = len(self._of_script) - 1 - self._of_script[::-1].index(value)
                del self._of_script[last]
            # The block may end in another context than it began in, as an async fixture's may:
            # that context never saw the value, so there is nothing to put back.
            with suppress(ValueError):
                self._variable.reset(token)


server: Inherited[Server] = Inherited("loom_server")
database: Inherited[str] = Inherited("loom_database")
