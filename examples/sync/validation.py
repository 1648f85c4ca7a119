# Generated from examples/async/validation.py by `nox -s sync`: edit that file.
"""A validator, by which the server checks each write to a collection."""

# --8<-- [start:model]
from decimal import Decimal
from enum import Enum

from pydantic import Field
from pymongo.errors import WriteError

import loom_sync as lm


class Plan(Enum):
    FREE = "free"
    PRO = "pro"


@lm.declare_persist_db("my_app", "members")
class Member(lm.Persistable):
    name: str = Field(min_length=1)
    age: int = Field(ge=0)
    plan: Plan = Plan.FREE
    credit: Decimal = Decimal(0)


# --8<-- [end:model]


def main() -> None:
    with lm.embedded() as client:
        # --8<-- [start:ensure]
        schema = Member.ensure_validator()
        assert schema["properties"]["age"] == {"bsonType": ["int", "long"], "minimum": 0}
        assert schema["required"] == ["_id", "name", "age"]
        # --8<-- [end:ensure]

        # --8<-- [start:refused]
        members = client["my_app"]["members"]  # pymongo, without Loom
        try:
            members.insert_one({"name": "Ann", "age": "31"})
        except WriteError as error:
            code = error.code
        assert code == 121

        ann = Member(name="Ann", age=31)
        ann.persist()
        try:
            Member.filter().update({"$inc": {"age": -40}})
        except lm.OperationFailed as error:
            reason = error.message
        assert reason.endswith("of its collection: age: -9, but minimum is 0")
        # --8<-- [end:refused]


main()
