"""The command: writes the generated files, or checks that they are up to date."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from .checks import GenerationError
from .tree import FOLDERS, build
from .twins import TwinError

ROOT = Path(__file__).parents[2]
_MEND = "To mend it: nox -s sync"


def main(words: list[str]) -> int:
    """Write the twins, or with `--check` compare them; return the process's exit status."""
    if unknown := set(words) - {"--check"}:
        print(f"unknown: {', '.join(unknown)}; the only option is --check", file=sys.stderr)
        return 2
    try:
        texts = build(ROOT)
    except (GenerationError, TwinError) as error:
        print(error, file=sys.stderr)
        return 1
    if words:
        return check(ROOT, texts)
    write(ROOT, texts)
    return 0


def check(root: Path, texts: Mapping[str, str]) -> int:
    """Print how the existing files differ; return 1 if any does."""
    problems = list(problems_of(root, texts))
    for problem in problems:
        print(problem)
    if problems:
        print(_MEND)
    return 1 if problems else 0


def problems_of(root: Path, texts: Mapping[str, str]) -> Iterator[str]:
    """Yield a diff for each file that differs, and a line for each missing or orphaned file."""
    for path, text in texts.items():
        file = root / path
        if not file.exists():
            yield f"{path} is missing"
        elif (there := file.read_bytes().decode("utf-8")) != text:
            lines = (there.splitlines(keepends=True), text.splitlines(keepends=True))
            yield "".join(difflib.unified_diff(*lines, path, f"{path}, as generated"))
    for path in orphans(root, texts):
        yield f"{path} is generated from nothing"


def write(root: Path, texts: Mapping[str, str]) -> None:
    """Write the files that differ, remove orphaned files, and print which."""
    for path, text in texts.items():
        file = root / path
        if not file.exists() or file.read_bytes().decode("utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode("utf-8"))
            print(f"wrote {path}")
    for path in orphans(root, texts):
        (root / path).unlink()
        print(f"removed {path}")


def orphans(root: Path, texts: Mapping[str, str]) -> Iterator[str]:
    """Yield the files of generated folders that have no source."""
    for folder in FOLDERS:
        for relative in folder.outputs(root):
            path = f"{folder.twin}/{relative.as_posix()}"
            if path not in texts:
                yield path
