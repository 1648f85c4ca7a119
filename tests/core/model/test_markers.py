"""Markers of annotations: values filled in at a write, and normalised values."""

from __future__ import annotations

from typing import Annotated

import loom_async as lm
from tests.core.storing import NOW, stored_and_loaded


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
