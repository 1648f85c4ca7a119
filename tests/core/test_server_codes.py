"""The server's error codes: one name for each, and no bare number in the package."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import loom_async
from loom_async._core import server_codes

PACKAGE = Path(loom_async.__file__).parent
FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "server_codes.py"]


def test_each_code_has_one_name() -> None:
    codes = [value for value in vars(server_codes).values() if isinstance(value, int)]
    assert len(codes) == len(set(codes))


def compared_codes(tree: ast.AST) -> Iterator[int]:
    """Yield the numbers that are compared with a code, or passed as one."""
    for node in ast.walk(tree):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Compare) and re.search(r"\bcode\b", ast.unparse(node.left)):
            parts = list(node.comparators)
        elif isinstance(node, ast.keyword) and node.arg == "code":
            parts = [node.value]
        for part in parts:
            for constant in ast.walk(part):
                if isinstance(constant, ast.Constant) and isinstance(constant.value, int):
                    yield constant.value


def test_codes_are_used_by_name() -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
    assert [path for path, tree in trees.items() if list(compared_codes(tree))] == []
