"""Random edits by two writers, before, during and after an update."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loom_async._core.bson_codec import encode_bson
from loom_async._core.model.absorb import absorb_modification
from loom_async._core.model.bson_equality import same
from loom_async._core.model.hydration import hydrator
from loom_async._core.model.write_plan import Modification, plan_persist
from tests.core.model.update_interpreter import applied
from tests.core.model.users import NOW, STORED_NOW, Address, User, Visit, encoded, loaded

small = st.integers(0, 3)
texts = st.sampled_from(["", "a", "B"])
moments = st.just(NOW) | st.just(STORED_NOW)
assignments = st.fixed_dictionaries(
    {},
    optional={
        "name": texts,
        "nick": texts,
        "visits": small,
        "tags": st.sets(texts, max_size=2),
        "notes": st.lists(small, max_size=3),
        "address": st.builds(Address, city=texts, zip=texts),
        "last": st.none() | st.builds(Visit, at=moments),
        "seen": st.lists(moments, max_size=2),
    },
)


def assign(user: User, values: dict[str, Any]) -> None:
    for name, value in deepcopy(values).items():
        setattr(user, name, value)


@given(assignments, assignments, assignments, assignments)
def test_after_any_update_the_next_one_sends_the_edits_made_since(
    origin: dict[str, Any],
    edits: dict[str, Any],
    theirs: dict[str, Any],
    since: dict[str, Any],
) -> None:
    user = loaded()
    assign(user, origin)
    user = hydrator(User).one(user.dump_doc())
    another = deepcopy(user)
    assign(user, edits)
    plan = plan_persist(user, NOW)
    if not isinstance(plan, Modification):
        return
    sent = encoded(user)
    assign(user, since)
    mine = encoded(user)
    assign(another, theirs)
    stored = applied(plan.update, another.dump_doc())
    absorb_modification(user, plan, encode_bson(stored))
    now_stored = encoded(hydrator(User).one(stored))
    for name, value in encoded(user).items():
        if name != "touched" and same(mine[name], sent[name]):
            assert same(value, now_stored[name]), name
    following = plan_persist(user, NOW)
    if following is not None:
        assert isinstance(following, Modification)
        stored = applied(following.update, stored)
    final = encoded(hydrator(User).one(stored))
    assert same({**final, "touched": None}, {**encoded(user), "touched": None})
