"""Writes of which nobody knows whether they happened, so that none of them happens twice."""

from __future__ import annotations

from types import TracebackType

from .driver_errors import is_refusal
from .model.document import DocumentModel, set_doubt


class Sending:
    """A block that sends writes of objects; they stay in doubt until they are absorbed or settled.

    Only an error that says that nothing was written ends the doubt here.

    Parameters:
        *documents: What is written.
    """

    __slots__ = ("_documents",)

    def __init__(self, *documents: DocumentModel) -> None:
        self._documents = documents

    def __enter__(self) -> None:
        for document in self._documents:
            set_doubt(document, True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None and is_refusal(error):
            for document in self._documents:
                set_doubt(document, False)
