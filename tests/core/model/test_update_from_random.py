"""Random patches: the object is what pydantic makes of its merged dump, or it is as it was."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

import loom_async as lm


class Leaf(BaseModel):
    a: int = Field(ge=0)
    b: str | None = None


class Branch(BaseModel):
    leaf: Leaf
    other: Leaf | None = None
    leaves: list[Leaf] = []


class Tree(lm.PersistableBase):
    n: int = Field(default=0, le=9)
    s: lm.StrLower = ""
    branch: Branch
    maybe: Branch | None = None
    by_key: dict[str, Leaf] = {}
    counts: dict[str, int] = {}
    tags: set[int] = set()


_NUMBERS = st.integers(-1, 12) | st.sampled_from(["3", "x", None, 2.0])
_TEXTS = st.sampled_from(["", "A", "b", None, 1])
_LEAF = st.fixed_dictionaries({}, optional={"a": _NUMBERS, "b": _TEXTS})
_ANY_LEAF = _LEAF | st.none()
_BRANCH = st.fixed_dictionaries(
    {}, optional={"leaf": _LEAF, "other": _ANY_LEAF, "leaves": st.lists(_LEAF, max_size=2)}
)
_KEYS = st.sampled_from(["x", "y", "z"])
_PATCH = st.fixed_dictionaries(
    {},
    optional={
        "n": _NUMBERS,
        "s": _TEXTS,
        "branch": _BRANCH,
        "maybe": _BRANCH | st.none(),
        "by_key": st.dictionaries(_KEYS, _LEAF, max_size=2),
        "counts": st.dictionaries(_KEYS, _NUMBERS, max_size=2),
        "tags": st.lists(_NUMBERS, max_size=2),
    },
)


def tree() -> Tree:
    leaf: dict[str, Any] = {"a": 1, "b": "b"}
    return Tree.model_validate(
        {
            "_id": ObjectId(b"0" * 12),
            "branch": {"leaf": leaf, "leaves": [leaf]},
            "by_key": {"x": leaf, "y": leaf},
            "counts": {"x": 1, "y": 2},
            "tags": [1, 2],
        }
    )


def merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: merged(old.get(key), value) for key, value in new.items()}}
    return new


def places(value: Any, path: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], int]:
    """Return the identities of the models and dicts of an object by their paths."""
    entries: dict[Any, Any]
    if isinstance(value, BaseModel):
        entries = vars(value)
    elif isinstance(value, dict):
        entries = value
    else:
        return {}
    found = {path: id(value)}
    for key, one in entries.items():
        found |= places(one, (*path, key))
    return found


@given(st.lists(_PATCH, min_size=1, max_size=3), st.booleans())
def test_random_patches(patches: list[dict[str, Any]], partial: bool) -> None:
    held = tree()
    for patch in patches:
        before, sets = deepcopy(held), held.model_fields_set.copy()
        at, given_patch = places(held), deepcopy(patch)
        values = held.model_dump()
        whole = merged(values, patch) if partial else {**values, **patch}
        try:
            expected = Tree.model_validate(whole)
        except ValidationError:
            with pytest.raises(ValueError, match="validation error"):
                held.update_from(patch, partial=partial)
            assert held == before
            assert (places(held), held.model_fields_set) == (at, sets)
        else:
            held.update_from(patch, partial=partial)
            assert held.model_dump() == expected.model_dump()
            assert held.model_fields_set == sets | patch.keys()
            if partial:
                now = places(held)
                assert all(now[path] == at[path] for path in now.keys() & at.keys())
        assert patch == given_patch


@given(_PATCH)
def test_a_model_patches_as_the_dict_of_its_set_fields(patch: dict[str, Any]) -> None:
    class AnyPatch(BaseModel):
        n: Any = None
        s: Any = None
        branch: Any = None
        maybe: Any = None
        by_key: Any = None
        counts: Any = None
        tags: Any = None

    results: list[Any] = []
    for one in (patch, AnyPatch(**patch)):
        held = tree()
        try:
            held.update_from(one)
        except ValidationError as error:
            results.append([(detail["loc"], detail["msg"]) for detail in error.errors()])
        else:
            results.append(held)
    assert results[0] == results[1]
