"""Ledgers: models whose documents are inserted, and never changed or deleted."""

from __future__ import annotations

from typing import Any

from ..errors import LedgerIsAppendOnly


def is_append_only(model: type[Any]) -> bool:
    """Say whether every write of a model inserts a document."""
    return bool(getattr(model, "__loom_append_only__", False))


def refuse_change(model: type[Any], action: str) -> None:
    """Raise an error if a model is a ledger, for a method that changes documents.

    Parameters:
        model: The model of the documents.
        action: The name of the method: "delete".

    Raises:
        LedgerIsAppendOnly: The model is a ledger; nothing has been sent.
    """
    if is_append_only(model):
        raise LedgerIsAppendOnly(
            f"{model.__name__} is a ledger, whose documents never change: {action}() is refused",
            hint="persist() inserts a new version, history() returns the earlier ones",
        )
