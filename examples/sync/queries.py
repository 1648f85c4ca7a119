# Generated from examples/async/queries.py by `nox -s sync`: edit that file.
"""Queries: conditions, chains, and the ways to run them."""

# --8<-- [start:model]
from pydantic import BaseModel

import loom_sync as lm
from loom_sync import element, fld


class Address(BaseModel):
    city: str


@lm.declare_persist_db("my_app", "users")
class User(lm.Persistable):
    name: str
    email: lm.StrLower
    age: int
    is_active: bool = True
    address: Address
    scores: list[int] = []


# --8<-- [end:model]


def conditions() -> None:
    # --8<-- [start:first]
    prague, brno = Address(city="Prague"), Address(city="Brno")
    User.persist_many(
        [
            User(name="Ann", email="ann@x.org", age=41, address=prague, scores=[85]),
            User(name="Bob", email="bob@x.org", age=19, address=brno),
        ]
    )

    query = User.filter((fld["age"] > 25) & (fld["is_active"] == True))
    assert [user.name for user in query.load_many()] == ["Ann"]

    typed = User.filter(lambda u: (u.age > 25) & (u.address.city == "Prague"))
    assert typed.count() == 1
    # --8<-- [end:first]

    # --8<-- [start:lambda]
    assert User.filter(lambda u: fld(u.name).contains("n") & (u.age > 3)).count() == 1
    assert User.filter(lambda u: u.name.startswith("A")).count() == 1
    # --8<-- [end:lambda]

    # --8<-- [start:values]
    assert User.filter(fld["email"] == "ANN@X.ORG").exists()
    assert not User.filter(fld["name"] == {"$ne": None}).exists()
    assert User.filter(fld["scores"].elem_match((element >= 80) & (element < 90))).exists()
    # --8<-- [end:values]


def chains() -> None:
    # --8<-- [start:group]
    cities = User.filter().group_by("address.city").acc(mean=fld["age"].avg()).sort("_id")
    assert cities.load_many() == [
        {"_id": "Brno", "mean": 19.0},
        {"_id": "Prague", "mean": 41.0},
    ]

    stages = lm.AggregationStages().group({"_id": "$is_active", "avg_age": {"$avg": "$age"}})
    assert User.agg(stages).load_many()[0]["avg_age"] == 30
    # --8<-- [end:group]


def runs() -> None:
    # --8<-- [start:stream]
    years = 0
    for user in User.filter().stream():
        years += user.age
    assert years == 60
    # --8<-- [end:stream]

    # --8<-- [start:into]
    class UserName(BaseModel):
        name: str
        address: Address

    names = User.filter(fld["age"] > 25).sort("age").into(UserName).load_many()
    assert names == [UserName(name="Ann", address=Address(city="Prague"))]
    # --8<-- [end:into]

    # --8<-- [start:page]
    page = User.filter().sort("age").page(2)
    while page.next is not None:
        page = User.filter().sort("age").page(2, after=page.next)
    # --8<-- [end:page]

    # --8<-- [start:skip]
    with lm.skipped_documents() as skipped:
        users = User.filter().options(on_invalid="skip").load_many()
    print(len(users), skipped.count, [(error.id, error.fields) for error in skipped.errors])
    # --8<-- [end:skip]

    # --8<-- [start:update]
    count = User.filter(fld["age"] < 20).update({"$inc": {"age": 1}})
    assert (count.matched, count.modified) == (1, 1)
    # --8<-- [end:update]

    # --8<-- [start:upsert]
    by_email = User.filter(fld["email"] == "zoe@x.org")
    new = {"name": "Zoe", "address": Address(city="Brno")}
    count = by_email.update({"$set": {"age": 30}, "$setOnInsert": new}, upsert=True)
    assert count.inserted == 1
    # --8<-- [end:upsert]

    # --8<-- [start:first_of]
    oldest = User.filter(fld["is_active"]).sort("-age")
    user = oldest.find_one_and_update({"is_active": False})
    assert user is not None
    assert not user.is_active
    deleted = by_email.find_one_and_delete()
    assert deleted is not None
    assert deleted.name == "Zoe"
    # --8<-- [end:first_of]

    # --8<-- [start:elements]
    low = {"$lt": 10}
    User.filter().update({"scores.$[x]": 10}, array_filters=[{"x": low}])
    # --8<-- [end:elements]


def main() -> None:
    with lm.embedded():
        conditions()
        chains()
        runs()


if __name__ == "__main__":
    main()
