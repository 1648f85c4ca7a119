"""The documentation's code runs: each page's blocks in turn, in one namespace."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

import loom_async as lm

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"^(?P<mark><!-- no-run -->\n)?```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


def blocks_of(page: Path) -> list[CodeType]:
    """Return the compiled blocks of a page; those marked `<!-- no-run -->` are only compiled."""
    codes: list[CodeType] = []
    for n, match in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8"))):
        name = f"{page.name} block {n}"
        code = compile(match["code"], name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if not match["mark"]:
            codes.append(code)
    return codes


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
async def test_blocks_run(page: Path) -> None:
    namespace: dict[str, Any] = {"__name__": "documentation"}
    for code in blocks_of(page):
        result = eval(code, namespace)
        if inspect.isawaitable(result):
            await result


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_fences_name_a_language_alone(page: Path) -> None:
    # Anything after the language makes MkDocs show the fence as text, and hides it from BLOCK.
    opened = re.findall(r"^```(.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(opened) <= {"python", "console", "text"}


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_public_name_is_in_the_changelog_or_docs() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    text += (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    missing = [name for name in lm.__all__ if not re.search(rf"\b{name}\b", text)]
    assert missing == []
