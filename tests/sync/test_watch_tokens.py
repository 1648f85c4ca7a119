# Generated from tests/aio/test_watch_tokens.py by `nox -s sync`: edit that file.
"""Resume tokens of change streams."""

from __future__ import annotations

import pytest

import loom_sync as lm
from loom_sync import fld
from tests.sync.shop import User
from tests.sync.watching import operations, taken


def test_tokens_go_on_after_their_change(db: str) -> None:
    with User.watch() as changes:
        User.persist_many([User(name=name) for name in "abcde"])
        tokens = [change.token for change in taken(changes, 5)]
        User(name="f").persist()
    assert all(isinstance(token, str) for token in tokens)
    for n, token in enumerate(tokens):
        with User.watch(resume_after=token) as later:
            assert [name for _, name in operations(later, 5 - n)] == list("abcdef")[n + 1 :]


def test_the_token_advances_while_nothing_matches(db: str) -> None:
    with User.filter(fld["name"] == "Ann").watch() as changes:
        token = changes.token
        User.persist_many([User(name="Bea"), User(name="Ann")])
        change = next(changes)
        assert changes.token is not None
        assert token is not None
        assert token < change.token <= changes.token


@pytest.mark.parametrize("token", ["8263", "ffff", "64f8a0c0c0c0c0c0c0c0c0c0"])
def test_a_token_that_the_server_cannot_read(db: str, token: str) -> None:
    with pytest.raises(lm.OperationFailed, match=r"watch User: (.|\n)*Hint: resume_after takes"):
        with User.watch(resume_after=token):
            pass


def test_a_text_that_is_not_a_token(db: str) -> None:
    with pytest.raises(lm.QueryError, match="'Ann' is not the token of a change"):
        User.watch(resume_after="Ann")
