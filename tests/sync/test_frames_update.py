# Generated from tests/aio/test_frames_update.py by `nox -s sync`: edit that file.
"""update_dataframe: rows update documents, and are validated as the model validates."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

import loom_sync as lm
from loom_sync import fld
from tests.sync.frame_rows import Person, as_pandas

pytestmark = pytest.mark.usefixtures("db")


def test_update_dataframe() -> None:
    Person.insert_dataframe(as_pandas())
    before = Person.filter(fld["email"] == "ann@x.org").load_one()
    frame = pd.DataFrame({"email": ["ANN@x.org", "new@x.org"], "age": [31, 1], "name": ["A", "N"]})
    result = Person.update_dataframe(frame, on=["email"])
    assert result == lm.UpdateResult(matched=1, modified=1, inserted=0, errors=[])
    result = Person.update_dataframe(frame, on=["email"], upsert=True)
    assert (result.matched, result.inserted) == (1, 1)
    ann = Person.filter(fld["email"] == "ann@x.org").load_one()
    new = Person.filter(fld["email"] == "new@x.org").load_one()
    assert before is not None
    assert ann is not None
    assert new is not None
    assert (ann.name, ann.age, ann.tags, ann.created_at) == ("A", 31, ["a"], before.created_at)
    assert ann.updated_time > before.updated_time
    assert new.created_at is not None
    frame = Person.filter(fld["name"] == "Bea").load_dataframe()
    frame["years"] = 44
    assert Person.update_dataframe(frame).modified == 1
    assert Person.filter(fld["age"] == 44).count() == 1


@pytest.mark.usefixtures("small_chunks")
def test_updates_that_are_refused() -> None:
    Person.insert_dataframe(as_pandas())
    frame = as_pandas()[["email", "name"]].astype(object)
    with pytest.raises(lm.FrameError, match="no column id, by which"):
        Person.update_dataframe(frame)
    odd = frame.copy()
    odd.loc[2, "name"] = 5
    with pytest.raises(
        lm.FrameError, match="row 2, name: Input should be a valid string"
    ) as caught:
        Person.update_dataframe(odd, on=["email"])
    assert caught.value.written == [range(2)]
    result = Person.update_dataframe(odd, on=["email"], on_error="skip")
    assert (result.matched, [e.row for e in result.errors]) == (2, [2])
    odd = frame.assign(email=["ann@x.org", None, "ANN@X.ORG"])
    result = Person.update_dataframe(odd, on=["email"], on_error="skip")
    assert [(e.row, e.reason) for e in result.errors] == [
        (1, "Input should be a valid string"), (2, "row 0 has the same key"),
    ]  # fmt: skip


class Zoned(BaseModel):
    zip: int = Field(validation_alias="ZIP")


@lm.declare_persist_db("shop", "strict")
class Strict(lm.PersistableBase):
    model_config = ConfigDict(str_to_lower=True, extra="allow")

    key: str
    count: int = 0
    place: Zoned | None = None

    @field_validator("count")
    @classmethod
    def check(cls, value: int) -> int:
        if value < 0:
            raise ValueError("below zero")
        return value


def test_updates_are_checked_as_the_model_checks() -> None:
    Strict(key="abc").persist()
    frame = pl.DataFrame(
        {"key": ["ABC", "new"], "count": ["5", "-5"], "place": [{"zip": 1}, {"zip": 2}],
         "more": ["x", "y"]}
    )  # fmt: skip
    result = Strict.update_dataframe(frame, on=["key"], on_error="skip")
    assert (result.matched, [(e.row, e.column) for e in result.errors]) == (1, [(1, "count")])
    (document,) = Strict.filter().load_docs()
    assert (document["count"], document["place"], document["more"]) == (5, {"ZIP": 1}, "x")
    with pytest.raises(lm.FrameError, match="nothing to set"):
        Strict.update_dataframe(frame[["key"]], on=["key", "key"])
