"""Names that differ between the packages. A rename that no source needs is an error."""

from __future__ import annotations

import re
from collections import Counter

# Identifiers in code, comments and docstrings.
IDENTIFIERS = {
    "AbstractAsyncContextManager": "AbstractContextManager",
    "AsyncChangeStream": "ChangeStream",
    "AsyncClientSession": "ClientSession",
    "AsyncCollection": "Collection",
    "AsyncDatabase": "Database",
    "AsyncGenerator": "Generator",
    "AsyncGridFSBucket": "GridFSBucket",
    "AsyncGridOut": "GridOut",
    "AsyncIterator": "Iterator",
    "AsyncMongoClient": "MongoClient",
    "StopAsyncIteration": "StopIteration",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aclose": "close",
    "aclosing": "closing",
    "anext": "next",
    "asynccontextmanager": "contextmanager",
    "asynchronous": "synchronous",
    "get_async_local_db_client": "get_local_db_client",
    "get_async_remote_db_client": "get_remote_db_client",
}

# Words in comments and docstrings, longer phrases first. Other strings may be data.
PHRASES = {
    "an async-first": "an",
    "event loop": "process",
    "tasks": "threads",
    "task": "thread",
}

# Classes whose objects do I/O when they are iterated: a method that returns one gets a twin,
# although it does no I/O itself.
ITERATED = ("Changes",)

# Functions that the synchronous package has too, under their asynchronous names.
KEPT_FUNCTIONS = ("get_async_local_db_client", "get_async_remote_db_client")

_KEYWORDS = re.compile(r"\bawait (?=[\w(%]|\Z)|\basync (?=(?:for|with|def)\b)")
_IMPORT = re.compile(r"^ *(?:>>> |\.\.\. )?import asyncio\n", re.MULTILINE)
_RUN = re.compile(r"\basyncio\.run\((?P<call>.*)\)")
_PACKAGE = re.compile(r"\bloom_async\b(?!\._core)")
_FOLDERS = {"tests/aio": "tests/sync", "examples/async": "examples/sync"}
_ARTICLE = r"\b(?P<article>[Aa]n )?"
_NAMES = re.compile(rf"{_ARTICLE}(?P<word>{'|'.join(IDENTIFIERS)})\b")
_PROSE = re.compile(rf"{_ARTICLE}(?P<word>{'|'.join(PHRASES)})\b")


class Renames:
    """Applies the renames, and counts the uses of each."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def identifier(self, name: str) -> str:
        """Return the name of an identifier in synchronous code."""
        if name not in IDENTIFIERS:
            return name
        self._used[name] += 1
        return IDENTIFIERS[name]

    def text(self, text: str) -> str:
        """Return a string, which may contain code, converted to synchronous code."""
        text = _KEYWORDS.sub("", _RUN.sub(r"\g<call>", _IMPORT.sub("", text)))
        for folder, twin in _FOLDERS.items():
            text = text.replace(folder, twin)
        return _NAMES.sub(self._word, _PACKAGE.sub("loom_sync", text))

    def prose(self, text: str) -> str:
        """Return a comment or a docstring for synchronous code."""
        return _PROSE.sub(self._word, self.text(text))

    def _word(self, match: re.Match[str]) -> str:
        word, article = match["word"], match["article"] or ""
        self._used[word] += 1
        renamed = IDENTIFIERS.get(word) or PHRASES[word]
        # "an event loop" becomes "a process"
        return (article if renamed[0] in "aeiouAEIOU" else article.replace("n", "")) + renamed

    def unused(self) -> list[str]:
        """Return the renames that no file used."""
        return [name for name in (*IDENTIFIERS, *PHRASES) if not self._used[name]]
