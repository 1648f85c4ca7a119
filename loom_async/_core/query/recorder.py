"""Conditions as lambdas: the argument records which field is read, and what it is compared with."""

from __future__ import annotations

from typing import Any, NoReturn

from ..errors import QueryError
from .descending import Descending
from .expressions import Combinable, Comparison, Predicate, TextMatch
from .paths import FieldResolver, check_path, join

_METHODS = {"startswith": "^{}", "endswith": r"{}\z"}


class Recorder(Combinable):
    """The argument of `filter(lambda u: …)`, or a field of it.

    It has no methods, so that every name is a field; `fld(u.name)` has the other conditions.
    """

    __slots__ = ("_path", "_resolver")

    _path: str
    _resolver: FieldResolver | None

    def __init__(self, resolver: FieldResolver | None, path: str = "") -> None:
        object.__setattr__(self, "_resolver", resolver)
        object.__setattr__(self, "_path", path)

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_") or name == "as_predicate":
            return object.__getattribute__(self, name)
        try:
            return _child(self, name)
        except LookupError:
            if name in _METHODS and recorded_path(self):
                return _TextMethod(recorded_path(self), _METHODS[name])
            raise

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise QueryError(f"a query cannot assign {name!r}", hint="use == to compare")

    def __getitem__(self, key: str | int) -> Recorder:
        return _child(self, str(key))

    def __repr__(self) -> str:
        return f"<field {recorded_path(self)!r}>"

    def __hash__(self) -> int:
        return hash((Recorder, recorded_path(self)))

    def as_predicate(self) -> Predicate:
        """Return the condition that the field is True."""
        return _compare(self, "eq", True)

    def __eq__(self, value: Any) -> Any:
        return _compare(self, "eq", value)

    def __ne__(self, value: Any) -> Any:
        return _compare(self, "ne", value)

    def __gt__(self, value: Any) -> Predicate:
        return _compare(self, "gt", value)

    def __ge__(self, value: Any) -> Predicate:
        return _compare(self, "gte", value)

    def __lt__(self, value: Any) -> Predicate:
        return _compare(self, "lt", value)

    def __le__(self, value: Any) -> Predicate:
        return _compare(self, "lte", value)

    def __neg__(self) -> Descending:
        return Descending(recorded_path(self))

    def _refuse(self, *_: Any) -> NoReturn:
        raise QueryError(
            f"a query cannot do this with the field {recorded_path(self)!r}",
            hint="use fld(u.x).has_size(3) for len, == for `in` an array, contains('a') for `in` a "
            "string, elem_match for a loop, and lm.raw({'$expr': …}) to compute",
        )

    __len__ = __iter__ = __contains__ = __call__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse
    __truediv__ = __rtruediv__ = __mod__ = __abs__ = _refuse


class _TextMethod:
    """`u.name.startswith` or `u.name.endswith`."""

    __slots__ = ("_path", "_pattern")

    def __init__(self, path: str, pattern: str) -> None:
        self._path = path
        self._pattern = pattern

    def __call__(self, text: str) -> Predicate:
        if not isinstance(text, str):
            raise QueryError(f"startswith() and endswith() take a string, not {text!r}")
        return TextMatch(self._path, self._pattern, text, ignore_case=False)


def recorded_path(recorder: Recorder) -> str:
    """Return the dotted name of the field that a recorder stands for; empty for the model."""
    return str(object.__getattribute__(recorder, "_path"))


def _child(recorder: Recorder, key: str) -> Recorder:
    resolver: FieldResolver | None = object.__getattribute__(recorder, "_resolver")
    path = join(recorded_path(recorder), check_path(key))
    if resolver is not None:
        resolver.resolve(path)
    return Recorder(resolver, path)


def _compare(recorder: Recorder, operator: str, value: Any) -> Predicate:
    if isinstance(value, Combinable | Descending):
        raise QueryError(
            f"{recorder!r} is compared with another field, not with a value",
            hint='use lm.raw({"$expr": {"$gt": ["$a", "$b"]}}) to compare fields',
        )
    return Comparison(recorded_path(recorder), operator, value)
