"""A block for calls of the driver: its errors leave as Loom's, and the log has a line for it."""

from __future__ import annotations

from types import TracebackType

from .driver_errors import TranslatedErrors
from .trace import Trace, begun


class TracedCall(TranslatedErrors):
    """A block in which the driver's errors become Loom's, and whose time is traced.

    Parameters:
        action: What is being done, for messages: "write Report 'x'".
        name: The same for the log, which holds no id; None if the action has none.
    """

    __slots__ = ("_name", "_trace")

    def __init__(self, action: str, name: str | None = None) -> None:
        super().__init__(action)
        self._name = name or action
        self._trace: Trace | None = None

    def __enter__(self) -> None:
        self._trace = begun(self._name)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._trace is not None:
            self._trace.end(error)
        super().__exit__(kind, error, traceback)
