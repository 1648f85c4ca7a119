"""A table holds what the documents hold, or the load fails: on both ways, for any documents."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from typing import Any
from uuid import UUID

import bson
import pyarrow as pa
import pytest
from bson import ObjectId
from bson.binary import Binary
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from hypothesis import given, settings
from hypothesis import strategies as st

from loom_async._core.arrow.arrow_types import OBJECT_ID_TYPE, TIMESTAMP, columns_of
from loom_async._core.arrow.batch_reader import Reading
from loom_async._core.arrow.exact_decoder import ExactDecoder, Mismatch
from loom_async._core.arrow.python_objects import to_objects
from loom_async._core.arrow.tables import NULLED, TableBuilder
from loom_async._core.bson_codec import CODEC_OPTIONS, decode_bson, encode_bson
from loom_async._core.errors import ConfigurationError, LossyConversion

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


def stream_of(documents: list[dict[str, Any]]) -> bytes:
    return b"".join(encode_bson(document) for document in documents)


def table_of(*batches: list[dict[str, Any]], schema: Any = SCHEMA, **options: Any) -> Any:
    builder = TableBuilder(schema, **options)
    for documents in batches:
        builder.add(stream_of(documents))
    return builder.table()


def rows_of(table: Any) -> list[dict[str, Any]]:
    table = table.combine_chunks()
    columns = {
        n: [v for c in table.column(n).chunks for v in to_objects(c)] for n in table.column_names
    }
    return [{name: columns[name][row] for name in columns} for row in range(table.num_rows)]


def expected(value: Any, type_: Any) -> Any:
    """Return what a column holds of a stored value: keys of the schema, missing ones as None."""
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
    """Compare with types, NaN and the sign of zero; integers in a column of numbers may be such."""
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
ODD = st.one_of(
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


ANY = documents({name: value | ODD for name, value in FITTING.items()} | {"unknown": ODD})


@settings(max_examples=300, deadline=None)
@given(documents(FITTING))
def test_fitting_documents_are_held(found: list[dict[str, Any]]) -> None:
    table = table_of(found)
    assert table.schema == SCHEMA
    for document, row in zip(found, rows_of(table), strict=True):
        for field in SCHEMA:
            assert same(expected(document.get(field.name), field.type), row[field.name]), field.name


@settings(max_examples=500, deadline=None)
@given(ANY)
def test_any_documents_are_held_or_refused(found: list[dict[str, Any]]) -> None:
    try:
        table = table_of(found)
    except LossyConversion:
        return
    stored = [decode_bson(encode_bson(document)) for document in found]
    for document, row in zip(stored, rows_of(table), strict=True):
        for field in SCHEMA:
            assert same(expected(document.get(field.name), field.type), row[field.name]), field.name


@settings(max_examples=500, deadline=None)
@given(ANY)
def test_both_ways_give_the_same(found: list[dict[str, Any]]) -> None:
    """What the walk lets pass is decoded by pymongoarrow as it is in Python, value by value."""
    columns = columns_of(SCHEMA)
    fast, mismatches = Reading(stream_of(found), columns).batch()
    decoder = ExactDecoder(columns)
    exact = decoder.batch([bson.decode(encode_bson(d), CODEC_OPTIONS) for d in found])
    assert told(mismatches) == told(decoder.mismatches)
    assert all(map(same, rows_of(pa.table(fast)), rows_of(pa.table(exact))))


@settings(max_examples=50, deadline=None)
@given(ANY, st.lists(st.integers(0, 5), min_size=100, max_size=300))
def test_long_batches_keep_their_order(some: list[dict[str, Any]], picked: list[int]) -> None:
    """Rows decoded in Python stand where they stood, among those of pymongoarrow."""
    found = [{**some[n % len(some)], "small": row} if some else {} for row, n in enumerate(picked)]
    reading = Reading(stream_of(found), columns_of(SCHEMA))
    batch, mismatches = reading.batch()
    decoder = ExactDecoder(columns_of(SCHEMA))
    exact = decoder.batch([bson.decode(encode_bson(d), CODEC_OPTIONS) for d in found])
    assert told(mismatches) == told(decoder.mismatches)
    assert all(map(same, rows_of(pa.table(batch)), rows_of(pa.table(exact))))


def told(mismatches: dict[str, Mismatch]) -> dict[str, Any]:
    return {
        path: (sorted(found.types), found.row, found.count) for path, found in mismatches.items()
    }


@settings(max_examples=300, deadline=None)
@given(st.lists(ANY, max_size=3))
def test_inference_holds_or_refuses(batches: list[list[dict[str, Any]]]) -> None:
    try:
        table = table_of(*batches, schema=None)
    except LossyConversion:
        return
    stored = [decode_bson(encode_bson(document)) for batch in batches for document in batch]
    for document, row in zip(stored, rows_of(table), strict=True):
        assert set(document) <= set(row)
        for name in row:
            assert same(expected(document.get(name), table.schema.field(name).type), row[name]), (
                name
            )


@settings(max_examples=200, deadline=None)
@given(st.lists(ANY, max_size=3))
def test_widening_and_nulling_never_fail(batches: list[list[dict[str, Any]]]) -> None:
    rows = sum(map(len, batches))
    assert table_of(*batches, on_mismatch="widen").num_rows == rows
    assert table_of(*batches, on_mismatch="null").num_rows == rows
    assert table_of(*batches, schema=None, on_mismatch="widen").num_rows == rows


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("a_longer_name_of_a_field", [1, 2.5]),
        ("a_longer_name_of_a_field", [1, "x"]),
        ("a_longer_name_of_a_field", [True]),
        ("a_longer_name_of_a_field", [-0.0]),
        ("small", [Int64(2**31)]),
        ("score", [Int64(2**53 + 1)]),
        ("name", ["x", 1]),
        ("at", ["2020-01-01"]),
        ("day", [dt.datetime(2020, 1, 1, 12)]),
        ("price", [Decimal128("0.1234567890123456789")]),
        ("price", [Decimal128("-0")]),
        ("price", [Decimal128("Infinity")]),
        ("key", [b"x" * 16]),
        ("raw", [UUID(int=1)]),
        ("tags", ["x"]),
        ("tags", [["x", 1]]),
        ("address", ["x"]),
        ("address", [{"zip": "x"}]),
        ("old", [[{"zip": 1}, {"zip": 1.5}]]),
        ("deep", [{"address": {"zip": 1.5}}]),
    ],
)
def test_each_loss_is_refused(field: str, values: list[Any]) -> None:
    found = [{"_id": ObjectId(), field: value} for value in values]
    with pytest.raises(LossyConversion) as caught:
        table_of(found)
    assert caught.value.field.startswith(field)
    assert caught.value.id == found[-1]["_id"]
    assert caught.value.types
    assert field in str(caught.value)
    assert 'on_mismatch="widen"' in str(caught.value)


def test_widening() -> None:
    batches = [
        [{"a": 1, "b": 1, "c": 1}],
        [{"a": 2.5, "b": "x", "c": None}],
        [{"a": 3, "b": {"d": 1}}],
    ]
    schema = pa.schema([("a", pa.int64()), ("b", pa.int64()), ("c", pa.int64())])
    table = table_of(*batches, schema=schema, on_mismatch="widen")
    assert table.column("a").to_pylist() == [1.0, 2.5, 3.0]
    assert table.column("b").to_pylist() == ["1", "x", '{"d": 1}']
    assert table.column("c").to_pylist() == [1, None, None]
    assert table.schema.field("c").type == pa.int64()


def test_nulling_counts() -> None:
    schema = pa.schema([("a", pa.int64()), ("s", pa.struct([("x", pa.int64())]))])
    found = [{"a": 1, "s": {"x": 2.5}}, {"a": "x", "s": {"x": 1}}, {"a": 2.5}]
    table = table_of(found, schema=schema, on_mismatch="null")
    assert table.to_pylist() == [
        {"a": 1, "s": {"x": None}}, {"a": None, "s": {"x": 1}}, {"a": None, "s": None},
    ]  # fmt: skip
    assert json.loads(table.schema.metadata[NULLED]) == {"a": 2, "s.x": 1}


def test_inference_grows() -> None:
    table = table_of(
        [{"a": 1, "s": {"x": 1}}, {}], [{"a": 2.5, "b": [None]}], [{"s": {"y": "q"}, "b": [1]}],
        schema=None,
    )  # fmt: skip
    assert rows_of(table) == [
        {"a": 1.0, "s": {"x": 1, "y": None}, "b": None},
        {"a": None, "s": None, "b": None},
        {"a": 2.5, "s": None, "b": [None]},
        {"a": None, "s": {"x": None, "y": "q"}, "b": [1]},
    ]


def test_dotted_names_and_maps() -> None:
    schema = pa.schema(
        [("a.b", pa.int64()), ("a", ADDRESS), ("m", pa.map_(pa.string(), pa.int64()))]
    )
    found = [{"a.b": 1, "a": {"zip": 2}, "m": {"x.y": 1, "$z": None}}, {"m": {}}, {}]
    assert rows_of(table_of(found, schema=schema)) == [
        {"a.b": 1, "a": {"street": None, "zip": 2}, "m": {"x.y": 1, "$z": None}},
        {"a.b": None, "a": None, "m": {}},
        {"a.b": None, "a": None, "m": None},
    ]


def test_open_columns_are_inferred() -> None:
    schema = pa.schema([("a", pa.null()), ("b", pa.int64())])
    table = table_of([{"a": {"x": 1}, "c": 5}], [{"a": {"y": "z"}, "b": 2}], schema=schema)
    assert rows_of(table) == [
        {"a": {"x": 1, "y": None}, "b": None}, {"a": {"x": None, "y": "z"}, "b": 2},
    ]  # fmt: skip


def test_nothing_at_all() -> None:
    assert table_of().schema == SCHEMA
    assert table_of([]).num_rows == 0
    assert table_of(schema=None).num_columns == 0
    assert table_of([{}, {}], schema=None).num_rows == 2
    assert table_of([{}, {}]).num_rows == 2


def test_years_that_python_lacks() -> None:
    """Arrow holds them, as pymongo's cursor does not."""
    stream = stream_of([{"at": dt.datetime(9999, 1, 1)}]).replace(
        encode_bson({"at": dt.datetime(9999, 1, 1)})[8:16], (10**15).to_bytes(8, "little")
    )
    builder = TableBuilder(pa.schema([("at", TIMESTAMP)]))
    builder.add(stream)
    assert builder.table().column("at").cast(pa.int64()).to_pylist() == [10**15]


