"""Settings: their sources, and which one takes precedence."""

from __future__ import annotations

import pytest

import loom_async as lm
from loom_async._core import settings as module


@pytest.fixture(autouse=True)
def _unconfigured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_configured", {})


def test_precedence_of_context_configure_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lm.settings().server_timeout == 30
    monkeypatch.setenv("LOOM_SERVER_TIMEOUT", "5")
    assert lm.settings().server_timeout == 5
    lm.configure(server_timeout=6)
    assert lm.settings().server_timeout == 6
    with lm.config_context(server_timeout=7):
        assert lm.settings().server_timeout == 7
        with lm.config_context(server_timeout=8):
            assert lm.settings().server_timeout == 8
        assert lm.settings().server_timeout == 7
    assert lm.settings().server_timeout == 6


def test_an_unknown_setting_names_the_most_similar() -> None:
    with pytest.raises(lm.ConfigurationError, match="server_timeout"):
        lm.configure(server_timout=3)
    with pytest.raises(lm.ConfigurationError), lm.config_context(nothing_like_it=1):
        pass


def test_an_invalid_value_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(lm.ConfigurationError, match="server_timeout"):
        lm.configure(server_timeout=-1)
    assert lm.settings().server_timeout == 30
    monkeypatch.setenv("LOOM_SERVER_TIMEOUT", "soon")
    with pytest.raises(lm.ConfigurationError, match="server_timeout"):
        lm.settings()


def test_a_password_is_in_no_part_of_an_error() -> None:
    with pytest.raises(
        lm.ConfigurationError, match="uri: Input should be a valid string"
    ) as caught:
        lm.configure(uri=["mongodb://user:hunter2@host/"])
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_passwords_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOM_URI", "mongodb://u:hunter2@h/")
    monkeypatch.setenv("LOOM_REMOTE_SECRET", "hunter3")
    assert "hunter" not in repr(lm.settings()) + str(lm.settings())
