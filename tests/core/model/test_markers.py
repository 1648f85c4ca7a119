"""Markers of annotations: values filled in at a write, and normalised values."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import loom_async as lm
from loom_async._core.model.absorb import absorb_insertion
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.write_plan import plan_persist

NOW = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def stored_and_loaded(document: Any) -> Any:
    plan = plan_persist(document, NOW)
    absorb_insertion(document, plan)  # type: ignore[arg-type]
    return hydrator(type(document)).many(plan.raw)[0]  # type: ignore[union-attr]


def test_marked_fields_are_optional_and_filled_in_or_normalised_at_the_insertion() -> None:
    class Thing(lm.PersistableBase):
        made: lm.TimeInserted
        names: list[lm.StrUpper]
        maybe: lm.StrLower | None = None
        trimmed: Annotated[str, lm.NormalizeValue(str.strip)] = " x "
        serial: Annotated[str, lm.CoalesceOnInsert(lambda: "made up")]

    thing = Thing(names=["a"], maybe="B")  # type: ignore[call-arg]
    thing.names.append("b")
    loaded = stored_and_loaded(thing)
    assert loaded.names == ["A", "B"] == thing.names
    assert loaded.maybe == "b"
    assert loaded.made == NOW == thing.made
    assert loaded.serial == "made up"
