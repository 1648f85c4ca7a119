"""Models whose documents are never changed or deleted once they are there."""

from __future__ import annotations

from typing import Any

from ..errors import LedgerIsAppendOnly


def is_append_only(model: type[Any]) -> bool:
    """Say whether every write of a model is a new document."""
    return bool(getattr(model, "__loom_append_only__", False))


def refuse_change(model: type[Any], action: str) -> None:
    """Let an action pass that changes documents, unless the model is a ledger.

    Parameters:
        model: Whose documents it changes.
        action: What it would do: "delete".

    Raises:
        LedgerIsAppendOnly: The model is a ledger; nothing has been sent.
    """
    if is_append_only(model):
        raise LedgerIsAppendOnly(
            f"{model.__name__} is a ledger, which {action}() would change: what is recorded stays",
            hint="persist() records a new version, history() gives the earlier ones",
        )
