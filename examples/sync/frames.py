# Generated from examples/async/frames.py by `nox -s sync`: edit that file.
"""Documents loaded as tables and frames, and frames stored as documents."""

# --8<-- [start:model]
from decimal import Decimal

import pandas as pd
from pydantic import BaseModel

import loom_sync as lm
from loom_sync import fld


class Address(BaseModel):
    city: str
    zip: int | None = None


@lm.declare_persist_db("my_app", "customers", index=[lm.Index("email", unique=True)])
class Customer(lm.Persistable):
    name: str
    email: lm.StrLower
    age: int | None = None
    credit: Decimal = Decimal(0)
    address: Address | None = None


# --8<-- [end:model]


def load() -> None:
    # --8<-- [start:load]
    adults = Customer.filter(fld["age"] >= 18).sort("age")
    table = adults.load_table()  # pyarrow.Table
    frame = adults.load_dataframe()  # pandas, `_id` is the index
    polars = adults.load_polars()
    assert table.num_rows == len(frame) == len(polars) == 2
    assert frame["age"].tolist() == [31, 64]

    for batch in adults.load_batches(rows=10_000):  # pyarrow.RecordBatch
        assert batch.schema == Customer.get_arrow_schema()
    # --8<-- [end:load]

    # --8<-- [start:inferred]
    housed = Customer.filter(fld["address"].is_not_null())
    by_city = housed.group_by("address.city").acc(customers=lm.count())
    cities = by_city.load_dataframe()
    assert cities["customers"].to_dict() == {"Prague": 2}
    # --8<-- [end:inferred]


def lossless(collection) -> None:
    # --8<-- [start:lossy]
    collection.insert_one({"name": "Dan", "email": "d@x.org", "age": 2.5})
    try:
        Customer.filter().load_table()
    except lm.LossyConversion as error:
        lost = (error.field, error.types)
    assert lost == ("age", ("double",))
    table = Customer.filter().load_table(on_mismatch="widen")
    assert str(table.schema.field("age").type) == "double"
    # --8<-- [end:lossy]


def store() -> None:
    # --8<-- [start:insert]
    frame = pd.DataFrame(
        {
            "name": ["Ann", "Bea", "Cid"],
            "email": ["Ann@X.org", "bea@x.org", "cid@x.org"],
            "age": [31, 64, None],
            "address": [{"city": "Prague"}, {"city": "Prague", "zip": 11000}, None],
        }
    )
    result = Customer.insert_dataframe(frame)
    assert result.inserted == 3
    ann = Customer.from_id(result.ids[0])
    assert (ann.email, ann.age) == ("ann@x.org", 31)

    again = Customer.insert_dataframe(frame, on_duplicate="ignore")
    assert again.inserted == 0
    # --8<-- [end:insert]

    # --8<-- [start:refused]
    try:
        Customer.insert_dataframe(pd.DataFrame({"name": ["Eve", 5], "email": ["e@x", "f@x"]}))
    except lm.FrameError as error:
        refused = (error.rows, error.columns, error.written)
    assert refused == ([1], ["name"], [])
    # --8<-- [end:refused]

    # --8<-- [start:update]
    changes = pd.DataFrame({"email": ["ann@x.org", "new@x.org"], "name": ["Anna", "New"]})
    done = Customer.update_dataframe(changes, on=["email"], upsert=True)
    assert (done.modified, done.inserted) == (1, 1)
    # --8<-- [end:update]


def main() -> None:
    with lm.embedded() as client:
        store()
        Customer.filter(fld["email"] == "new@x.org").delete()
        load()
        lossless(client["my_app"]["customers"])


main()
