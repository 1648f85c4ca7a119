"""The embedded server that operations use if no URI is configured."""

from __future__ import annotations

from .._core.errors import ConfigurationError
from .._core.mongod.fallback_notice import log_fallback
from .._core.settings import setting, settings
from .embedded_server import Lease, start_embedded


async def start_embedded_fallback() -> Lease:
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
    lease = await start_embedded(settings().data_dir)
    log_fallback(lease.directory)
    return lease
