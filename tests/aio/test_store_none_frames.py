"""Frames of a model with `store_none=False`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

import loom_async as lm

pytestmark = pytest.mark.usefixtures("db")


class Address(BaseModel):
    city: str
    zip: str | None
    note: str | None = None


HOME = Address(city="Brno", zip=None)


async def test_frames_are_as_those_of_a_model_that_stores_none() -> None:
    class Fields(lm.PersistableBase):
        number: int
        home: Address | None = None
        homes: list[Address | None] = []
        price: Decimal | None = None

    tables: list[Any] = []
    for store_none in (True, False):
        declare = lm.declare_persist_db("shop", f"homes_{store_none}", store_none=store_none)
        model = declare(type("Homes", (Fields,), {"__module__": __name__}))
        rows = [model(number=0), model(number=1, home=HOME, homes=[None, HOME], price=Decimal(2))]
        await model.persist_many(rows)
        table = await model.filter().sort("number").load_table()
        polars = await model.filter().sort("number").load_polars()
        tables.append((table.drop_columns("_id"), polars.drop("_id").rows()))
    assert tables[0] == tables[1]


async def test_an_untouched_frame_changes_nothing() -> None:
    @lm.declare_persist_db("shop", "plain", store_none=False)
    class Plain(lm.PersistableBase):
        a: int | None = None
        b: str | None

    await Plain.persist_many([Plain(b=None), Plain(a=1, b="x")])
    result = await Plain.update_dataframe(await Plain.filter().load_dataframe())
    assert result.modified == 0
    assert [len(one) for one in await Plain.filter().load_docs()] == [1, 3]
