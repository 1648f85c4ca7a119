"""Checks of the generated code: no asynchronous code is left, and no method is lost."""

from __future__ import annotations

import re
from pathlib import PurePath

import libcst as cst
from libcst.helpers import get_full_name_for_node

from .imports import is_shared

#: A folder or file of this name is written by hand in both packages.
HAND_WRITTEN = "_concurrency"


def is_hand_written(path: PurePath) -> bool:
    """Say whether a file is written by hand in both packages; the path is relative."""
    return HAND_WRITTEN in path.with_suffix("").parts


# In texts only words that are code; in code every asynchronous name.
_LEFTOVER_TEXT = re.compile(
    r"\b(async|await|asyncio|a(iter|next)|__a(enter|exit|iter|next)__|Awaitable|Coroutine)\b"
)
_LEFTOVER_NAME = re.compile(
    r"\w*(async|await|coroutine)\w*|(__)?a(iter|next|send|throw|enter|exit|closing)(__)?",
    re.IGNORECASE,
)


class GenerationError(Exception):
    """A source cannot be converted to synchronous code; the message says which and why."""


def check_leftovers(module: cst.Module, path: str) -> None:
    """Refuse generated code in which something asynchronous is left.

    Raises:
        GenerationError: A name or a text is asynchronous.
    """
    seen = _Seen()
    module.visit(seen)
    found = [name for name in seen.names if _LEFTOVER_NAME.fullmatch(name)]
    found += [match[0] for text in seen.texts if (match := _LEFTOVER_TEXT.search(text))]
    if found:
        raise GenerationError(
            f"{path}: {found[0]!r} is left over; code that differs between the packages belongs in "
            f"{HAND_WRITTEN}"
        )


def check_collisions(original: cst.Module, stripped: cst.Module, path: str) -> None:
    """Refuse a class in which two methods have the same name after the conversion.

    Raises:
        GenerationError: One would hide the other.
    """
    for before, after in zip(_classes(original), _classes(stripped), strict=True):
        if len(_methods(before)) != len(_methods(after)):
            both = sorted(_methods(before) - _methods(after))
            raise GenerationError(
                f"{path}: {before.name.value}.{both[0]} takes the name of another method"
            )


def _classes(module: cst.Module) -> list[cst.ClassDef]:
    return [node for node in module.body if isinstance(node, cst.ClassDef)]


def _methods(node: cst.ClassDef) -> set[str]:
    return {item.name.value for item in node.body.body if isinstance(item, cst.FunctionDef)}


class _Seen(cst.CSTVisitor):
    """Collects the identifiers and texts of a module, except imports: ruff removes unused ones."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.texts: list[str] = []

    def visit_Import(self, node: cst.Import) -> bool:
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        name = get_full_name_for_node(node) or ""
        return not (is_shared(name) or name.startswith(f"{HAND_WRITTEN}."))

    def visit_Name(self, node: cst.Name) -> None:
        self.names.append(node.value)

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        if "b" not in node.prefix:
            self.texts.append(node.value)

    def visit_FormattedStringText(self, node: cst.FormattedStringText) -> None:
        self.texts.append(node.value)

    def visit_Comment(self, node: cst.Comment) -> None:
        self.texts.append(node.value)
