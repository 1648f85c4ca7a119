"""What codecs need of the configuration of the class that an annotation is in."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, get_origin


class Config(NamedTuple):
    """Some settings of a pydantic configuration.

    Parameters:
        allows_extra: Whether the class allows extra fields.
        uses_enum_values: Whether the values of enums take the place of their members.
    """

    allows_extra: bool = False
    uses_enum_values: bool = False


_DEFAULTS = Config()
_outer: ContextVar[Config] = ContextVar("_outer", default=_DEFAULTS)


def outer_config() -> Config:
    """Return the configuration of the class whose fields get their codecs."""
    return _outer.get()


def config_of(settings: Mapping[str, Any]) -> Config:
    """Return the settings of a pydantic configuration that codecs need."""
    return Config(settings.get("extra") == "allow", bool(settings.get("use_enum_values")))


def config_of_record(annotation: Any) -> Config:
    """Return the configuration of a record: without one, it has that of the class around it."""
    settings = getattr(get_origin(annotation) or annotation, "__pydantic_config__", None)
    return outer_config() if settings is None else config_of(settings)


@contextmanager
def inside(config: Config) -> Generator[None]:
    """Give the annotations in the block the configuration of the class that they are in."""
    token = _outer.set(config)
    try:
        yield
    finally:
        _outer.reset(token)
