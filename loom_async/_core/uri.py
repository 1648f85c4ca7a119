"""MongoDB URIs: a password put in, and kept out of every text.

A malformed URI cannot be parsed, and its password may hold any character. If an `@` follows, the
password ends before the last `@` of the text; if none does, it comes after a colon. Neither part is
shown.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from pymongo.uri_parser import parse_uri

from .errors import ConfigurationError

_MONGODB = ("mongodb://", "mongodb+srv://")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_IN_TEXT = re.compile(r"(mongodb(?:\+srv)?://).*@", re.IGNORECASE | re.DOTALL)
_OTHER_IN_TEXT = re.compile(r"(\w+(?:\+\w+)?://)[^\s'\"]*@")
_PORT = re.compile(r":\d{1,5}(?![^,/?])")
_HOST = r"(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?"
_HOSTS = re.compile(rf"{_HOST}(?:,{_HOST})*(?=[/?]|\Z)", re.IGNORECASE)
_SECRET_OPTION = re.compile(r"((?:password|authmechanismproperties)=)[^&;]*", re.IGNORECASE)
_STARS, _ELLIPSIS = "***", "…"


def redacted(text: str) -> str:
    """Return a text of the driver in which the user and password of any URI are starred out."""
    return _OTHER_IN_TEXT.sub(rf"\1{_STARS}@", _IN_TEXT.sub(rf"\1{_STARS}@", text))


def shown(uri: str) -> str:
    """Return what may be shown of a URI, however malformed it is.

    What stands behind a colon may be a port, or a password that lacks its host.
    """
    scheme, credentials, rest = _parts(uri)
    head = f"{scheme}{_STARS}@" if credentials is not None else scheme
    hosts = _HOSTS.match(rest) if scheme else None
    if hosts is not None:
        return head + _PORT.sub(f":{_ELLIPSIS}", hosts[0]) + _cut(_public(rest[hosts.end() :]), ":")
    return head + _cut(rest, "[:%]")


def problem(uri: str, error: Exception) -> str:
    """Return why the driver has refused a URI, in words that quote nothing of its password.

    Parameters:
        uri: The URI.
        error: What the driver has raised; its text may quote the URI.
    """
    scheme, credentials, rest = _parts(uri)
    if scheme not in _MONGODB:
        return "it does not begin with mongodb:// or mongodb+srv://"
    hosts = _HOSTS.match(rest)
    if hosts is None:
        return "its hosts are malformed, or a user and password have no @ and host behind them"
    if not all(0 < int(port[1:]) < 65536 for port in _PORT.findall(hosts[0])):
        return "a port is no number from 1 to 65535"
    tail = _public(rest[hosts.end() :])
    reason = _reason(_PORT.sub(":27017", hosts[0]) + ("" if ":" in tail else tail))
    if reason is not None:
        return reason
    if credentials is not None and _reason(f"{credentials}@host") is not None:
        return "its user or password has characters that must be percent-encoded"
    return f"the driver refuses it or an option beside it ({type(error).__name__})"


def _parts(uri: str) -> tuple[str, str | None, str]:
    """Return the scheme of a URI, its user and password, and the rest.

    The scheme is empty if there is none, and the credentials are None.
    """
    found = _SCHEME.match(uri)
    scheme = found[0] if found else ""
    credentials, at, rest = uri[len(scheme) :].rpartition("@")
    if at or scheme in _MONGODB:
        return scheme, credentials if at else None, rest
    return "", None, uri


def _public(rest: str) -> str:
    """Return the hosts, the database and the options of a URI without the secrets among them."""
    return _SECRET_OPTION.sub(rf"\1{_STARS}", rest)


def _cut(text: str, pattern: str) -> str:
    """Return a text up to what a pattern matches first."""
    visible = re.split(pattern, text, maxsplit=1)
    return visible[0] + (_ELLIPSIS if len(visible) > 1 else "")


def _reason(rest: str) -> str | None:
    """Return what is wrong with a URI that consists of this; None if nothing is."""
    try:
        parse_uri(f"mongodb://{rest}", warn=True)  # of mongodb+srv it would ask the DNS
    except Exception as error:  # also warnings, where these are errors
        return str(error)
    return None


def with_secret(uri: str, secret: str) -> str:
    """Return the URI with the password put in, percent-encoded.

    Raises:
        ConfigurationError: The URI names no user to whom the password could belong, or the password
            is no valid Unicode.
    """
    scheme, separator, rest = uri.partition("://")
    authority = re.split("[/?]", rest, maxsplit=1)[0]
    credentials, at, hosts = authority.rpartition("@")
    user = credentials.partition(":")[0]
    if not (separator and at and user):
        raise ConfigurationError(
            "LOOM_REMOTE_SECRET is set, but LOOM_REMOTE_URI names no user",
            hint="write LOOM_REMOTE_URI as mongodb://user@host/…",
        )
    if not _is_unicode(secret):
        raise ConfigurationError(
            "LOOM_REMOTE_SECRET is no valid Unicode", hint="MongoDB takes passwords in UTF-8"
        )
    return f"{scheme}://{user}:{quote(secret, safe='')}@{hosts}{rest.removeprefix(authority)}"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
