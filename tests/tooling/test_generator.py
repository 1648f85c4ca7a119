"""The generator: the code that it generates, and the code that it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("libcst")
pytest.importorskip("ruff")

from loom_sync._generator import command, tree
from loom_sync._generator.checks import GenerationError
from loom_sync._generator.names import IDENTIFIERS, PHRASES, Renames
from loom_sync._generator.tree import build, convert, formatted
from loom_sync._generator.twins import TwinError

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "generator"


def generated(code: str, path: str = "loom_async/orders.py", *, is_package: bool = True) -> str:
    """Return the formatted code that the generator makes of a file."""
    text = convert(code, path, Renames(), is_package=is_package)
    return formatted(ROOT, {"x.py": text})["x.py"]


def test_golden_file() -> None:
    made = generated((GOLDEN / "source.txt").read_text(encoding="utf-8"))
    assert made == (GOLDEN / "twin.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "twin"),
    [
        ("x = await f()", "x = f()"),
        ("x = (await f()).y", "x = f().y"),
        ("x = (await f())[0]", "x = f()[0]"),
        ("x = await (a or b)", "x = a or b"),
        ("x = 1 + await f() * await g()", "x = 1 + f() * g()"),
        ("x = await (await f()).g()", "x = f().g()"),
        ("x = (\n    await f()  # why\n)", "x = (\n    f()  # why\n)"),
        ("x = [y async for y in z]", "x = list(z)"),
        ("x = [y.a async for y in z if await y.b]", "x = [y.a for y in z if y.b]"),
        ("x = {await f(y) for y in z}", "x = {f(y) for y in z}"),
        ("f: Callable[[int], Awaitable[str]]", "f: Callable[[int], str]"),
        ("f: Coroutine[Any, Any, str]", "f: str"),
        ("f: AsyncGenerator[int, str]", "f: Generator[int, str, None]"),
        ("f: abc.AsyncGenerator[int]", "f: abc.Generator[int]"),
        ("f: abc.Awaitable[int]", "f: int"),
        ("f: 'AsyncIterator[int]'", 'f: "Iterator[int]"'),
        ("asyncio.run(main(1))", "main(1)"),
        ("x = asyncio.run(f() if b else g()) + 1", "x = (f() if b else g()) + 1"),
        ("x = {'task': fld['tasks']}", 'x = {"task": fld["tasks"]}'),
        ("x = b'await f()'", 'x = b"await f()"'),
        ("x = 'async with lm.connect(): await f()'", 'x = "with lm.connect(): f()"'),
        ("# await it: a task of the event loop", "# it: a thread of the process"),
        ("import loom_async.connection.clients", "import loom_sync.connection.clients"),
        ("x = loom_async._core.errors", "x = loom_async._core.errors"),
        ("x = 'loom_async._core, loom_async'", 'x = "loom_async._core, loom_sync"'),
    ],
)
def test_pieces(code: str, twin: str) -> None:
    header, made = generated(f"{code}\nuse(loom_async)\n").split("\n", 1)
    assert header.startswith("# Generated from loom_async/orders.py by `nox -s sync`")
    assert made.strip().removesuffix("use(loom_sync)").strip() == twin


def test_imports_of_tests_lead_to_the_twins() -> None:
    code = "from tests.aio.conftest import a\nfrom ._concurrency import b\n"
    code += "from tests.commands import c\n"
    made = generated(code + "print(a, b, c)\n", "tests/aio/test_x.py", is_package=False)
    assert "from tests.sync.conftest import a" in made
    assert "from ._concurrency import b" in made
    assert "from tests.commands import c" in made


@pytest.mark.parametrize(
    "code",
    [
        "asyncio.gather(a)",
        "x = aiter(y)",
        "async_ = 1",
        "stack.enter_async_context(x)",
        "class A:\n    def __await__(self): ...",
        "stack.push_async_callback(x)",
        "except_(asyncio.CancelledError)",
        "x.asend(1)",
        "x = y.__await__",
        "if isawaitable(x): ...",
        "x: AsyncIterable[int]",
        "x: AsyncContextManager[int]",
        "x: 'Awaitable[int]'",
        "# with asyncio",
    ],
)
def test_leftovers_are_refused(code: str) -> None:
    with pytest.raises(GenerationError, match=r"orders\.py: '\w+' is left over; code that differs"):
        generated(f"import asyncio\n{code}\n")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "class Model:\n @classmethod\n async def find(cls):\n  return await cls.y()",
            "Model.find: a class method must hand over",
        ),
        (
            "class Model:\n async def find(self):\n  return await other.y(self)",
            "Model.find: a method must hand over to a function of a module",
        ),
        (
            "from . import y as x\nclass Model:\n async def find(self, x):\n  return await x.y()",
            "Model.find: a method must hand over",
        ),
        (
            "class Query(Base):\n @property\n async def first(self):\n  return await self.y()",
            "Query.first: a property cannot do I/O",
        ),
        (
            "class _Loads:\n async def load(self): ...\nclass Query(_Loads): ...",
            "Query: load of a private base gets no twin",
        ),
    ],
)
def test_methods_without_twin_are_refused(code: str, reason: str) -> None:
    with pytest.raises(TwinError, match=reason):
        generated(f"{code}\n")


def test_methods_that_would_share_a_name_are_refused() -> None:
    code = "class Opened:\n def close(self): ...\n async def aclose(self): ...\n"
    with pytest.raises(GenerationError, match=r"Opened\.aclose takes the name of another method"):
        generated(code)


def test_what_comes_before_handing_over_is_not_lost() -> None:
    code = """
