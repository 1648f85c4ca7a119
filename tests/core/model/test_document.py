"""The base class of persistable models."""

from __future__ import annotations

import datetime as dt

import loom_async as lm

NOW = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def test_json_and_its_schema_name_the_id_field_id() -> None:
    class User(lm.Persistable):
        name: str

    user = User(name="a")
    assert user.model_dump(mode="json")["id"] == str(user.id)
    assert User.model_validate_json(user.model_dump_json()) == user
    for mode in ("validation", "serialization"):
        properties = User.model_json_schema(mode=mode)["properties"]  # type: ignore[arg-type]
        assert "id" in properties
        assert "_id" not in properties
