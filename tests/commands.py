"""The commands that clients send to the server, recorded by pymongo's command monitoring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import monitoring

from loom_async._core.bson_codec import decode_bson, encode_bson


class _Recorder(monitoring.CommandListener):
    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.commands.append(decode_bson(encode_bson(event.command)))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Record nothing."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Record nothing."""


recorder = _Recorder()


@contextmanager
def commands_of(client: Any, name: str | None = None) -> Iterator[list[dict[str, Any]]]:
    """Collect the commands that are sent inside the block, or those with one name."""
    before = len(recorder.commands)
    sent: list[dict[str, Any]] = []
    yield sent
    started = recorder.commands[before:]
    sent.extend(c for c in started if name is None or next(iter(c), None) == name)
