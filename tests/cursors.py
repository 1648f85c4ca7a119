"""Find the open cursors of a server."""

from __future__ import annotations

from typing import Any


def open_cursors(database: str) -> list[dict[str, Any]]:
    """Return the stages that find the change stream cursors of a database."""
    return [
        {"$currentOp": {"idleCursors": True, "allUsers": True}},
        {"$match": {"cursor.tailable": True, "ns": {"$regex": f"^{database}\\."}}},
    ]
