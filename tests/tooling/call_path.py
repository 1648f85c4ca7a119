"""Print the functions of Loom that one warm call runs: `python -m tests.tooling.call_path`.

A function is identified by its file and qualified name; a comprehension counts as a function.
`--all` prints each function. Nothing is asserted: docs/architecture.md has the figures.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType

import loom_async as lm

PACKAGE = f"{Path(lm.__file__).parent}/"


@lm.declare_persist_db("call_path", "users")
class User(lm.Persistable):
    """An ordinary model: two fields, and the times that Loom fills in."""

    name: str
    age: int


class Profile:
    """Collects the functions that all threads call while it is on."""

    def __init__(self) -> None:
        self.functions: dict[tuple[str, str], None] = {}
        self.files: list[str] = []
        self._is_on = False
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def _note(self, frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if self._is_on and event == "call" and code.co_filename.startswith(PACKAGE):
            file = code.co_filename.removeprefix(PACKAGE)
            self.functions.setdefault((file, code.co_qualname))
            self.files.append(file)

    async def trace(self, call: Callable[[], Awaitable[object]]) -> None:
        """Collect the functions of one call."""
        self.functions.clear()
        self.files.clear()
        self._is_on = True
        try:
            await call()
        finally:
            self._is_on = False

    def report(self, name: str, *, all_functions: bool) -> None:
        """Print the number of functions, of files, and of successive calls in different files."""
        files = {file for file, _ in self.functions}
        changes = sum(a != b for a, b in zip(self.files, self.files[1:], strict=False))
        print(
            f"{name:12} {len(self.functions):4} functions {len(files):4} files {changes:4} changes"
        )
        if all_functions:
            for file, function in self.functions:
                print(f"    {file:40} {function}")


async def main(*, all_functions: bool) -> None:
    """Trace a save, three loads and the load of a table, each after a warm-up."""
    profile = Profile()
    async with lm.embedded():
        user = User(name="Ann", age=1)
        await user.persist()

        async def save() -> None:
            user.age += 1
            await user.persist()

        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "save": save,
            "from_id": lambda: User.from_id(user.id),
            "load_one": User.filter(lm.fld["age"] > 0).load_one,
            "load_many": User.filter(lm.fld["age"] > 0).load_many,
            "load_table": User.filter(lm.fld["age"] > 0).load_table,
        }
        for name, call in calls.items():
            await call()
            await call()
            await profile.trace(call)
            profile.report(name, all_functions=all_functions)


if __name__ == "__main__":
    asyncio.run(main(all_functions="--all" in sys.argv))
