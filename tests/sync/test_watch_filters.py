# Generated from tests/aio/test_watch_filters.py by `nox -s sync`: edit that file.
"""A filter means of a change's document what it means of the document."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom_async._core.query.change_filter import nested_filter

Doc = dict[str, Any]

_names = st.sampled_from(["a", "b", "c"])
_paths = st.sampled_from(["a", "b", "a.b", "b.c", "a.0", "b.a.c", "_id", "none"])
_plain = st.none() | st.integers(-2, 3) | st.sampled_from(["", "x", "xy", "$a"]) | st.booleans()
_values = st.recursive(
    _plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=2),
    max_leaves=5,
)
_documents = st.dictionaries(_names, _values, max_size=3)

_operators = st.one_of(
    st.builds(
        lambda name, value: {name: value},
        st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]),
        _values,
    ),
    st.builds(
        lambda name, v: {name: v}, st.sampled_from(["$in", "$nin", "$all"]), st.lists(_plain)
    ),
    st.builds(lambda there: {"$exists": there}, st.booleans()),
    st.builds(lambda kind: {"$type": kind}, st.sampled_from(["int", "string", "array", "object"])),
    st.builds(lambda size: {"$size": size}, st.integers(0, 3)),
    st.just({"$regex": "^x"}),
    st.just({"$mod": [2, 1]}),
    st.builds(lambda path, value: {"$elemMatch": {path: value}}, _names, _plain),
    st.builds(lambda value: {"$elemMatch": {"$gte": value}}, st.integers(-2, 3)),
)
_fields = st.builds(
    lambda path, operators, negated: {path: {"$not": operators} if negated else operators},
    _paths,
    _operators,
    st.booleans(),
) | st.builds(lambda path, value: {path: value}, _paths, _plain)

_terms = st.one_of(
    _plain.map(lambda value: {"$literal": value}),
    _paths.map(lambda path: f"${path}"),
    _paths.map(lambda path: f"$$ROOT.{path}"),
    _paths.map(lambda path: f"$$CURRENT.{path}"),
    _names.map(lambda name: {"$getField": name}),
    _names.map(lambda name: {"$getField": {"field": name, "input": "$$ROOT"}}),
    _names.map(lambda name: {"$let": {"vars": {"a": f"${name}"}, "in": ["$$a", "$a"]}}),
    _names.map(
        lambda name: {
            "$map": {
                "input": {"$cond": [{"$isArray": f"${name}"}, f"${name}", []]},
                "as": "item",
                "in": {"$eq": ["$$item", "$b"]},
            }
        }
    ),
    st.just({"$size": {"$objectToArray": "$$ROOT"}}),
    st.just({"$type": "$a"}),
)
_expressions = st.builds(
    lambda name, one, other: {"$expr": {name: [one, other]}},
    st.sampled_from(["$eq", "$ne", "$gt", "$lte"]),
    _terms,
    _terms,
)
_schemas = st.builds(
    lambda name, kind: {"$jsonSchema": {"required": [name], "properties": {name: kind}}},
    _names,
    st.sampled_from([{"bsonType": "int"}, {"enum": ["x", 1]}, {}]),
)
_filters = st.recursive(
    _fields | _expressions | _schemas,
    lambda inner: st.builds(
        lambda name, parts: {name: parts},
        st.sampled_from(["$and", "$or", "$nor"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=4,
)
_examples = itertools.count(1)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(documents=st.lists(_documents, min_size=1, max_size=6), condition=_filters)
def test_both_choose_the_same_documents(
    client: Any, db: str, documents: list[Doc], condition: Doc
) -> None:
    collection = client[db][f"example_{next(_examples)}"]
    collection.insert_many([{"_id": n, **doc} for n, doc in enumerate(documents)])
    found = collection.find(condition).to_list()
    wrapped = {"$replaceWith": {"_id": "$_id", "fullDocument": "$$ROOT"}}
    rewritten = {"$match": nested_filter(condition, "fullDocument")}
    cursor = collection.aggregate([wrapped, rewritten])
    assert [row["_id"] for row in cursor.to_list()] == [row["_id"] for row in found]
    collection.drop()
