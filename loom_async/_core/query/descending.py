"""`-fld["age"]`: a field in descending order, as a sort key."""

from __future__ import annotations

from typing import NoReturn

from ..errors import QueryError


class Descending:
    """A sort key: a field from large to small.

    Parameters:
        path: The dotted name.
    """

    __slots__ = ("path",)

    path: str

    def __init__(self, path: str) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"-fld[{self.path!r}]"

    def __hash__(self) -> int:
        return hash((Descending, self.path))

    def _refuse(self) -> NoReturn:
        raise QueryError(
            f"{self!r} is a sort key, not a value",
            hint="use it in sort(); lm.raw({'$expr': …}) computes in a condition",
        )

    def __eq__(self, other: object) -> NoReturn:
        self._refuse()

    def __ne__(self, other: object) -> NoReturn:
        self._refuse()

    def __lt__(self, other: object) -> NoReturn:
        self._refuse()

    def __le__(self, other: object) -> NoReturn:
        self._refuse()

    def __gt__(self, other: object) -> NoReturn:
        self._refuse()

    def __ge__(self, other: object) -> NoReturn:
        self._refuse()

    def __and__(self, other: object) -> NoReturn:
        self._refuse()

    def __rand__(self, other: object) -> NoReturn:
        self._refuse()

    def __or__(self, other: object) -> NoReturn:
        self._refuse()

    def __ror__(self, other: object) -> NoReturn:
        self._refuse()

    def __invert__(self) -> NoReturn:
        self._refuse()

    def __neg__(self) -> NoReturn:
        self._refuse()

    def __bool__(self) -> NoReturn:
        self._refuse()
