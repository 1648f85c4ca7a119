"""The state of an object and of all that hangs from it, kept so that it can be put back.

Each model, list, dict and set is remembered by itself, with what it holds: putting back writes into
the very same objects, so that whoever has one of them in hand sees the earlier values too. Nothing
is copied in depth and nothing compared: values may be such as allow neither.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import is_dataclass
from typing import Any, TypeAlias, cast

from pydantic import BaseModel

from ..model.document import DocumentModel, attempts_of, baseline, set_attempts, set_baseline

PutBack: TypeAlias = Callable[[], None]


class Snapshot:
    """The state that an object has now.

    Parameters:
        document: The object, which the snapshot keeps alive.
    """

    __slots__ = ("_put_back", "document")

    def __init__(self, document: DocumentModel) -> None:
        self.document: DocumentModel = document
        self._put_back: list[PutBack] = list(_states(document))

    def restore(self) -> None:
        """Give the object, and all that hung from it, the values of then."""
        for put_back in self._put_back:
            put_back()


def _states(root: object) -> Iterator[PutBack]:
    seen: set[int] = set()
    ahead: list[object] = [root]
    while ahead:
        value = ahead.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        kept = _kept(value)
        if kept is not None:
            put_back, below = kept
            yield put_back
            ahead.extend(below)
        elif isinstance(value, tuple | frozenset):
            ahead.extend(cast("Iterable[object]", value))


def _kept(value: Any) -> tuple[PutBack, Iterable[object]] | None:
    """Return what gives a value its present contents back, and these; None if it cannot change."""
    if isinstance(value, BaseModel):
        hidden = {**(value.__pydantic_extra__ or {}), **(value.__pydantic_private__ or {})}
        return _model(value), [*vars(value).values(), *hidden.values()]
    holder: Any = value
    if isinstance(value, dict):
        contents: dict[Any, Any] = {**holder}
        return _filled(holder, contents), contents.values()
    if isinstance(value, list | deque | bytearray):
        items = list(holder)
        return _spliced(holder, items), items
    if isinstance(value, set):
        return _filled(holder, set(holder)), ()
    fields = _fields_of_dataclass(value)
    return None if fields is None else (_filled(fields, dict(fields)), list(fields.values()))


def _fields_of_dataclass(value: Any) -> dict[str, Any] | None:
    fields: dict[str, Any] | None = getattr(value, "__dict__", None)
    return fields if is_dataclass(value) and not isinstance(value, type) else None


def _model(model: BaseModel) -> PutBack:
    fields, is_set = dict(vars(model)), set(model.__pydantic_fields_set__)
    extra = None if model.__pydantic_extra__ is None else dict(model.__pydantic_extra__)
    private = None if model.__pydantic_private__ is None else dict(model.__pydantic_private__)
    past = (baseline(model), attempts_of(model)) if isinstance(model, DocumentModel) else None

    def put_back() -> None:
        values = vars(model)
        values.clear()
        values.update(fields)
        object.__setattr__(model, "__pydantic_extra__", extra)
        object.__setattr__(model, "__pydantic_private__", private)
        object.__setattr__(model, "__pydantic_fields_set__", is_set)
        if isinstance(model, DocumentModel) and past is not None:
            set_baseline(model, past[0])
            set_attempts(model, past[1])

    return put_back


def _filled(holder: Any, contents: Any) -> PutBack:
    def put_back() -> None:
        holder.clear()
        holder.update(contents)

    return put_back


def _spliced(holder: Any, items: list[Any]) -> PutBack:
    def put_back() -> None:
        holder.clear()
        holder.extend(items)

    return put_back
