"""The state of an object and of everything it refers to, kept to be restored.

The contents of each model, list, dict and set are kept separately. Restoring changes these objects
in place, so that other references to them see the earlier values too. No value is copied deeply or
compared: not every type allows that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import fields, is_dataclass
from typing import Any, TypeAlias, cast

from pydantic import BaseModel

from .document import DocumentModel, attempts_of, baseline, set_attempts, set_baseline

Restorer: TypeAlias = Callable[[], None]


class Snapshot:
    """The state that an object has now.

    Parameters:
        document: The object, which the snapshot keeps alive.
    """

    __slots__ = ("_restorers", "document")

    def __init__(self, document: DocumentModel) -> None:
        self.document: DocumentModel = document
        self._restorers: list[Restorer] = list(_restorers(document))

    def restore(self) -> None:
        """Restore the state of the object and of everything it referred to."""
        for restore in self._restorers:
            restore()


def _restorers(root: object) -> Iterator[Restorer]:
    seen: set[int] = set()
    unvisited: list[object] = [root]
    while unvisited:
        value = unvisited.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        state = _state(value)
        if state is not None:
            restore, contents = state
            yield restore
            unvisited.extend(contents)
        elif isinstance(value, tuple | frozenset):
            unvisited.extend(cast("Iterable[object]", value))


def _state(value: Any) -> tuple[Restorer, Iterable[object]] | None:
    """Return a function that restores a value's contents, and these; None if it is immutable."""
    if isinstance(value, BaseModel):
        hidden = {**(value.__pydantic_extra__ or {}), **(value.__pydantic_private__ or {})}
        return _model_restorer(value), [*vars(value).values(), *hidden.values()]
    container: Any = value
    if isinstance(value, dict):
        contents: dict[Any, Any] = {**container}
        return _updating_restorer(container, contents), contents.values()
    if isinstance(value, list | deque | bytearray):
        items = list(container)
        return _extending_restorer(container, items), items
    if isinstance(value, set):
        return _updating_restorer(container, set(container)), ()
    if is_dataclass(value) and not isinstance(value, type):
        return _dataclass_restorer(value)
    return None


def _dataclass_restorer(value: Any) -> tuple[Restorer, Iterable[object]]:
    attributes: dict[str, Any] | None = getattr(value, "__dict__", None)
    if attributes is not None:
        return _updating_restorer(attributes, dict(attributes)), list(attributes.values())
    names = [field.name for field in fields(value) if hasattr(value, field.name)]
    contents = {name: getattr(value, name) for name in names}

    def restore() -> None:
        for name, content in contents.items():
            object.__setattr__(value, name, content)  # of a frozen class too

    return restore, contents.values()


def _model_restorer(model: BaseModel) -> Restorer:
    values, is_set = dict(vars(model)), set(model.__pydantic_fields_set__)
    extra = None if model.__pydantic_extra__ is None else dict(model.__pydantic_extra__)
    private = None if model.__pydantic_private__ is None else dict(model.__pydantic_private__)
    past = (baseline(model), attempts_of(model)) if isinstance(model, DocumentModel) else None

    def restore() -> None:
        attributes = vars(model)
        attributes.clear()
        attributes.update(values)
        # Copies, so that edits after one restoring are not in the state that the next one restores.
        object.__setattr__(model, "__pydantic_extra__", copy(extra))
        object.__setattr__(model, "__pydantic_private__", copy(private))
        object.__setattr__(model, "__pydantic_fields_set__", set(is_set))
        if isinstance(model, DocumentModel) and past is not None:
            set_baseline(model, past[0])
            set_attempts(model, past[1])

    return restore


def _updating_restorer(container: Any, contents: Any) -> Restorer:
    def restore() -> None:
        container.clear()
        container.update(contents)

    return restore


def _extending_restorer(container: Any, items: list[Any]) -> Restorer:
    def restore() -> None:
        container.clear()
        container.extend(items)

    return restore
