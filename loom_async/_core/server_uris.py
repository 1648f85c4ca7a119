"""The URIs of the servers that the settings name."""

from __future__ import annotations

from pydantic import SecretStr

from .errors import ConfigurationError
from .settings import setting
from .uri import with_secret


def local_uri() -> str | None:
    """Return the URI of the setting `uri`; None means the embedded server."""
    uri: SecretStr | None = setting("uri")
    return None if uri is None else uri.get_secret_value()


def remote_uri() -> str:
    """Return the URI for models with `remote_db=True`, with its password.

    Raises:
        ConfigurationError: The setting `remote_uri` is not set.
    """
    uri: SecretStr | None = setting("remote_uri")
    secret: SecretStr | None = setting("remote_secret")
    if uri is None:
        raise ConfigurationError(
            "no remote server is configured",
            hint="set LOOM_REMOTE_URI, or lm.configure(remote_uri=…)",
        )
    text = uri.get_secret_value()
    return text if secret is None else with_secret(text, secret.get_secret_value())
