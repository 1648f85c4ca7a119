"""A TCP proxy to the server of the test run, which breaks connections on request."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.uri_parser import parse_uri


class Proxy:
    """Forwards bytes between clients and a server.

    Parameters:
        uri: The server's URI.
    """

    def __init__(self, uri: str) -> None:
        (self._server,) = parse_uri(uri)["nodelist"]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.is_up = True
        self.limits: Iterator[int] = itertools.repeat(2**63)
        server_port, proxy_port = self._server[1], self._listener.getsockname()[1]
        options = "directConnection=true&serverSelectionTimeoutMS=300&heartbeatFrequencyMS=500"
        self.uri = f"{uri.replace(f':{server_port}/', f':{proxy_port}/')}&{options}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection."""
        pairs, self._pairs = self._pairs, []
        for end in itertools.chain.from_iterable(pairs):
            _close(end)

    def close(self) -> None:
        """Break every connection and accept no more."""
        self.is_up = False
        _close(self._listener)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self.is_up:
                client.close()
                continue
            server = socket.create_connection(self._server)
            self._pairs.append((client, server))
            limit = next(self.limits)
            for source, target, size in ((client, server, 2**63), (server, client, limit)):
                threading.Thread(target=_forward, args=(source, target, size), daemon=True).start()


def _forward(source: socket.socket, target: socket.socket, limit: int) -> None:
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
    """Yield a proxy to a server until the block ends."""
    proxy = Proxy(uri)
    try:
        yield proxy
    finally:
        proxy.close()
