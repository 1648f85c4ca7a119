"""Settings: argument, then context, then `configure`, then environment, then default."""

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
    """The settings in force; every field can be set as `LOOM_<NAME>` in the environment.

    Example:
        >>> import loom_async as lm
        >>> lm.settings().server_timeout
        30.0
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="LOOM_", frozen=True, extra="forbid", validate_default=True
    )

    uri: SecretStr | None = Field(
        default=None, description="Where models live; unset: the embedded server."
    )
    remote_uri: SecretStr | None = Field(
        default=None, description="Where models declared with `remote_db=True` live."
    )
    remote_secret: SecretStr | None = Field(
        default=None, description="The password of `remote_uri`, as it is: Loom percent-encodes it."
    )
    embedded: Literal["auto", "never"] = Field(
        default="auto",
        description='"never": without `uri` an operation is an error, and starts no server.',
    )
    data_dir: Path | None = Field(
        default=None, description="Data of the embedded server; unset: the user's data directory."
    )
    mongod: Path | None = Field(
        default=None, description="The mongod that the embedded server runs."
    )
    embedded_cache_gb: float = Field(
        default=1.0, ge=0.25, description="Memory for the embedded server's cache, in GB."
    )
    server_timeout: float = Field(
        default=30.0, gt=0, description="Seconds to wait for a server that can take an operation."
    )
    transaction_timeout: float = Field(
        default=120.0, gt=0, description="Seconds for which a transaction is run again."
    )
    grouping: bool = Field(
        default=True,
        description="Send loads by id and saves together when many tasks begin them at once.",
    )
    arrow_workers: int = Field(
        default=2, ge=1, description="Threads that decode Arrow tables at once in an event loop."
    )
    progress: bool = Field(
        default=False, description="Show a progress bar for long work with frames."
    )
    clock: Callable[[], datetime] | None = Field(
        default=None, description="Zero-argument clock for `TimeInserted` and `TimeUpdated`."
    )


_VARIABLES = tuple(f"LOOM_{name.upper()}" for name in Settings.model_fields)
_configured: dict[str, Any] = {}
_context: ContextVar[dict[str, Any]] = ContextVar("loom_settings", default={})  # noqa: B039
_generation = 0
# Building settings takes half a millisecond, comparing the key a few microseconds.
_cached: tuple[tuple[object, ...], dict[str, Any], Settings] | None = None


def settings() -> Settings:
    """Return the settings in force here and now.

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
        # The context's dict is kept beside the key, so that its id cannot be given to another.
        _cached = (key, _context.get(), _build(_configured | _context.get()))
    return _cached[2]


_cached_values: dict[str, tuple[tuple[object, ...], dict[str, Any], Any]] = {}


def setting(name: str) -> Any:
    """Return one of the settings in force, without asking for the variables of all the others.

    Raises:
        ConfigurationError: A `LOOM_` variable has a value that its setting does not accept.
    """
    key = (_generation, id(_context.get()), os.environ.get(f"LOOM_{name.upper()}"))
    known = _cached_values.get(name)
    if known is None or known[0] != key:
        known = _cached_values[name] = (key, _context.get(), getattr(settings(), name))
    return known[2]


def clock() -> Callable[[], datetime] | None:
    """Return the clock in force; it is set in code alone, so the environment is not asked."""
    chosen: Callable[[], datetime] | None = _context.get().get("clock", _configured.get("clock"))
    return chosen


def configure(**values: Any) -> None:
    """Set settings for the whole process, over the environment.

    Parameters:
        **values: Settings by name; `None` as a value sets None, it does not unset.

    Raises:
        ConfigurationError: A name is unknown or a value is not accepted; nothing was changed.

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
            near = difflib.get_close_matches(name, Settings.model_fields, 1)
            known = ", ".join(Settings.model_fields)
            raise ConfigurationError(
                f"there is no setting {name!r}",
                hint=f"did you mean {near[0]!r}?" if near else f"the settings are {known}",
            )
    try:
        return Settings(**values)
    except ValidationError as error:
        reasons = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    # Outside the handler: the values stay out of the text, the cause and the context, since one of
    # them may be a password.
    raise ConfigurationError(f"a setting is not accepted: {reasons}")
