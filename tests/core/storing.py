"""Storing and loading objects without a server, and types of their fields."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from loom_async._core.model.absorb import absorb_insertion
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.write_plan import Insertion, plan_persist

NOW = datetime(2024, 1, 1, tzinfo=UTC)


class Mode(enum.Enum):
    ON = "on"
    OFF = "off"


class Point(BaseModel):
    x: float
    label: str | None = None


def stored_and_loaded(document: Any) -> Any:
    """Insert an object at the time NOW; return the object of its document."""
    plan = plan_persist(document, NOW)
    assert isinstance(plan, Insertion)
    absorb_insertion(document, plan)
    return hydrator(type(document)).many(plan.raw)[0]
