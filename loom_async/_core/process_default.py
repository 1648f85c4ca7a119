"""The server that a whole process uses outside of blocks, once one has been opened for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from . import context
from .context import Server


@dataclass(frozen=True, eq=False)
class Default:
    """What `open` or `open_embedded` has opened.

    Parameters:
        server: Where operations outside of blocks go.
        owner: The package that has opened it, whose `close` ends it.
        release: Lets the embedded server stop; does nothing for others.
    """

    server: Server
    owner: str
    release: Callable[[], None]


_lock = threading.Lock()
_default: Default | None = None


def put_default(default: Default) -> Default | None:
    """Make a server the default of the process, and return the former default."""
    with _lock:
        former = _default
        _set(default)
        return former


def take_default(owner: str) -> Default | None:
    """Return the default that a package has opened, and leave none; None if it has opened none."""
    with _lock:
        if _default is None or _default.owner != owner:
            return None
        former = _default
        _set(None)
        return former


def _set(default: Default | None) -> None:
    global _default
    _default = default
    context.server.default = None if default is None else default.server


def _in_child() -> None:
    # The client's sockets are the parent's: the child opens a client of its own by the address.
    # Another thread of the parent may hold the lock for ever.
    global _lock
    _lock = threading.Lock()
    if _default is not None:
        _set(replace(_default, server=replace(_default.server, client=None)))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
