"""Values that can go to another process by pickle, or be copied in depth."""

from __future__ import annotations

import copy
import pickle
from dataclasses import fields, is_dataclass, replace
from typing import Any

from .type_guards import is_dict, is_sequence


def portable(value: Any) -> Any:
    """Return a value that pickle can store and load: the value itself where it can.

    What holds other values keeps those that pickle can take; of the rest there is the repr.
    """
    try:
        return _portable(value)
    except RecursionError:  # it holds itself
        return _text(value)


def _portable(value: Any) -> Any:
    if _is_portable(value):
        return value
    if is_dict(value):
        return {_portable(key): _portable(item) for key, item in value.items()}
    if type(value) in (list, tuple) and is_sequence(value):
        return type(value)(map(_portable, value))
    if is_dataclass(value) and not isinstance(value, type):
        return _with_portable_fields(value)
    return _text(value)


def _with_portable_fields(value: Any) -> Any:
    try:
        changed = {field.name: _portable(getattr(value, field.name)) for field in fields(value)}
        copied = replace(value, **changed)
    except Exception:  # a class of the user's, which may refuse anything
        return _text(value)
    return copied if _is_portable(copied) else _text(value)


def _is_portable(value: Any) -> bool:
    try:
        # Loaded too: a class whose values can be stored may fail to load them.
        pickle.loads(pickle.dumps(value))
    except Exception:  # whatever its own methods raise
        return False
    return True


def _text(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # of the user's own __repr__
        return f"<{type(value).__name__}>"


def deeply_copied(value: Any, memo: dict[int, Any]) -> Any:
    """Return a deep copy of a value, or the value itself if it cannot be copied."""
    try:
        return copy.deepcopy(value, memo)
    except Exception:  # whatever its own methods raise
        return value