class Query(Base[T]):
    async def load(self, n):
        check(n)
        return await documents.load(self, n)

    async def count(self, n, /, m):
        return await self.counted(n, m)
"""
    made = generated(code)
    assert "return await self._async.load(n)" in made
    assert "return await self._async.count(n, m)" in made


def test_what_is_iterated_gets_twins_of_the_other_package() -> None:
    code = """
from . import feeds
from .feeds import Changes, watch

class Query(Base[T]):
    def watch(self, *, after: str | None = None) -> Changes[T]:
        \"\"\"Return changes.\"\"\"
        return watch(self, after)

class Model(Base[T]):
    @classmethod
    def watch(cls) -> Changes[T]:
        return feeds.watch(cls)
"""
    made = generated(code)
    assert "from loom_async import feeds as async_feeds" in made
    assert "    def watch(self, *, after: str | None = None) -> Changes[T]:\n" in made
    assert "def watch_async(self, *, after: str | None = None) -> async_feeds.Changes[T]:" in made
    assert '"""Yield as `watch` does, without blocking the event loop."""' in made
    assert "return self._async.watch(after=after)" in made
    assert "def watch_async(cls) -> async_feeds.Changes[T]:" in made
    assert "return async_feeds.watch(cls)" in made


def test_unused_renames_are_reported() -> None:
    renames = Renames()
    assert renames.unused() == [*IDENTIFIERS, *PHRASES]
    renames.identifier("AsyncMongoClient")
    renames.prose("a task")
    assert set(renames.unused()) == {*IDENTIFIERS, *PHRASES} - {"AsyncMongoClient", "task"}


def small_tree(root: Path) -> None:
    """Create a project of one file with the layout and the configuration of the real project."""
    words = " ".join((*IDENTIFIERS, *PHRASES))
    (root / "loom_async").mkdir()
    (root / "loom_async" / "clients.py").write_text(f'"""Needs {words}."""\n')
    (root / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_check_finds_what_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_tree(tmp_path)
    texts = build(tmp_path)
    assert command.check(tmp_path, texts) == 1
    assert "loom_sync/clients.py is missing" in capsys.readouterr().out
    command.write(tmp_path, texts)
    assert "wrote loom_sync/clients.py" in capsys.readouterr().out
    assert command.check(tmp_path, texts) == 0
    assert capsys.readouterr().out == ""
    with (tmp_path / "loom_sync" / "clients.py").open("a") as file:
        file.write("edited = True\n")
    (tmp_path / "loom_sync" / "gone.py").write_text("")
    (tmp_path / "loom_sync" / "_concurrency.py").write_text("")
    assert command.check(tmp_path, texts) == 1
    shown = capsys.readouterr().out
    assert "-edited = True" in shown
    assert "loom_sync/gone.py is generated from nothing" in shown
    assert "_concurrency" not in shown
    assert shown.rstrip().endswith("nox -s sync")
    command.write(tmp_path, texts)
    assert "removed loom_sync/gone.py" in capsys.readouterr().out
    assert command.check(tmp_path, texts) == 0


def test_line_ends_count(tmp_path: Path) -> None:
    small_tree(tmp_path)
    texts = build(tmp_path)
    command.write(tmp_path, texts)
    path = tmp_path / "loom_sync" / "clients.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert command.check(tmp_path, texts) == 1


def test_a_rename_that_nothing_needs_fails(tmp_path: Path) -> None:
    small_tree(tmp_path)
    (tmp_path / "loom_async" / "clients.py").write_text('"""AsyncMongoClient."""\n')
    with pytest.raises(
        GenerationError, match=r"renames of (.|\n)*AsyncCollection, (.|\n)*remove them"
    ):
        build(tmp_path)


def test_unknown_options_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--chekc"]) == 2
    assert "--chekc" in capsys.readouterr().err


def test_the_project_is_fresh() -> None:
    """Every generated file equals the output of the generator."""
    assert list(command.problems_of(ROOT, tree.build(ROOT))) == []
