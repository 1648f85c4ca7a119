"""Makes values that pickle can send to another process, and deep copies."""

from __future__ import annotations

import copy
import pickle
from dataclasses import fields, is_dataclass, replace
from typing import Any

from .type_guards import is_dict, is_sequence


def picklable(value: Any) -> Any:
    """Return the value if pickle can store and load it, and a picklable replacement otherwise.

    In a container or a dataclass only the items that cannot be pickled are replaced, by their repr.
    """
    try:
        return _picklable(value)
    except RecursionError:  # it contains itself
        return _repr(value)


def _picklable(value: Any) -> Any:
    if _is_picklable(value):
        return value
    if is_dict(value):
        return {_picklable(key): _picklable(item) for key, item in value.items()}
    if type(value) in (list, tuple) and is_sequence(value):
        return type(value)(map(_picklable, value))
    if is_dataclass(value) and not isinstance(value, type):
        return _with_picklable_fields(value)
    return _repr(value)


def _with_picklable_fields(value: Any) -> Any:
    try:
        changed = {field.name: _picklable(getattr(value, field.name)) for field in fields(value)}
        copied = replace(value, **changed)
    except Exception:  # raised by a user's class, which may refuse these values
        return _repr(value)
    return copied if _is_picklable(copied) else _repr(value)


def _is_picklable(value: Any) -> bool:
    try:
        # Loaded too: some values can be stored but not loaded.
        pickle.loads(pickle.dumps(value))
    except Exception:  # raised by methods of the value's class
        return False
    return True


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # raised by a user's __repr__
        return f"<{type(value).__name__}>"


def deeply_copied(value: Any, memo: dict[int, Any]) -> Any:
    """Return a deep copy of a value, or the value itself if it cannot be copied."""
    try:
        return copy.deepcopy(value, memo)
    except Exception:  # raised by methods of the value's class
        return value
