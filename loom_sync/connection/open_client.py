# Generated from loom_async/connection/open_client.py by `nox -s sync`: edit that file.
"""Opens and closes clients, and asks what servers they are connected to."""

from __future__ import annotations

from typing import Any

from pymongo import timeout
from pymongo.errors import PyMongoError

from loom_async._core.errors import ConfigurationError
from loom_async._core.settings import settings
from loom_async._core.uri import problem, shown

from .driver_types import Client
from .drop_reporting import drop_reporting_client

# Closing must not wait long for a server that does not answer.
_SECONDS_TO_CLOSE = 2.0


def open_client(uri: str, **options: Any) -> Client:
    """Return a client with Loom's codec options and time limits.

    Raises:
        ConfigurationError: The URI is malformed; no part of the error shows its password.
    """
    defaults: dict[str, Any] = {"tz_aware": True, "uuidRepresentation": "standard"}
    if "serverselectiontimeoutms" not in uri.lower():
        defaults["serverSelectionTimeoutMS"] = int(settings().server_timeout * 1000)
    try:
        return drop_reporting_client(uri, **(defaults | options))
    except (PyMongoError, ValueError, TypeError) as error:
        reason = problem(uri, error)
    # Outside the handler, so that the driver's own text, which may quote the URI, is not chained.
    raise ConfigurationError(
        f"the URI {shown(uri)!r} cannot be used: {reason}",
        hint="mongodb://user:password@host:port/?options, user and password percent-encoded",
    )


def close_client(client: Client) -> None:
    """Close a client, without waiting long for a server that does not answer.

    pymongo tells the server which sessions have ended, and would wait for it as long as an
    operation may take.
    """
    with timeout(_SECONDS_TO_CLOSE):
        client.close()


def server_kinds(client: Client) -> set[str]:
    """Return the kinds of a client's servers, as the driver names them; at least one is known."""
    if _known_kinds(client) <= {"Unknown"}:
        client.admin.command("ping")
    return _known_kinds(client)


def _known_kinds(client: Client) -> set[str]:
    servers = client.topology_description.server_descriptions().values()
    return {server.server_type_name for server in servers}
