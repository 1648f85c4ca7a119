"""Documents of every kind for the tests of Arrow tables, and what a table holds of them."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import bson
import pyarrow as pa
from bson import ObjectId
from bson.binary import Binary
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from hypothesis import strategies as st

from loom_async._core.arrow.arrow_types import OBJECT_ID_TYPE, TIMESTAMP
from loom_async._core.arrow.mismatches import Mismatch
from loom_async._core.arrow.python_objects import to_objects
from loom_async._core.arrow.table_builder import TableBuilder
from loom_async._core.bson_codec import encode_bson

ADDRESS = pa.struct([("street", pa.string()), ("zip", pa.int64())])
SCHEMA = pa.schema(
    [
        ("_id", OBJECT_ID_TYPE),
        ("name", pa.string()),
        ("a_longer_name_of_a_field", pa.int64()),
        ("small", pa.int32()),
        ("score", pa.float64()),
        ("ok", pa.bool_()),
        ("at", TIMESTAMP),
        ("day", pa.date32()),
        ("price", pa.decimal128(38, 18)),
        ("key", pa.uuid()),
        ("raw", pa.binary()),
        ("tags", pa.list_(pa.string())),
        ("address", ADDRESS),
        ("old", pa.list_(ADDRESS)),
        ("deep", pa.struct([("address", ADDRESS), ("n", pa.list_(pa.list_(pa.int64())))])),
        ("counts", pa.map_(pa.string(), pa.int64())),
        ("dotted.name", pa.string()),
    ]
)


def raw_batch(documents: list[dict[str, Any]]) -> bytes:
    return b"".join(encode_bson(document) for document in documents)


def table_of(*batches: list[dict[str, Any]], schema: Any = SCHEMA, **options: Any) -> Any:
    builder = TableBuilder(schema, **options)
    for documents in batches:
        builder.add(raw_batch(documents))
    return builder.table()


def rows_of(table: Any) -> list[dict[str, Any]]:
    table = table.combine_chunks()
    columns = {
        n: [v for c in table.column(n).chunks for v in to_objects(c)] for n in table.column_names
    }
    return [{name: columns[name][row] for name in columns} for row in range(table.num_rows)]


def expected(value: Any, type_: Any) -> Any:
    """Return what a column holds of a stored value: the fields of its type, None if missing."""
    if value is None:
        return None
    if pa.types.is_struct(type_):
        return {f.name: expected(value.get(f.name), f.type) for f in type_}
    if pa.types.is_list(type_):
        return [expected(item, type_.value_type) for item in value]
    if pa.types.is_map(type_):
        return {key: expected(item, type_.item_type) for key, item in value.items()}
    if pa.types.is_date32(type_):
        return value.date()
    return value.to_decimal() if isinstance(value, Decimal128) else value


def same(left: Any, right: Any) -> bool:
    """Compare values by type, with NaN equal to itself and -0.0 unequal to 0.0."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, float):
        both_nan = math.isnan(left) and math.isnan(right)
        return both_nan or (left == right and math.copysign(1, left) == math.copysign(1, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def summary(mismatches: dict[str, Mismatch]) -> dict[str, Any]:
    return {
        path: (sorted(found.types), found.row, found.count) for path, found in mismatches.items()
    }


INT64 = st.integers(-(2**63), 2**63 - 1)
MOMENTS = st.datetimes(dt.datetime(1500, 1, 1), dt.datetime(9999, 1, 1)).map(
    lambda d: d.replace(microsecond=d.microsecond // 1000 * 1000, tzinfo=dt.UTC)
)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**19), max_value=10**19,
                       places=6).map(Decimal128)  # fmt: skip
FITTING: dict[str, st.SearchStrategy[Any]] = {
    "name": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    "a_longer_name_of_a_field": st.integers(-(2**31), 2**31 - 1) | INT64.map(Int64),
    "small": st.integers(-(2**31), 2**31 - 1),
    "score": st.floats() | st.integers(-(2**31), 2**31 - 1),
    "ok": st.booleans(),
    "at": MOMENTS,
    "day": st.dates(dt.date(1500, 1, 1)).map(
        lambda d: dt.datetime(d.year, d.month, d.day, tzinfo=dt.UTC)
    ),
    "price": DECIMALS,
    "key": st.uuids(),
    "raw": st.binary(max_size=5),
    "tags": st.lists(st.text("ab", max_size=3) | st.none(), max_size=4),
}
ADDRESSES = st.fixed_dictionaries(
    {}, optional={"zip": INT64.map(Int64) | st.none(), "street": st.text("xyz") | st.none()}
)
FITTING["address"] = ADDRESSES
FITTING["old"] = st.lists(ADDRESSES | st.none(), max_size=3)
FITTING["deep"] = st.fixed_dictionaries(
    {},
    optional={
        "address": ADDRESSES | st.none(),
        "n": st.lists(st.lists(INT64.map(Int64), max_size=3) | st.none(), max_size=3) | st.none(),
    },
)
FITTING["counts"] = st.dictionaries(st.text("ab.$", max_size=3), INT64.map(Int64) | st.none())
FITTING["dotted.name"] = st.text("xy")
MISFITS = st.one_of(
    st.floats(), INT64.map(Int64), st.text("ab"), st.booleans(), st.none(), MOMENTS, st.uuids(),
    st.binary(max_size=3), DECIMALS, st.just(Decimal128("NaN")), st.just(Decimal128("1E+40")),
    st.just({}), st.just([]), st.just([None]), st.just({"zip": 2.5}), st.just([[1], None]),
    st.just([1, "x"]), st.builds(ObjectId), st.just(Binary(b"x", 5)), st.just(bson.Regex("x")),
)  # fmt: skip


def documents(values: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.fixed_dictionaries(
        {"_id": st.builds(ObjectId)},
        optional={name: value | st.none() for name, value in values.items()},
    )
    return st.lists(one | one.flatmap(_in_any_order), max_size=6)


def _in_any_order(document: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.permutations(list(document.items())).map(dict)


ANY = documents({name: value | MISFITS for name, value in FITTING.items()} | {"unknown": MISFITS})
