"""Settings: names, defaults, and their order: context, `configure`, environment, default."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from .errors import ConfigurationError


class Settings(BaseSettings):
    """All settings; each field but `clock` can be set as `LOOM_<NAME>` in the environment.

    Example:
        >>> import loom_async as lm
        >>> lm.settings().server_timeout
        30.0
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="LOOM_", frozen=True, extra="forbid", validate_default=True
    )

    uri: SecretStr | None = Field(
        default=None, description="The URI of the server; unset: the embedded server."
    )
    remote_uri: SecretStr | None = Field(
        default=None, description="The URI of the server for models with `remote_db=True`."
    )
    remote_secret: SecretStr | None = Field(
        default=None,
        description="The password of `remote_uri`, not percent-encoded: Loom does that.",
    )
    embedded: Literal["auto", "never"] = Field(
        default="auto",
        description='"never": without `uri`, operations raise an error and start no server.',
    )
    data_dir: Path | None = Field(
        default=None,
        description="Data of the embedded server; unset: the user's data directory.",
    )
    mongod: Path | None = Field(
        default=None, description="The mongod that the embedded server runs."
    )
    embedded_cache_gb: float = Field(
        default=1.0, ge=0.25, description="Memory for the embedded server's cache, in GB."
    )
    server_timeout: float = Field(
        default=30.0, gt=0, description="Seconds to wait for a server that accepts an operation."
    )
    transaction_timeout: float = Field(
        default=120.0,
        gt=0,
        description="Seconds to retry a transaction, and to wait for an object that one holds.",
    )
    grouping: bool = Field(
        default=True,
        description="Batch loads by id and saves that many tasks start at the same time.",
    )
    arrow_workers: int = Field(
        default=2, ge=1, description="Threads that decode Arrow tables, per event loop."
    )
    progress: bool = Field(
        default=False, description="Show a progress bar for long operations on frames."
    )
    clock: Callable[[], datetime] | None = Field(
        default=None, description="Function that returns the time for `TimeInserted` and the like."
    )


_VARIABLES = tuple(f"LOOM_{name.upper()}" for name in Settings.model_fields)
_configured: dict[str, Any] = {}
_context: ContextVar[dict[str, Any]] = ContextVar("loom_settings", default={})  # noqa: B039
_generation = 0
# Building settings takes half a millisecond, comparing this key a few microseconds.
_cached: tuple[tuple[object, ...], dict[str, Any], Settings] | None = None


def settings() -> Settings:
    """Return the settings in force.

    Returns:
        An immutable `Settings`.

    Raises:
        ConfigurationError: A `LOOM_` variable has a value that its setting does not accept.

    Example:
        >>> import loom_async as lm
        >>> lm.settings().embedded_cache_gb
        1.0
    """
    global _cached
    key = (_generation, id(_context.get()), *map(os.environ.get, _VARIABLES))
    if _cached is None or _cached[0] != key:
        # The context's dict is kept beside the key, so that no other dict can get its id.
        _cached = (key, _context.get(), _build(_configured | _context.get()))
    return _cached[2]


_cached_values: dict[str, tuple[tuple[object, ...], dict[str, Any], Any]] = {}


def setting(name: str) -> Any:
    """Return one setting in force; faster than `settings`, since it reads one variable only.

    Raises:
        ConfigurationError: A `LOOM_` variable has a value that its setting does not accept.
    """
    key = (_generation, id(_context.get()), os.environ.get(f"LOOM_{name.upper()}"))
    cached = _cached_values.get(name)
    if cached is None or cached[0] != key:
        cached = _cached_values[name] = (key, _context.get(), getattr(settings(), name))
    return cached[2]


def clock() -> Callable[[], datetime] | None:
    """Return the setting `clock`, which can be set in code only, not in the environment."""
    value: Callable[[], datetime] | None = _context.get().get("clock", _configured.get("clock"))
    return value


def configure(**values: Any) -> None:
    """Set settings for the whole process; they override the environment.

    Parameters:
        **values: Settings by name; None is a value and does not unset a setting.

    Raises:
        ConfigurationError: A name is unknown or a value is not accepted; nothing is changed.

    Example:
        >>> import loom_async as lm
        >>> lm.configure(server_timeout=30)
    """
    global _generation
    _build(_configured | values)
    _configured.update(values)
    _generation += 1


@contextmanager
def config_context(**values: Any) -> Generator[Settings]:
    """Set settings for the current task or thread until the block ends.

    Parameters:
        **values: Settings by name.

    Yields:
        The settings in force inside the block.

    Raises:
        ConfigurationError: A name is unknown or a value is not accepted.

    Example:
        >>> import loom_async as lm
        >>> with lm.config_context(server_timeout=5) as inside:
        ...     inside.server_timeout
        5.0
    """
    merged = _context.get() | values
    built = _build(_configured | merged)
    token = _context.set(merged)
    try:
        yield built
    finally:
        _context.reset(token)


def _build(values: dict[str, Any]) -> Settings:
    for name in values:
        if name not in Settings.model_fields:
            similar = difflib.get_close_matches(name, Settings.model_fields, 1)
            names = ", ".join(Settings.model_fields)
            raise ConfigurationError(
                f"there is no setting {name!r}",
                hint=f"did you mean {similar[0]!r}?" if similar else f"the settings are {names}",
            )
    try:
        return Settings(**values)
    except ValidationError as error:
        reasons = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    # Outside the handler, so that pydantic's error is not chained: it has the values, and one of
    # them may be a password.
    raise ConfigurationError(f"a setting is not accepted: {reasons}")
