"""Resume tokens of change streams."""

from __future__ import annotations

import pytest

import loom_async as lm
from loom_async import fld
from tests.aio.shop import User
from tests.aio.watching import operations, taken


async def test_tokens_go_on_after_their_change(db: str) -> None:
    async with User.watch() as changes:
        await User.persist_many([User(name=name) for name in "abcde"])
        tokens = [change.token for change in await taken(changes, 5)]
        await User(name="f").persist()
    assert all(isinstance(token, str) for token in tokens)
    for n, token in enumerate(tokens):
        async with User.watch(resume_after=token) as later:
            assert [name for _, name in await operations(later, 5 - n)] == list("abcdef")[n + 1 :]


async def test_the_token_advances_while_nothing_matches(db: str) -> None:
    async with User.filter(fld["name"] == "Ann").watch() as changes:
        token = changes.token
        await User.persist_many([User(name="Bea"), User(name="Ann")])
        change = await anext(changes)
        assert changes.token is not None
        assert token is not None
        assert token < change.token <= changes.token


@pytest.mark.parametrize("token", ["8263", "ffff", "64f8a0c0c0c0c0c0c0c0c0c0"])
async def test_a_token_that_the_server_cannot_read(db: str, token: str) -> None:
    with pytest.raises(lm.OperationFailed, match=r"watch User: (.|\n)*Hint: resume_after takes"):
        async with User.watch(resume_after=token):
            pass


async def test_a_text_that_is_not_a_token(db: str) -> None:
    with pytest.raises(lm.QueryError, match="'Ann' is not the token of a change"):
        User.watch(resume_after="Ann")
