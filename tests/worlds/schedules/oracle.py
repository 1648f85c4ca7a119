"""The possible states of a document, derived from the outcomes of its only writer's calls."""

from __future__ import annotations

from collections import deque
from typing import Any

from tests.worlds.schedules.documents import Owned, State, state_of


class Track:
    """A document with one writer, and the states that it may have in the database.

    A call that succeeds leaves one possible state. A call that is cancelled or raises an error adds
    the state that it would have stored. A document is written as a whole, so no mixture of states
    is possible.

    Parameters:
        document: A new object.
    """

    def __init__(self, document: Owned) -> None:
        self.document = document
        self.possible: list[State] = [None]
        self.is_deletion_pending = False
        self._history: deque[str] = deque(maxlen=16)

    @property
    def is_known(self) -> bool:
        """True if there is one possible state, in which the document exists."""
        return len(self.possible) == 1 and self.possible[0] is not None

    @property
    def is_gone(self) -> bool:
        """True if the document certainly does not exist."""
        return self.possible == [None]

    def begin_call(self, state: State) -> None:
        """Note that a call begins that stores a state, or deletes the document (None)."""
        self.possible.append(state)

    def call_succeeded(self, state: State) -> None:
        """Note that a call has succeeded: the document has this state, and so does the object."""
        self.possible = [state]
        if state is not None:
            held = state_of(self.document)
            assert held == state, self.report("the object differs from what it stored", held, state)

    def loaded(self, state: State) -> None:
        """Note the state that a load has returned."""
        assert state in self.possible, self.report("impossible state", state, *self.possible)
        self.possible = [state]

    def note(self, event: str, outcome: Any) -> None:
        """Remember an event for the report."""
        self._history.append(f"{event} -> {outcome!r:.200}")

    def report(self, problem: str, found: State, *expected: State) -> str:
        """Describe a problem and the events before it."""
        lines = [f"{problem}; the document is {self.document.id}"]
        for state in expected:
            lines += ["  difference from a possible state:", *_differences(found, state)]
        return "\n".join([*lines, "  history, latest last:", *(f"    {e}" for e in self._history)])


def _differences(found: State, expected: State) -> list[str]:
    if found is None or expected is None:
        return [f"    found {found}", f"    expected {expected}"]
    return [
        f"    {name}: found {found.get(name)!r:.300}, expected {expected.get(name)!r:.300}"
        for name in expected
        if found.get(name) != expected[name]
    ]
