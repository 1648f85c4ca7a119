"""Random queries find the documents that a small evaluator of MongoDB's rules finds."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import loom_async as lm
from loom_async import element, fld

pytestmark = pytest.mark.usefixtures("db")


@lm.declare_persist_db("shop", "random")
class Anything(lm.PersistableBase):
    number: Any = None
    word: Any = None
    flag: Any = None
    values: Any = None
    inner: Any = None
    rows: Any = None
    example: int = 0


Doc = dict[str, Any]
Match = Callable[[Doc], bool]


@dataclass(frozen=True)
class Query:
    """A condition, and the function that says whether a document meets it."""

    condition: Any
    meets: Match


_numbers = st.integers(-2, 2) | st.sampled_from([-0.5, 0.5, 1.0])
_words = st.text("aA.$b", max_size=2)
_lists = st.lists(st.integers(-2, 2), max_size=3)
_rows = st.lists(
    st.fixed_dictionaries({}, optional={"number": st.none() | _numbers, "word": _words}), max_size=2
)
_leaf_fields = {
    "number": st.none() | _numbers,
    "word": st.none() | _words,
    "flag": st.none() | st.booleans(),
    "values": st.none() | _lists,
}
_documents = st.fixed_dictionaries(
    {},
    optional={
        **_leaf_fields,
        "inner": st.none() | st.fixed_dictionaries({}, optional=_leaf_fields),
        "rows": st.none() | _rows,
    },
)

_MISSING = object()
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "__eq__": lambda a, b: a == b,
    "__gt__": lambda a, b: a > b,
    "__ge__": lambda a, b: a >= b,
    "__lt__": lambda a, b: a < b,
    "__le__": lambda a, b: a <= b,
}


def reached(doc: Any, path: str) -> list[Any]:
    """Return the values at a dotted path: one for each element of an array on the path."""
    key, _, rest = path.partition(".")
    if isinstance(doc, list):
        return [hit for row in doc if isinstance(row, dict) for hit in reached(row, path)]
    value = doc.get(key, _MISSING) if isinstance(doc, dict) else _MISSING
    return reached(value, rest) if rest else [value]


def candidates(doc: Doc, path: str) -> list[Any]:
    """Return the values that a comparison tests: the values, and the elements of arrays."""
    values = reached(doc, path)
    return [*values, *(item for value in values if isinstance(value, list) for item in value)]


def kind(value: Any) -> type:
    if value is _MISSING:
        return type(None)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float
    return type(value)


def compares(operator: str, found: Any, operand: Any) -> bool:
    if kind(found) is not kind(operand):
        return False
    if operand is None:
        return operator in ("__eq__", "__ge__", "__le__")
    return _COMPARISONS[operator](found, operand)


def equal_to_any(doc: Doc, path: str, values: list[Any]) -> bool:
    return any(compares("__eq__", hit, v) for hit in candidates(doc, path) for v in values)


_SCALAR_PATHS = {
    "number": _numbers, "inner.number": _numbers, "rows.number": _numbers,
    "word": _words, "inner.word": _words, "rows.word": _words,
    "flag": st.booleans(), "inner.flag": st.booleans(),
    "values": st.integers(-2, 2), "inner.values": st.integers(-2, 2),
}  # fmt: skip
_LIST_PATHS = ["values", "inner.values"]
_WORD_PATHS = ["word", "inner.word", "rows.word"]
_EVERY_PATH = [*_SCALAR_PATHS, "inner", "rows"]


@st.composite
def comparisons(draw: st.DrawFn) -> Query:
    path = draw(st.sampled_from(sorted(_SCALAR_PATHS)))
    value = draw(st.none() | _SCALAR_PATHS[path])
    operator = draw(st.sampled_from(["__ne__", *_COMPARISONS]))
    condition = getattr(fld[path], operator)(value)
    if operator == "__ne__":
        return Query(condition, lambda doc: not equal_to_any(doc, path, [value]))
    return Query(
        condition, lambda doc: any(compares(operator, hit, value) for hit in candidates(doc, path))
    )


@st.composite
def whole_lists(draw: st.DrawFn) -> Query:
    path, value = draw(st.sampled_from(_LIST_PATHS)), draw(_lists)
    return Query(fld[path] == value, lambda doc: equal_to_any(doc, path, [value]))


@st.composite
def memberships(draw: st.DrawFn) -> Query:
    path = draw(st.sampled_from(sorted(_SCALAR_PATHS)))
    values = draw(st.lists(st.none() | _SCALAR_PATHS[path], max_size=3))
    field = fld[path]
    return draw(
        st.sampled_from(
            [
                Query(field.is_in(values), lambda doc: equal_to_any(doc, path, values)),
                Query(field.is_not_in(values), lambda doc: not equal_to_any(doc, path, values)),
                Query(
                    field.is_all(values),
                    lambda doc: bool(values) and all(equal_to_any(doc, path, [v]) for v in values),
                ),
            ]
        )
    )


@st.composite
def presences(draw: st.DrawFn) -> Query:
    path = draw(st.sampled_from(_EVERY_PATH))
    if draw(st.booleans()):
        return Query(fld[path].is_null(), lambda doc: equal_to_any(doc, path, [None]))
    return Query(
        fld[path].is_exists(), lambda doc: any(v is not _MISSING for v in reached(doc, path))
    )


@st.composite
def sizes(draw: st.DrawFn) -> Query:
    path, size = draw(st.sampled_from([*_LIST_PATHS, "rows"])), draw(st.integers(0, 3))
    return Query(
        fld[path].has_size(size),
        lambda doc: any(isinstance(v, list) and len(v) == size for v in reached(doc, path)),
    )


@st.composite
def texts(draw: st.DrawFn) -> Query:
    path, text = draw(st.sampled_from(_WORD_PATHS)), draw(_words)
    method, test = draw(
        st.sampled_from(
            [
                ("contains", str.__contains__),
                ("starts_with", str.startswith),
                ("ends_with", str.endswith),
            ]
        )
    )
    return Query(
        getattr(fld[path], method)(text),
        lambda doc: any(isinstance(v, str) and test(v, text) for v in candidates(doc, path)),
    )


@st.composite
def element_matches(draw: st.DrawFn) -> Query:
    if draw(st.booleans()):
        path = draw(st.sampled_from(_LIST_PATHS))
        low, high = draw(st.integers(-2, 2)), draw(st.integers(-2, 2))
        return Query(
            fld[path].elem_match((element >= low) & (element < high)),
            lambda doc: any(
                isinstance(v, list) and any(low <= item < high for item in v)
                for v in reached(doc, path)
            ),
        )
    number, word = draw(_numbers), draw(_words)
    return Query(
        fld["rows"].elem_match((fld["number"] >= number) & ~(fld["word"] == word)),
        lambda doc: any(
            compares("__ge__", row.get("number"), number) and row.get("word") != word
            for row in doc.get("rows") or []
        ),
    )


_leaves = (
    comparisons()
    | whole_lists()
    | memberships()
    | presences()
    | sizes()
    | texts()
    | element_matches()
)


def _combined(inner: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    return (
        st.builds(
            lambda a, b: Query(a.condition & b.condition, lambda d: a.meets(d) and b.meets(d)),
            inner,
            inner,
        )
        | st.builds(
            lambda a, b: Query(a.condition | b.condition, lambda d: a.meets(d) or b.meets(d)),
            inner,
            inner,
        )
        | st.builds(lambda a: Query(~a.condition, lambda d: not a.meets(d)), inner)
    )


_queries = st.recursive(_leaves, _combined, max_leaves=5)
_examples = itertools.count(1)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(documents=st.lists(_documents, min_size=1, max_size=6), query=_queries)
async def test_server_finds_what_the_rules_say(
    client: Any, db: str, documents: list[Doc], query: Query
) -> None:
    example = next(_examples)
    stored = [
        {**doc, "_id": (example << 8) + n, "example": example} for n, doc in enumerate(documents)
    ]
    await client[db].random.insert_many(stored)
    rows = await Anything.filter(query.condition, fld["example"] == example).load_docs()
    expected = [doc["_id"] for doc in stored if query.meets(doc)]
    assert sorted(row["_id"] for row in rows) == expected, repr(query.condition)
