"""Documents as a business has them, by Faker: `python -m tests.fake_rows --rows 10 --uri …`.

Faker makes a few thousand of each value, from which rows are drawn: it takes some 0.3 ms a row.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
from collections.abc import Iterator
from typing import Any

_POOL = 2_000
_EPOCH = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def fake_rows(count: int, *, seed: int = 1, nested: bool = False) -> Iterator[dict[str, Any]]:
    """Yield documents of about 300 bytes.

    Parameters:
        count: How many.
        seed: The same seed gives the same documents.
        nested: Whether they have a nested document and an array as well.
    """
    from faker import Faker

    faker, chance = Faker(), random.Random(seed)
    Faker.seed(seed)
    names = [faker.name() for _ in range(_POOL)]
    cities = [faker.city() for _ in range(_POOL)]
    streets = [faker.street_address() for _ in range(_POOL)]
    notes = [faker.text(110)[:110].ljust(110, ".") for _ in range(_POOL)]
    for number in range(count):
        name = chance.choice(names)
        row: dict[str, Any] = {
            "name": name,
            "email": f"{name.replace(' ', '.').lower()}.{number}@example.com",
            "age": chance.randrange(18, 90),
            "score": chance.random() * 100,
            "is_active": chance.random() < 0.7,
            "joined": _EPOCH + dt.timedelta(seconds=chance.randrange(10**8)),
            "city": chance.choice(cities),
            "note": chance.choice(notes),
        }
        if nested:
            del row["city"]
            row["note"] = row["note"][:40]
            row["address"] = {
                "street": chance.choice(streets),
                "city": chance.choice(cities),
                "zip": chance.randrange(10**5),
            }
            row["tags"] = ["alpha", "beta", f"tag{number % 100}"]
        yield row


def main() -> None:
    """Print rows as JSON, or store them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10)
    parser.add_argument("--nested", action="store_true")
    parser.add_argument("--uri", help="where to store them, in bench.frames; else they are printed")
    arguments = parser.parse_args()
    rows = fake_rows(arguments.rows, nested=arguments.nested)
    if arguments.uri is None:
        for row in rows:
            print(json.dumps(row, default=str))
        return
    from pymongo import MongoClient

    with MongoClient[dict[str, Any]](arguments.uri) as client:
        while batch := [row for row, _ in zip(rows, range(10_000), strict=False)]:
            client["bench"]["frames"].insert_many(batch)


if __name__ == "__main__":
    main()
