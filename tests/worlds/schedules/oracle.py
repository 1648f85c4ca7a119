"""What may be stored of a document, by what its only writer was told."""

from __future__ import annotations

from collections import deque
from typing import Any

from tests.worlds.schedules.documents import Owned, State, state_of


class Track:
    """A document with one writer, and the states that it may have in the database.

    There is one state once a call has succeeded. Each call that is given up or ends in an error
    adds the state that it would have stored. A document changes as a whole, so that no mixture of
    states is possible.

    Parameters:
        document: A new object.
    """

    def __init__(self, document: Owned) -> None:
        self.document = document
        self.possible: list[State] = [None]
        self.is_leaving = False
        self._history: deque[str] = deque(maxlen=16)

    @property
    def is_known(self) -> bool:
        """Say whether there is one possible state, and the document is there."""
        return len(self.possible) == 1 and self.possible[0] is not None

    @property
    def is_gone(self) -> bool:
        """Say whether the document is certainly not there."""
        return self.possible == [None]

    def trying(self, state: State) -> None:
        """Note that a call begins that stores a state, or deletes the document."""
        self.possible.append(state)

    def stored(self, state: State) -> None:
        """Note that a call has succeeded: the document has this state, and so has the object."""
        self.possible = [state]
        if state is not None:
            held = state_of(self.document)
            assert held == state, self.report("the object differs from what it stored", held, state)

    def seen(self, state: State) -> None:
        """Note what a load has found."""
        assert state in self.possible, self.report("this cannot be stored", state, *self.possible)
        self.possible = [state]

    def note(self, event: str, outcome: Any) -> None:
        """Remember an event for the report."""
        self._history.append(f"{event} -> {outcome!r:.200}")

    def report(self, problem: str, found: State, *expected: State) -> str:
        """Return a text that tells what went wrong, and what had happened before."""
        lines = [f"{problem}; the document is {self.document.id}"]
        for state in expected:
            lines += ["  difference from a state that is possible:", *_differences(found, state)]
        return "\n".join([*lines, "  history, latest last:", *(f"    {e}" for e in self._history)])


def _differences(found: State, expected: State) -> list[str]:
    if found is None or expected is None:
        return [f"    found {found}", f"    expected {expected}"]
    return [
        f"    {name}: found {found.get(name)!r:.300}, expected {expected.get(name)!r:.300}"
        for name in expected
        if found.get(name) != expected[name]
    ]
