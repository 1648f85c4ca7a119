"""A connection to the test run's server that breaks when a test says so."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.uri_parser import parse_uri


class Proxy:
    """Passes bytes on between clients and a server.

    Parameters:
        uri: The server's URI.
    """

    def __init__(self, uri: str) -> None:
        (self._server,) = parse_uri(uri)["nodelist"]
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.is_up = True
        self.limits: Iterator[int] = itertools.repeat(2**63)
        old, new = self._server[1], self._listening.getsockname()[1]
        options = "directConnection=true&serverSelectionTimeoutMS=300&heartbeatFrequencyMS=500"
        self.uri = f"{uri.replace(f':{old}/', f':{new}/')}&{options}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection."""
        pairs, self._pairs = self._pairs, []
        for end in itertools.chain.from_iterable(pairs):
            _close(end)

    def close(self) -> None:
        """Break every connection and take no more."""
        self.is_up = False
        _close(self._listening)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if not self.is_up:
                client.close()
                continue
            server = socket.create_connection(self._server)
            self._pairs.append((client, server))
            limit = next(self.limits)
            for source, target, size in ((client, server, 2**63), (server, client, limit)):
                threading.Thread(target=_pass_on, args=(source, target, size), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, limit: int) -> None:
    with contextlib.suppress(OSError):
        while limit > 0 and (data := source.recv(min(limit, 4096))):
            target.sendall(data)
            limit -= len(data)
    _close(source)
    _close(target)


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def proxy_of(uri: str) -> Iterator[Proxy]:
    """Yield a proxy of a server until the block ends."""
    proxy = Proxy(uri)
    try:
        yield proxy
    finally:
        proxy.close()
