"""Fields that validation leaves as they are stored."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

import loom_async as lm
from loom_async._core.clock import now
from loom_async._core.model.codecs import model_codec
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.plain_fields import plain_fields
from loom_async._core.model.write_plan import Modification, plan_persist


class Fields(BaseModel):
    a: int
    b: float = 1.0
    c: bool | None = None
    d: Annotated[str, Field(min_length=1)] = Field(default="x", validation_alias="stored_d")
    e: datetime | None = None
    list_: list[int] = []
    either: int | str = 0
    upper: Annotated[str, AfterValidator(str.upper)] = ""
    stripped: Annotated[str, StringConstraints(strip_whitespace=True)] = ""
    checked: int = 0

    @field_validator("checked")
    @classmethod
    def check(cls, value: int) -> int:
        return min(value, 9)


class Checked(Fields):
    @model_validator(mode="after")
    def check_all(self) -> Checked:
        return self


class After(Fields):
    def model_post_init(self, context: Any) -> None:
        self.a = 1


class Lower(Fields):
    model_config = ConfigDict(str_to_lower=True)


class Open(Fields):
    model_config = ConfigDict(extra="allow")


class Made(Fields):
    def __init__(self, **values: Any) -> None:
        super().__init__(**values)


def test_plain_fields() -> None:
    assert plain_fields(Fields) == {"a": int, "b": float, "c": bool, "d": str, "e": datetime}


@pytest.mark.parametrize("model", [Checked, After, Lower, Open, Made])
def test_models_whose_functions_may_change_any_field_have_none(model: type[BaseModel]) -> None:
    assert plain_fields(model) == {}


class Person(lm.Persistable):
    name: lm.StrLower
    nick: Annotated[str, AfterValidator(str.upper)] = ""
    age: Annotated[int, Field(validation_alias="years")] = 0
    visits: lm.IncrCounter = 0
    seen: datetime | None = None


def test_stored_names_and_normalised_fields() -> None:
    plain = model_codec(Person).plain
    assert plain == {
        "years": int, "visits": int, "seen": datetime,
        "created_at": datetime, "updated_time": datetime,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("stored", "edit", "expected"),
    [
        # What validation makes of a stored value is no edit.
        ({"name": "ANN", "nick": "a"}, {"age": 1}, {"years": 1}),
        ({"name": "ann", "years": 7.0}, {"visits": 2}, {"visits": 2}),
        ({"name": "ann", "years": "7"}, {"age": 7}, None),
        ({"name": "ann", "years": 7}, {"age": 8}, {"years": 8}),
        # The assigned value is stored already.
        ({"name": "ann", "nick": "A"}, {"nick": "a"}, None),
        ({"name": "ann"}, {"age": 0}, None),
    ],
)
def test_an_update_has_the_edits_alone(
    stored: dict[str, Any], edit: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    moment = now()
    base = {"_id": lm.PyObjectId(), "created_at": moment, "updated_time": moment, "visits": 1}
    person = hydrator(Person).one(base | stored)
    for name, value in edit.items():
        setattr(person, name, value)
    plan = plan_persist(person, moment)
    if expected is None:
        assert plan is None
        return
    assert isinstance(plan, Modification)
    sent = dict(plan.update.get("$set", {})) | {
        name: 1 + by for name, by in plan.update.get("$inc", {}).items()
    }
    sent.pop("updated_time")
    assert sent == expected
