"""Values of numpy and pandas as Python's; neither library is imported here."""

from __future__ import annotations

from typing import Any

from ..errors import EncodingError

_LIBRARIES = ("numpy", "pandas")
_NULLS = ("NaTType", "NAType")


def is_foreign(kind: type[Any]) -> bool:
    """Say whether a class belongs to numpy or pandas."""
    return kind.__module__.partition(".")[0] in _LIBRARIES


def to_python(value: Any) -> Any:
    """Return a value of numpy or pandas as Python's: NaT and NA as None, an array as a list.

    Other values are returned unchanged.

    Raises:
        EncodingError: It is a time that Python's datetime cannot hold.
    """
    kind: type[Any] = type(value)  # pyright: ignore[reportUnknownVariableType]
    if not is_foreign(kind):
        return value
    if kind.__name__ in _NULLS:
        return None
    if hasattr(value, "to_pydatetime") and hasattr(value, "nanosecond"):
        return value.to_pydatetime(warn=False)
    if hasattr(value, "to_pytimedelta") and hasattr(value, "nanoseconds"):
        return value.to_pytimedelta()
    if getattr(value, "ndim", None) == 1:
        return [to_python(item) for item in value]
    return _numpy_scalar(value) if hasattr(value, "item") and hasattr(value, "dtype") else value


def _numpy_scalar(value: Any) -> Any:
    if value.ndim:  # an array of arrays, or a frame
        return [to_python(item) for item in value] if hasattr(value, "tolist") else value
    if value.dtype.kind not in "mM":
        item = value.item()
        return float(item) if type(item) is type(value) and value.dtype.kind == "f" else item
    # In nanoseconds, item() returns an integer.
    name = "datetime64" if value.dtype.kind == "M" else "timedelta64"
    item = value.astype(f"{name}[us]").item()
    if isinstance(item, int):
        raise EncodingError(f"{value!r} is outside of the years 1 to 9999", path="")
    return item
