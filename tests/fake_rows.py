"""Documents with realistic values by Faker: `python -m tests.fake_rows --rows 10 --uri …`.

Rows are drawn from 2,000 values of each kind, since Faker takes about 0.3 ms for a row.
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
        count: The number of documents.
        seed: Equal seeds yield equal documents.
        nested: Whether the documents have a nested document and an array.
    """
    from faker import Faker

    faker, rng = Faker(), random.Random(seed)
    Faker.seed(seed)
    names = [faker.name() for _ in range(_POOL)]
    cities = [faker.city() for _ in range(_POOL)]
    streets = [faker.street_address() for _ in range(_POOL)]
    notes = [faker.text(110)[:110].ljust(110, ".") for _ in range(_POOL)]
    for number in range(count):
        name = rng.choice(names)
        row: dict[str, Any] = {
            "name": name,
            "email": f"{name.replace(' ', '.').lower()}.{number}@example.com",
            "age": rng.randrange(18, 90),
            "score": rng.random() * 100,
            "is_active": rng.random() < 0.7,
            "joined": _EPOCH + dt.timedelta(seconds=rng.randrange(10**8)),
            "city": rng.choice(cities),
            "note": rng.choice(notes),
        }
        if nested:
            del row["city"]
            row["note"] = row["note"][:40]
            row["address"] = {
                "street": rng.choice(streets),
                "city": rng.choice(cities),
                "zip": rng.randrange(10**5),
            }
            row["tags"] = ["alpha", "beta", f"tag{number % 100}"]
        yield row


def main() -> None:
    """Print rows as JSON, or insert them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10)
    parser.add_argument("--nested", action="store_true")
    parser.add_argument(
        "--uri", help="insert them into bench.frames of this server instead of printing them"
    )
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
