"""The documentation's code runs: the blocks of each page in order, and the examples."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

import loom_async as lm
import loom_sync
from tests.tooling.type_table import PAGE, written

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>no-run|from (?P<source>\S+)#(?P<section>\w+)) -->\n)?"
    r"```python\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
# Only the block form of a snippet: ruff would reformat the one-line form as Python.
INCLUDE = re.compile(r"^ *(?P<path>examples/[\w/]+\.py):(?P<section>\w+)$", re.MULTILINE)
TABS = re.compile(
    r'^=== "Async"\n\n(?P<async>(?: {4}.*\n)+)\n=== "Sync"\n\n(?P<sync>(?: {4}.*\n)+)', re.MULTILINE
)
EXAMPLES = [
    path
    for path in sorted((ROOT / "examples").rglob("*.py"))
    if path.name != "quickstart.py"  # `nox -s quickstart` runs it, on data of another package
]


def blocks_of(page: Path) -> list[CodeType]:
    """Return the code of a page's blocks, without included examples.

    All blocks are compiled. A block marked `<!-- no-run -->` is not returned, nor is one marked
    `<!-- from … -->`: it repeats an example, which runs as a script.
    """
    codes: list[CodeType] = []
    for n, match in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8"))):
        if INCLUDE.search(match["code"]):
            continue
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
    # With anything after the language, MkDocs shows the fence as text, and BLOCK does not match.
    opened = re.findall(r"^```(.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(opened) <= {"python", "console", "text"}


def section(path: str, name: str) -> str:
    """Return the code of one section of an example."""
    text = (ROOT / path).read_text(encoding="utf-8")
    marks = [f"# --8<-- [{end}:{name}]\n" for end in ("start", "end")]
    assert [text.count(mark) for mark in marks] == [1, 1], f"{path}: {name}"
    return text.partition(marks[0])[2].partition(marks[1])[0].strip("\n") + "\n"


def test_blocks_that_name_their_source_are_its_text() -> None:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    named = [match for text in texts for match in BLOCK.finditer(text) if match["source"]]
    assert {match["source"] for match in named} == {
        "examples/async/first.py",
        "examples/sync/first.py",
    }
    for match in named:
        assert match["code"] == section(match["source"], match["section"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tabs_show_the_same_in_both_worlds(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    pairs = list(TABS.finditer(text))
    assert len(pairs) * 2 == len(re.findall(r"^===", text, re.MULTILINE))
    for pair in pairs:
        assert pair["async"].replace("examples/async/", "examples/sync/") == pair["sync"]
        assert INCLUDE.search(pair["async"])


def test_each_section_is_included_and_there() -> None:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    included = {
        (m["path"].replace("examples/sync/", "examples/async/"), m["section"])
        for text in texts
        for m in INCLUDE.finditer(text)
    }
    for path, name in included:
        section(path, name)
    marked = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in EXAMPLES
        if path.parent.name != "sync"
        for name in re.findall(r"\[start:(\w+)\]", path.read_text(encoding="utf-8"))
    }
    assert marked == included


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_example_runs(script: Path, tmp_path: Path) -> None:
    # Each example starts a temporary server, so the user's settings must not apply.
    env = {name: value for name, value in os.environ.items() if not name.startswith("LOOM_")}
    if mongod := os.environ.get("LOOM_MONGOD"):
        env["LOOM_MONGOD"] = mongod
    env |= {"LOOM_DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", str(script)]
    done = subprocess.run(
        command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == [], "an example leaves nothing behind"


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


NAMES = sorted({*lm.__all__, *loom_sync.__all__})


def test_every_public_name_is_in_the_guide() -> None:
    """The changelog does not count: it lists new names without explaining them."""
    text = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md"))
    assert [name for name in NAMES if not re.search(rf"\b{name}\b", text)] == []


def test_every_public_name_is_in_the_reference() -> None:
    """By its own directive or the module's, which leaves out names without a docstring."""
    griffe = pytest.importorskip("griffe")
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    given = set(re.findall(r"^::: (\S+)$", text, re.MULTILINE))
    assert "loom_async" in given
    package = griffe.load("loom_async", search_paths=[ROOT])
    shown = {name for name in lm.__all__ if package[name].docstring is not None}
    shown |= {target.removeprefix("loom_sync.") for target in given}
    assert [name for name in NAMES if name not in shown] == []


def test_the_readme_does_not_say_what_is_missing() -> None:
    """Such a list is outdated by the next change."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    assert not re.search(r"not (there )?yet|not implemented|\bto ?do\b|coming soon", text)


def test_the_table_of_types_is_that_of_the_registry() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == written(page), "python -m tests.tooling.type_table"