def test_decimals_of_many_scales() -> None:
    numbers = [
        "1.50",
        "-2",
        "0",
        "1234567890123456.123456789012345678",
        "1E+3",
        "-7E-18",
        "0E-6176",
    ]
    table = table_of([{"price": Decimal128(number)} for number in numbers])
    assert table.column("price").to_pylist() == [Decimal(number) for number in numbers]


def test_integers_that_a_later_double_would_change() -> None:
    big = [{"_id": 1, "v": 2**53 + 1}], [{"_id": 2, "v": 2.5}]
    with pytest.raises(LossyConversion) as caught:
        table_of(*big, schema=None)
    assert (caught.value.field, caught.value.id) == ("v", 1)
    assert table_of(*big, schema=None, on_mismatch="widen").column("v").to_pylist() == [
        "9007199254740993", "2.5",
    ]  # fmt: skip
    nulled = table_of(*big, schema=None, on_mismatch="null")
    assert nulled.column("v").to_pylist() == [None, 2.5]
    assert json.loads(nulled.schema.metadata[NULLED]) == {"v": 1}
    schema = pa.schema([("v", pa.int64())])
    widened = table_of(*big, schema=schema, on_mismatch="widen")
    assert widened.column("v").to_pylist() == ["9007199254740993", "2.5"]


