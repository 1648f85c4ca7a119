"""The import rules: what may know of what."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import loom_async
import loom_sync

PACKAGE = Path(loom_async.__file__).parent
TWIN = Path(loom_sync.__file__).parent
CORE = sorted((PACKAGE / "_core").rglob("*.py"))
FRAMES = {"pyarrow", "pymongoarrow", "pandas", "polars", "numpy", "dask", "narwhals"}


def imports_of(path: Path) -> set[str]:
    """Return the absolute names of the modules that a file imports anywhere."""
    package = list(path.relative_to(PACKAGE.parent).parent.parts)
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            found.add(".".join([*base, node.module or ""]).rstrip("."))
    return found


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_core_is_pure(path: Path) -> None:
    names = imports_of(path)
    outside = {n for n in names if n.startswith("loom_async") and "._core" not in n}
    assert outside == set(), "the core never imports its parent"
    assert not any(name.split(".")[0] in {"asyncio", "anyio"} for name in names)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    waits = [n for n in ast.walk(tree) if isinstance(n, ast.AsyncFunctionDef | ast.Await)]
    assert waits == [], "the core never waits"


def test_frames_are_not_needed() -> None:
    """The packages are imported where pyarrow and the like are not installed."""
    script = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {FRAMES!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
import loom_async, loom_sync
class User(loom_sync.Persistable):
    name: str
try:
    User.get_arrow_schema()
except loom_sync.ConfigurationError as error:
    print(error.hint)
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ('pip install "loom-odm[arrow]"\n', "")


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.name)
def test_only_the_seam_knows_asyncio(path: Path) -> None:
    if path.name != "_seam.py":
        assert "asyncio" not in imports_of(path)


@pytest.mark.parametrize("path", sorted(TWIN.glob("*.py")), ids=lambda path: path.name)
def test_the_twin_has_no_event_loop(path: Path) -> None:
    names = imports_of(path)
    # The seam asks whether a loop runs, to tell a task's block from a script's.
    assert names.isdisjoint(
        {"anyio", "sniffio"} | (set() if path.name == "_seam.py" else {"asyncio"})
    )
    tree = ast.parse(path.read_text(encoding="utf-8"))
    waiting = [node.name for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]
    assert all(name.endswith("_async") for name in waiting)
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert called.isdisjoint({"run_until_complete", "run_coroutine_threadsafe", "new_event_loop"})


def test_public_names_are_documented_and_grouped() -> None:
    for name in loom_async.__all__:
        value = getattr(loom_async, name)
        if callable(value):
            assert value.__doc__ or name.startswith(("Str", "Time", "Incr", "PyObject")), name
