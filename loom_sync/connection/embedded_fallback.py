# Generated from loom_async/connection/embedded_fallback.py by `nox -s sync`: edit that file.
"""The embedded server that operations use if no URI is configured."""

from __future__ import annotations

from loom_async._core.errors import ConfigurationError
from loom_async._core.mongod.fallback_notice import log_fallback
from loom_async._core.settings import setting, settings

from .embedded_server import Lease, start_embedded


def start_embedded_fallback() -> Lease:
    """Return a lease of the embedded server in the configured data directory.

    Raises:
        ConfigurationError: The setting `embedded` is "never", or there is no mongod.
        EmbeddedServerError: The server did not become ready.
    """
    if setting("embedded") == "never":
        raise ConfigurationError(
            "no server is configured: LOOM_URI is not set, and LOOM_EMBEDDED=never turns the "
            "embedded server off",
            hint="set LOOM_URI, or lm.configure(uri=…); in code, lm.connect(uri) names a server "
            "and lm.embedded() starts one",
        )
    lease = start_embedded(settings().data_dir)
    log_fallback(lease.directory)
    return lease
