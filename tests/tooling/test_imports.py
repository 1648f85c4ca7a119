"""The import rules: which folders the files of a folder may import."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import loom_async
import loom_sync

PACKAGE = Path(loom_async.__file__).parent
TWIN = Path(loom_sync.__file__).parent
FRAMES = {"pyarrow", "pymongoarrow", "pandas", "polars", "numpy", "dask", "narwhals"}

#: A folder imports itself and the folders before it, and no others.
FOLDERS = (
    "_core",
    "_concurrency",
    "connection",
    "collections",
    "operations",
    "documents",
    "blobs",
    "frames",
    "queries",
    "models",
)
#: The same inside the core; "" stands for the files directly in it.
CORE_FOLDERS = ("", "types", "model", "transactions", "query", "collections", "arrow", "frames")


def files(package: Path) -> list[Path]:
    """Return the files of a package without those of the generator."""
    return [path for path in sorted(package.rglob("*.py")) if "_generator" not in path.parts]


def module_of(path: Path) -> str:
    """Return the dotted module name of a file."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in files(PACKAGE)}


def imports_of(path: Path) -> Iterator[str]:
    """Yield the absolute names of the modules that a file imports, at the top or in a function."""
    package = path.relative_to(PACKAGE.parent).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, node.module or ""]).rstrip(".")
            for alias in node.names:
                submodule = f"{module}.{alias.name}"
                yield submodule if submodule in MODULES else module


def folder_of(module: str, above: str) -> str:
    """Return the folder directly below `above` that holds a module; "" for a file of `above`."""
    parts = module.removeprefix(f"{above}.").split(".")
    is_package = MODULES[module].name == "__init__.py"
    return parts[0] if len(parts) > 1 or is_package else ""


@pytest.mark.parametrize("path", files(PACKAGE), ids=lambda path: module_of(path))
def test_folders_import_those_below_them(path: Path) -> None:
    own = module_of(path)
    if own == "loom_async":
        return
    imported = {name for name in imports_of(path) if name in MODULES and name != own}
    order, above = FOLDERS, "loom_async"
    if own.startswith("loom_async._core"):
        assert all(name.startswith("loom_async._core") for name in imported), "the core is closed"
        order, above = CORE_FOLDERS, "loom_async._core"
    if own == above:
        return
    folder = folder_of(own, above)
    if folder == "mongod":  # of the core: it needs only the files directly in it
        allowed: tuple[str, ...] = ("", "mongod")
    else:
        allowed = order[: order.index(folder) + 1]
    wrong = {name for name in imported if folder_of(name, above) not in allowed}
    assert wrong == set(), f"{folder} is below these in {order}"


def test_no_file_imports_itself_in_a_circle() -> None:
    graph: Mapping[str, set[str]] = {
        module: {name for name in imports_of(path) if name in MODULES and name != module}
        for module, path in MODULES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


@pytest.mark.parametrize("path", files(PACKAGE / "_core"), ids=lambda path: module_of(path))
def test_the_core_does_no_io(path: Path) -> None:
    packages = {name.partition(".")[0] for name in imports_of(path)}
    assert packages.isdisjoint({"asyncio", "anyio"})
    tree = ast.parse(path.read_text(encoding="utf-8"))
    waits = [n for n in ast.walk(tree) if isinstance(n, ast.AsyncFunctionDef | ast.Await)]
    assert waits == []


def test_packages_have_no_code_in_their_init() -> None:
    for path in files(PACKAGE):
        if path.name == "__init__.py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            allowed = ast.ImportFrom | ast.Assign | ast.Expr
            assert all(isinstance(node, allowed) for node in tree.body), path


def test_frames_are_not_needed() -> None:
    """Both packages can be imported without pyarrow and the other frame libraries."""
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


@pytest.mark.parametrize("path", files(PACKAGE), ids=lambda path: module_of(path))
def test_only_concurrency_imports_asyncio(path: Path) -> None:
    if "_concurrency" not in path.parts:
        assert {name.partition(".")[0] for name in imports_of(path)}.isdisjoint({"asyncio"})


@pytest.mark.parametrize("path", files(TWIN), ids=lambda path: str(path.relative_to(TWIN)))
def test_the_twin_has_no_event_loop(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    # One function checks whether an event loop runs, to tell a task's block from a script's.
    has_loop = path.parent.name == "_concurrency" and path.name == "primitives.py"
    assert names.isdisjoint({"anyio", "sniffio"} | (set() if has_loop else {"asyncio"}))
    waiting = [node.name for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]
    assert all(name.endswith("_async") for name in waiting)
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert called.isdisjoint({"run_until_complete", "run_coroutine_threadsafe", "new_event_loop"})


def test_public_names_are_documented_and_grouped() -> None:
    for name in loom_async.__all__:
        value = getattr(loom_async, name)
        if callable(value):
            assert value.__doc__ or name.startswith(("Str", "Time", "Incr", "PyObject")), name


def test_the_embedded_server_is_imported_with_the_package() -> None:
    """A process forked during a later import would wait for the lock of that import forever."""
    for package in ("loom_async", "loom_sync"):
        code = f"import {package}; {package}.connection.embedded_server"
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
