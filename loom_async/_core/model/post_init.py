"""Runs the methods of users' classes that run after `__init__`, when stored objects are loaded.

They run for the attributes that are no fields. A field that is stored has its stored value
afterwards: it was stored after the method had run, and to run it again may change the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from bson import ObjectId

from ..picklable import deeply_copied
from ..types.equality import is_same

_ABSENT = object()
# Types whose values no method can change.
_IMMUTABLE = frozenset(
    {str, int, bool, float, bytes, type(None), ObjectId, datetime, date, Decimal, UUID}
)


def run_post_init(target: Any, stored: Iterable[str], run: Callable[[], Any]) -> None:
    """Run a method that may change an object, and undo its changes to the stored fields.

    Parameters:
        target: The object.
        stored: The names of the fields that are stored.
        run: Runs the method.
    """
    before = {name: _copied(getattr(target, name)) for name in stored if hasattr(target, name)}
    run()
    for name, value in before.items():
        present = getattr(target, name, _ABSENT)
        if present is not value and not (type(present) is type(value) and is_same(present, value)):
            object.__setattr__(target, name, value)


def _copied(value: Any) -> Any:
    return value if type(value) in _IMMUTABLE else deeply_copied(value, {})
