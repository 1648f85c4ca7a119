"""Which cursors a server has open."""

from __future__ import annotations

from typing import Any


def open_cursors(database: str) -> list[dict[str, Any]]:
    """Return the stages that find the change streams of a database, idle or waiting."""
    return [
        {"$currentOp": {"idleCursors": True, "allUsers": True}},
        {"$match": {"cursor.tailable": True, "ns": {"$regex": f"^{database}\\."}}},
    ]
