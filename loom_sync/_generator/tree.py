"""The folders that are generated, and the contents of their files."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import libcst as cst

from .checks import GenerationError, check_collisions, check_leftovers, is_hand_written
from .kept import keep_functions
from .names import Renames
from .strip import Strip
from .twins import add_twins

# Rules of ruff that apply to code without `await`: imports, nested `with`, loops that only yield.
_MENDED = ("I001", "F401", "C416", "SIM117", "UP028")


@dataclass(frozen=True)
class Folder:
    """A folder that is written by hand, and the folder that is generated from it.

    Parameters:
        source: The folder that is read.
        twin: The folder that is written.
        is_package: Whether public classes get `_async` twins.
        shared: Files and folders without a twin: both packages use them, or only one needs them.
        other: Files and folders beside the generated ones that are not generated.
    """

    source: str
    twin: str
    is_package: bool = False
    shared: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    def sources(self, root: Path) -> Iterator[Path]:
        """Yield the files to generate from, relative to the folder."""
        for path in sorted((root / self.source).rglob("*.py")):
            relative = path.relative_to(root / self.source)
            if relative.parts[0] not in self.shared and not is_hand_written(relative):
                yield relative

    def outputs(self, root: Path) -> Iterator[Path]:
        """Yield the files that are there and should be generated, relative to the folder."""
        for path in sorted((root / self.twin).rglob("*.py")):
            relative = path.relative_to(root / self.twin)
            if relative.parts[0] not in self.other and not is_hand_written(relative):
                yield relative


FOLDERS = (
    Folder("loom_async", "loom_sync", is_package=True, shared=("_core",), other=("_generator",)),
    Folder("tests/aio", "tests/sync"),
    Folder(
        "tests/faults",
        "tests/faults/sync",
        shared=(
            *("sync", "conftest.py", "leftovers.py", "proxy.py", "replica_set.py"),
            *("test_cancelling.py", "test_full_disk.py"),
        ),
    ),
    Folder("tests/bench", "tests/bench/sync", shared=("sync", "load.py", "peers.py", "plot.py")),
    Folder("examples/async", "examples/sync"),
)


def build(root: Path) -> dict[str, str]:
    """Return the text of every generated file, by path.

    Raises:
        GenerationError: A source cannot be converted, or no source needs a rename.
    """
    renames = Renames()
    texts: dict[str, str] = {}
    for folder in FOLDERS:
        for relative in folder.sources(root):
            source = PurePosixPath(folder.source, *relative.parts)
            twin = PurePosixPath(folder.twin, *relative.parts)
            text = (root / source).read_text(encoding="utf-8")
            texts[str(twin)] = convert(text, str(source), renames, is_package=folder.is_package)
    if unused := renames.unused():
        raise GenerationError(f"no source needs the renames of {', '.join(unused)}: remove them")
    return formatted(root, texts)


def convert(text: str, path: str, renames: Renames, *, is_package: bool) -> str:
    """Return the synchronous code of one file, not yet formatted.

    Parameters:
        text: The asynchronous code.
        path: Its path from the project's root.
        renames: What is called differently.
        is_package: Whether its public classes get `_async` twins.

    Raises:
        GenerationError: Something asynchronous is left over.
    """
    if not text.strip():
        return text
    module = path.removesuffix(".py").replace("/", ".")
    original = cst.parse_module(text)
    stripped = original.visit(Strip(module, renames))
    check_leftovers(stripped, path)
    check_collisions(original, stripped, path)
    if is_package:
        package, _, name = module.rpartition(".")
        if name != "__init__":
            stripped = add_twins(original, stripped, module)
        elif "." not in package:
            stripped = keep_functions(original, stripped, package)
    return f"# Generated from {path} by `nox -s sync`: edit that file.\n" + (stripped.code)


def formatted(root: Path, texts: Mapping[str, str]) -> dict[str, str]:
    """Return Python files formatted by ruff, with sorted imports and without unused ones."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        config = ["--config", str(root / "pyproject.toml"), name]
        _ruff("check", "--fix-only", "--unsafe-fixes", "--select", ",".join(_MENDED), *config)
        _ruff("format", *config)
        return {path: (folder / path).read_text(encoding="utf-8") for path in texts}


def _ruff(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise GenerationError(f"ruff {words[0]} failed: {done.stderr or done.stdout}")
