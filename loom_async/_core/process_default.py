"""The server that a process uses outside of blocks, set by `open` and `open_embedded`."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from . import context
from .context import Server


@dataclass(frozen=True, eq=False)
class DefaultServer:
    """The server that `open` or `open_embedded` has opened.

    Parameters:
        server: The server that operations outside of blocks use.
        owner: The package that opened it; only its `close` closes it.
        release: Lets an embedded server stop; does nothing for others.
    """

    server: Server
    owner: str
    release: Callable[[], None]


_lock = threading.Lock()
_default: DefaultServer | None = None


def replace_default(default: DefaultServer) -> DefaultServer | None:
    """Make a server the default of the process; return the former default."""
    with _lock:
        former = _default
        _set(default)
        return former


def take_default(owner: str) -> DefaultServer | None:
    """Remove the default and return it, if the given package opened it; otherwise return None."""
    with _lock:
        if _default is None or _default.owner != owner:
            return None
        former = _default
        _set(None)
        return former


def _set(default: DefaultServer | None) -> None:
    global _default
    _default = default
    context.server.default = None if default is None else default.server


def _in_child() -> None:
    # The client's sockets belong to the parent: the child opens its own client by the URI. Another
    # thread of the parent may have held the lock, which nothing would release in the child.
    global _lock
    _lock = threading.Lock()
    if _default is not None:
        _set(replace(_default, server=replace(_default.server, client=None)))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
