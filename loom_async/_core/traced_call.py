"""A block around a call of the driver, which translates its errors and traces it."""

from __future__ import annotations

from types import TracebackType

from .driver_errors import TranslatedErrors
from .trace import Trace, start_trace


class TracedCall(TranslatedErrors):
    """A block that translates the driver's errors into Loom's and logs how long it took.

    Parameters:
        action: What the call does, for error messages: "write Report 'x'".
        name: The same for the log, without ids; None if the action has no id.
    """

    __slots__ = ("_name", "_trace")

    def __init__(self, action: str, name: str | None = None) -> None:
        super().__init__(action)
        self._name = name or action
        self._trace: Trace | None = None

    def __enter__(self) -> None:
        self._trace = start_trace(self._name)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._trace is not None:
            self._trace.end(error)
        super().__exit__(kind, error, traceback)
