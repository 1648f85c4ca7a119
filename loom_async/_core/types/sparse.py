"""Documents without the fields that are None: what a model of `store_none=False` stores.

In memory, encoded documents are complete. `thin` leaves out null fields before a document is sent,
and `fill` gives them back to a loaded one, so that it loads as if they were stored. Both go where
the codecs go: into models and dataclasses, and those in arrays and dicts. A null item of an array
and a null value of a dict are part of the value, and stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from ..type_guards import is_dict, is_list


class Sparse(Protocol):
    """Which null fields are left out of the stored values of one annotation."""

    def thin(self, encoded: Any) -> Any:
        """Return an encoded value without its null fields; the value is not changed."""
        ...

    def fill(self, stored: Any) -> Any:
        """Return a stored value with the null fields that it lacks; the value is not changed."""
        ...

    def child(self, key: str) -> Sparse | None:
        """Return what is left out of the values at a key; None if nothing is."""
        ...

    def leaves_out(self, key: str) -> bool:
        """Say whether the field of a name, or of a stored name, is left out if it is None."""
        ...


class SparseField(NamedTuple):
    """One field of a document.

    Parameters:
        name: The name in Python.
        stored_name: The name in documents.
        is_left_out: Whether the field is left out if it is None.
        inner: What is left out of its values; None if nothing is.
    """

    name: str
    stored_name: str
    is_left_out: bool
    inner: Sparse | None


class SparseDocument:
    """The document of a model or a dataclass.

    Parameters:
        find_fields: Returns its fields; called on first use, as a model may contain itself.
    """

    def __init__(self, find_fields: Callable[[], Iterable[SparseField]]) -> None:
        self._find_fields = find_fields

    @cached_property
    def _fields(self) -> tuple[SparseField, ...]:
        return tuple(self._find_fields())

    @cached_property
    def _by_name(self) -> dict[str, SparseField]:
        return {f.stored_name: f for f in self._fields} | {f.name: f for f in self._fields}

    @cached_property
    def names(self) -> frozenset[str]:
        """The stored names of the fields that are left out if they are None."""
        return frozenset(field.stored_name for field in self._fields if field.is_left_out)

    @cached_property
    def _nulls(self) -> dict[str, None]:
        return dict.fromkeys(field.stored_name for field in self._fields if field.is_left_out)

    @cached_property
    def _inner(self) -> tuple[tuple[str, Sparse], ...]:
        return tuple((f.stored_name, f.inner) for f in self._fields if f.inner is not None)

    def thin(self, encoded: Any) -> Any:
        if not is_dict(encoded):
            return encoded
        names = self.names
        result = {k: v for k, v in encoded.items() if v is not None or k not in names}
        for name, inner in self._inner:
            if name in result:
                result[name] = inner.thin(result[name])
        return result

    def fill(self, stored: Any) -> Any:
        if not is_dict(stored):
            return stored
        result = {**self._nulls, **stored}
        for name, inner in self._inner:
            if name in result:
                result[name] = inner.fill(result[name])
        return result

    def child(self, key: str) -> Sparse | None:
        field = self._by_name.get(key)
        return None if field is None else field.inner

    def leaves_out(self, key: str) -> bool:
        field = self._by_name.get(key)
        return field is not None and field.is_left_out

    def declares(self, key: str) -> bool:
        """Say whether the document has a field of a name or a stored name."""
        return key in self._by_name


class SparseItems(NamedTuple):
    """An array; an item by itself, as `$push` has it, is one of its values too."""

    item: Sparse

    def thin(self, encoded: Any) -> Any:
        if is_list(encoded):
            return [self.item.thin(item) for item in encoded]
        return self.item.thin(encoded)

    def fill(self, stored: Any) -> Any:
        return [self.item.fill(item) for item in stored] if is_list(stored) else stored

    def child(self, key: str) -> Sparse | None:
        return self.item if _is_position(key) else self.item.child(key)

    def leaves_out(self, key: str) -> bool:
        return not _is_position(key) and self.item.leaves_out(key)


class SparseValues(NamedTuple):
    """A dict."""

    value: Sparse

    def thin(self, encoded: Any) -> Any:
        if not is_dict(encoded):
            return encoded
        return {key: self.value.thin(value) for key, value in encoded.items()}

    def fill(self, stored: Any) -> Any:
        if not is_dict(stored):
            return stored
        return {key: self.value.fill(value) for key, value in stored.items()}

    def child(self, key: str) -> Sparse | None:
        return self.value

    def leaves_out(self, key: str) -> bool:
        return False


class SparseFamily(NamedTuple):
    """The document of any class of a family.

    Parameters:
        of_document: Returns the document of the class that a tag names; None for an unknown tag.
        members: Returns the documents of all classes.
    """

    of_document: Callable[[Mapping[str, Any]], SparseDocument | None]
    members: Callable[[], list[SparseDocument]]

    def thin(self, encoded: Any) -> Any:
        found = self.of_document(encoded) if is_dict(encoded) else None
        return encoded if found is None else found.thin(encoded)

    def fill(self, stored: Any) -> Any:
        found = self.of_document(stored) if is_dict(stored) else None
        return stored if found is None else found.fill(stored)

    def child(self, key: str) -> Sparse | None:
        found = [member.child(key) for member in self._declaring(key)]
        return found[0] if found and all(child == found[0] for child in found) else None

    def leaves_out(self, key: str) -> bool:
        declaring = self._declaring(key)
        return bool(declaring) and all(member.leaves_out(key) for member in declaring)

    def _declaring(self, key: str) -> list[SparseDocument]:
        return [member for member in self.members() if member.declares(key)]


def sparse_at(sparse: Sparse | None, path: Sequence[str]) -> Sparse | None:
    """Return what is left out of the values at a path; None if nothing is."""
    for key in path:
        if sparse is None:
            return None
        sparse = sparse.child(key)
    return sparse


def is_left_out(sparse: Sparse | None, path: Sequence[str]) -> bool:
    """Say whether the field at a path is left out if it is None."""
    holder = sparse_at(sparse, path[:-1])
    return holder is not None and holder.leaves_out(path[-1])


def _is_position(key: str) -> bool:
    return key.isdigit() or key.startswith("$")