def test_fields_that_come_after_a_widening() -> None:
    batches = [{"v": 1}], [{"v": "x"}], [{"v": 2, "new": 5}], [{"new": 6}]
    table = table_of(*batches, schema=None, on_mismatch="widen")
    assert table.to_pydict() == {"v": ["1", "x", "2", None], "new": [None, None, 5, 6]}


def test_a_stream_keeps_the_schema_it_began_with() -> None:
    builder = TableBuilder(None)
    builder.add(stream_of([{"v": None, "s": {"p": 1}}]))
    (first,) = builder.take(1)
    assert first.schema.field("v").type == pa.null()
    for later in ({"v": 7}, {"s": {"q": 2}}, {"new": 1}):
        with pytest.raises(LossyConversion):
            builder.add(stream_of([later]))
    assert builder.take(1) == []


def test_names_with_dots_in_errors() -> None:
    with pytest.raises(LossyConversion, match=r"v\.a\.b holds string"):
        table_of([{"v": {"a.b": 1}}, {"v": {"a.b": "x"}}], schema=None)


def test_object_ids_in_lists_that_are_all_null() -> None:
    line = pa.list_(pa.struct([("ref", OBJECT_ID_TYPE)]))
    schema = pa.schema([("lines", line)])
    assert rows_of(table_of([{}, {"lines": None}], schema=schema)) == [{"lines": None}] * 2
    id = ObjectId()
    assert rows_of(table_of([{}, {"lines": [{"ref": id}]}], schema=schema).slice(1)) == [
        {"lines": [{"ref": id}]}
    ]


def test_what_has_a_name_twice_is_refused() -> None:
    double = pa.MapArray.from_arrays([0, 2], ["k", "k"], [1, 2])
    with pytest.raises(ValueError, match="a map has a key twice"):
        to_objects(double)
    with pytest.raises(ConfigurationError, match="more than one column a"):
        TableBuilder(pa.schema([("a", pa.int64()), ("a", pa.int64())]))
