"""Regular expressions that match the same strings in pydantic and in MongoDB."""

from __future__ import annotations

import re
from typing import Any

# In Rust's regex and in Python's, \d, \w, \s and \b are about Unicode; in MongoDB's PCRE they are
# about ASCII. They are not portable, nor are repeated groups and classes of other than plain
# characters.
_PUNCTUATION = r"\\[.^$*+?(){}\[\]|/\\-]"
_PLAIN = r"[A-Za-z0-9 _.,:;@/+*?()!#%='\"$-]"
_CLASS = rf"\[(?![^\]]*--)\^?(?:[A-Za-z0-9]-[A-Za-z0-9]|{_PLAIN}|{_PUNCTUATION})+\]"
_ATOM = rf"(?:[A-Za-z0-9 _@:;/,#%&=~!<>'\"-]|\.|{_PUNCTUATION}|{_CLASS})"
_REPEAT = r"(?:[*+?]|\{\d{1,3}(?:,(?:\d{1,3})?)?\})"
_TOKEN = re.compile(
    rf"(?P<atom>{_ATOM})(?P<repeat>{_REPEAT})?(?![*+?{{])|(?P<group>\((?:\?:)?|\)(?![*+?{{])|\|)"
)
_FIXED = re.compile(r"\{\d+\}")
_PLAIN_FLAGS = (0, re.UNICODE)


def portable_pattern(pattern: Any) -> str | None:
    """Return a pattern if MongoDB matches every string that pydantic matches; else None.

    A pattern with much backtracking is not portable: it could exceed a limit of the server.

    Parameters:
        pattern: A pattern of pydantic, or a compiled pattern of Python.
    """
    if getattr(pattern, "flags", 0) not in _PLAIN_FLAGS:
        return None
    text = getattr(pattern, "pattern", pattern)
    if not isinstance(text, str):
        return None
    varying = _varying_repeats(text.removeprefix("^").removesuffix("$"))
    if varying is None or varying > text.startswith("^"):
        return None
    # "^a|b" may match anywhere.
    return None if varying and "|" in text else text


def _varying_repeats(text: str) -> int | None:
    """Return the number of atoms with a varying repeat; None if the text has anything else."""
    position = count = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            return None
        count += bool(match["repeat"]) and not _FIXED.fullmatch(match["repeat"])
        position = match.end()
    return count
