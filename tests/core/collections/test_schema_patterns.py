"""Regular expressions that Python and MongoDB's server read alike."""

from __future__ import annotations

import re
from typing import Any

import pytest

from loom_async._core.collections.schema_patterns import portable_pattern


@pytest.mark.parametrize(
    "pattern",
    ["^[a-z]+$", "^[A-Z]{2}[0-9]{6}$", "^(?:ab|cd)x$", "a|b", r"^\$[^@.]*$", "^a-?b$", "", "x{3}"],
)
def test_portable_patterns_are_kept(pattern: str) -> None:
    assert portable_pattern(pattern) == pattern
    assert portable_pattern(re.compile(pattern)) == pattern


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d", r"\w+", r"\bx", "(?i)a", "(?=a)", "(a+)+", "(a|b)*", "^a+b+$", "[a-z]+", "^a|b+",
        "a++", "a{2}{3}", "[[:alpha:]]", "[a--b]", "[a&&b]", "é", r"\p{L}", "a{,3}", "(?P<x>a)",
        re.compile("a", re.IGNORECASE), None, 3,
    ],
)  # fmt: skip
def test_patterns_that_engines_may_read_differently_are_left_out(pattern: Any) -> None:
    assert portable_pattern(pattern) is None
