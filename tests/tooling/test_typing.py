"""Type checkers report a field that the model lacks inside the lambda form."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SNIPPET = """
import {package} as lm


@lm.declare_persist_db("shop", "users")
class User(lm.Persistable):
    age: int


User.filter(lambda u: (u.{field} > 25) & (u.age < 60))
"""


def check(tool: str, package: str, field: str, directory: Path) -> subprocess.CompletedProcess[str]:
    pytest.importorskip(tool)
    source = directory / "snippet.py"
    source.write_text(SNIPPET.format(package=package, field=field), encoding="utf-8")
    command = [sys.executable, "-m", tool, str(source)]
    if tool == "mypy":
        command += ["--strict", "--config-file", str(ROOT / "pyproject.toml")]
    else:
        project = directory / "pyrightconfig.json"
        project.write_text(
            f'{{"include": ["snippet.py"], "extraPaths": ["{ROOT}"], "typeCheckingMode": "strict"}}'
        )
        command = [sys.executable, "-m", tool, "-p", str(directory), "--pythonpath", sys.executable]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, cwd=ROOT, check=False
    )


@pytest.mark.parametrize("package", ["loom_async", "loom_sync"])
@pytest.mark.parametrize("tool", ["mypy", "pyright"])
def test_typo_in_a_lambda_is_reported(tool: str, package: str, tmp_path: Path) -> None:
    done = check(tool, package, "agee", tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "agee" in done.stdout


@pytest.mark.parametrize("package", ["loom_async", "loom_sync"])
@pytest.mark.parametrize("tool", ["mypy", "pyright"])
def test_field_of_the_model_is_accepted(tool: str, package: str, tmp_path: Path) -> None:
    done = check(tool, package, "age", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
