"""Regular expressions that mean the same to pydantic and to MongoDB."""

from __future__ import annotations

import re
from typing import Any

# Rust's regex and Python's know Unicode in \d, \w, \s and \b, where PCRE in MongoDB knows ASCII:
# these are left out. So are groups that repeat, and classes of anything but plain characters.
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
    """Return the text of a regular expression that MongoDB takes as pydantic does, else None.

    Whatever pydantic lets pass, MongoDB lets pass. An expression that may go back over the text
    again and again is not one of these: it could meet a limit of the server's.

    Parameters:
        pattern: An expression of pydantic's, or a compiled one of Python's.
    """
    if getattr(pattern, "flags", 0) not in _PLAIN_FLAGS:
        return None
    text = getattr(pattern, "pattern", pattern)
    if not isinstance(text, str):
        return None
    varying = _varying_repeats(text.removeprefix("^").removesuffix("$"))
    if varying is None or varying > text.startswith("^"):
        return None
    # "^a|b" begins anywhere.
    return None if varying and "|" in text else text


def _varying_repeats(text: str) -> int | None:
    """Return how many atoms repeat any number of times; None if something else is in the text."""
    position = count = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            return None
        count += bool(match["repeat"]) and not _FIXED.fullmatch(match["repeat"])
        position = match.end()
    return count
