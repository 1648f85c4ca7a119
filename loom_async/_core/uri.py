"""MongoDB URIs: a password put in, and kept out of every text."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from .errors import ConfigurationError


def redacted(text: str) -> str:
    """Return a text in which the user and password of any URI are starred out."""
    return re.sub(r"(\w+(?:\+\w+)?://)[^\s'\"]*@", r"\1***@", text)


def with_secret(uri: str, secret: str) -> str:
    """Return the URI with the password put in, percent-encoded.

    Raises:
        ConfigurationError: The URI names no user to whom the password could belong.
    """
    parts = urlsplit(uri)
    credentials, _, hosts = parts.netloc.rpartition("@")
    user = credentials.partition(":")[0]
    if not user:
        raise ConfigurationError(
            "LOOM_REMOTE_SECRET is set, but LOOM_REMOTE_URI names no user",
            hint="write LOOM_REMOTE_URI as mongodb://user@host/…",
        )
    rest = uri.split(parts.netloc, 1)[1]
    return f"{parts.scheme}://{user}:{quote(secret, safe='')}@{hosts}{rest}"
