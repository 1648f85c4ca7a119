"""A TCP proxy to a server, which can cut its connections or hold back their bytes."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from loom_async._core.mongod.launch import HOST

_SIZE = 65_536


class Proxy:
    """Forwards connections to a server, and cuts or freezes them, in a separate event loop.

    Parameters:
        server: The server's port on localhost.
    """

    def __init__(self, server: int) -> None:
        self.port = 0
        self._server = server
        self._is_cut = False
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def connections(self) -> int:
        """The number of connections from clients."""
        return len(self._writers) // 2

    def freeze(self) -> None:
        """Hold back requests and replies, like a network that drops every packet."""
        self._loop.call_soon_threadsafe(self._requests_pass.clear)
        self.hold_replies()

    def hold_replies(self) -> None:
        """Forward requests to the server, and hold back its replies."""
        self._loop.call_soon_threadsafe(self._replies_pass.clear)

    def thaw(self) -> None:
        """Forward everything again, starting with the bytes that were held back."""
        self._loop.call_soon_threadsafe(self._requests_pass.set)
        self._loop.call_soon_threadsafe(self._replies_pass.set)

    def cut(self) -> None:
        """Break every connection, and each new one immediately."""
        self._is_cut = True
        self._loop.call_soon_threadsafe(self._break_all)

    def restore(self) -> None:
        """Accept connections again."""
        self._is_cut = False

    def run(self, ready: threading.Event) -> None:
        """Run the proxy until `stop` is called."""
        self._loop.run_until_complete(self._serve(ready))
        self._loop.close()

    def stop(self) -> None:
        """Make `run` return."""
        self._loop.call_soon_threadsafe(self._stopping.set)

    async def _serve(self, ready: threading.Event) -> None:
        self._stopping = asyncio.Event()
        self._requests_pass, self._replies_pass = asyncio.Event(), asyncio.Event()
        self.thaw()
        server = await asyncio.start_server(self._accept, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stopping.wait()
        server.close()
        self.thaw()
        self._break_all()
        current = asyncio.current_task()
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not current))

    def _break_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        with suppress(OSError):  # connections are meant to break
            source, target = await asyncio.open_connection(HOST, self._server)
            writers = {writer, target}
            self._writers |= writers
            requests = self._pump(reader, target, self._requests_pass)
            await asyncio.gather(requests, self._pump(source, writer, self._replies_pass))
            self._writers -= writers

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_SIZE):
                await gate.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@contextmanager
def run_proxy(uri: str) -> Iterator[tuple[Proxy, str]]:
    """Yield a proxy to a server, and the URI that connects through it.

    Parameters:
        uri: The URI of a server on localhost.
    """
    before, port, after = re.split(r":(\d+)(?=/)", uri, maxsplit=1)
    proxy, ready = Proxy(int(port)), threading.Event()
    thread = threading.Thread(target=proxy.run, args=(ready,))
    thread.start()
    ready.wait()
    try:
        # Direct, since the driver would otherwise connect to the members of the replica set itself.
        direct = re.sub(r"replicaSet=\w+", "directConnection=true", after)
        yield proxy, f"{before}:{proxy.port}{direct}"
    finally:
        proxy.stop()
        thread.join()
