"""MongoDB URIs: inserts a password, and shows URIs and texts without their passwords.

A malformed URI cannot be parsed, and its password may contain any character. So whatever stands
before the last `@` is not shown; without an `@`, whatever stands after a colon.
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
    """Return a text of the driver with stars in place of the user and password of each URI."""
    return _OTHER_IN_TEXT.sub(rf"\1{_STARS}@", _IN_TEXT.sub(rf"\1{_STARS}@", text))


def shown(uri: str) -> str:
    """Return the parts of a URI that may be shown, however malformed it is.

    Ports are not shown: after a colon there may be a password without its host.
    """
    scheme, credentials, rest = _parts(uri)
    head = f"{scheme}{_STARS}@" if credentials is not None else scheme
    hosts = _HOSTS.match(rest) if scheme else None
    if hosts is not None:
        tail = _cut(_without_secrets(rest[hosts.end() :]), ":")
        return head + _PORT.sub(f":{_ELLIPSIS}", hosts[0]) + tail
    return head + _cut(rest, "[:%]")


def problem(uri: str, error: Exception) -> str:
    """Return why the driver refused a URI, in words that quote no part of its password.

    Parameters:
        uri: The URI.
        error: The driver's error, whose text may quote the URI.
    """
    scheme, credentials, rest = _parts(uri)
    if scheme not in _MONGODB:
        return "it does not begin with mongodb:// or mongodb+srv://"
    hosts = _HOSTS.match(rest)
    if hosts is None:
        return "its hosts are malformed, or a user and password have no @ and host after them"
    if not all(0 < int(port[1:]) < 65536 for port in _PORT.findall(hosts[0])):
        return "a port is not a number from 1 to 65535"
    tail = _without_secrets(rest[hosts.end() :])
    reason = _reason(_PORT.sub(":27017", hosts[0]) + ("" if ":" in tail else tail))
    if reason is not None:
        return reason
    if credentials is not None and _reason(f"{credentials}@host") is not None:
        return "its user or password has characters that must be percent-encoded"
    return f"the driver refuses it, or an option beside it ({type(error).__name__})"


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


def _without_secrets(rest: str) -> str:
    """Return the database and the options of a URI with stars in place of secret options."""
    return _SECRET_OPTION.sub(rf"\1{_STARS}", rest)


def _cut(text: str, pattern: str) -> str:
    """Return a text up to the first match of a pattern, with an ellipsis in place of the rest."""
    pieces = re.split(pattern, text, maxsplit=1)
    return pieces[0] + (_ELLIPSIS if len(pieces) > 1 else "")


def _reason(rest: str) -> str | None:
    """Return why `mongodb://` with this text is not a valid URI; None if it is."""
    try:
        parse_uri(f"mongodb://{rest}", warn=True)  # with mongodb+srv it would query the DNS
    except Exception as error:  # also a warning, if warnings are errors
        return str(error)
    return None


def with_secret(uri: str, secret: str) -> str:
    """Return the URI with a password inserted, percent-encoded.

    Raises:
        ConfigurationError: The URI names no user, or the password is not valid Unicode.
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
            "LOOM_REMOTE_SECRET is not valid Unicode", hint="MongoDB takes passwords in UTF-8"
        )
    return f"{scheme}://{user}:{quote(secret, safe='')}@{hosts}{rest.removeprefix(authority)}"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
