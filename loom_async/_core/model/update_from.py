"""`update_from`: a patch applied to an object, all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ValidationError

from ..context import journals, transaction
from ..errors import QueryError
from .codecs import model_codec
from .document import DocumentModel
from .patch import apply_patch
from .patch_fields import entries_of, given_fields
from .polymorphism import tag_of
from .snapshot import Snapshot


class PatchableModel(DocumentModel):
    """A model whose objects take patches."""

    def update_from(self, patch: Mapping[str, Any] | BaseModel, partial: bool = True) -> Self:
        """Apply a patch, such as the body of an HTTP request, with validation; nothing is sent.

        If it fails, the object is as it was. Nested models, dataclasses and dicts are merged and
        stay the same objects; lists and sets are replaced. Each value that the patch gives is
        validated once; then the model's own validators (`mode="after"`) see the result. The object
        gets copies of the patch's values. This is a plain method in both packages.

        Parameters:
            patch: A mapping of names or aliases; or a model of any class, of which only the fields
                that were set are applied, at each level.
            partial: False replaces nested values as a whole, instead of merging them.

        Returns:
            The object itself; `persist` sends the changes.

        Raises:
            UnknownFieldError: The patch gives a field that the model lacks.
            QueryError: It gives the id, a time, a revision or another field that Loom fills in, or
                it is neither a mapping nor a model.
            ValidationError: pydantic's error; a value does not fit, or a field is frozen. All of
                these are `ValueError`s.

        Example:
            >>> import loom_async as lm
            >>> from pydantic import BaseModel
            >>> class Address(BaseModel):
            ...     city: str
            ...     street: str = ""
            >>> class User(lm.Persistable):
            ...     name: str
            ...     address: Address
            >>> ann = User(name="Ann", address=Address(city="Prague", street="Na Příkopě"))
            >>> ann.update_from({"address": {"city": "Brno"}}).address
            Address(city='Brno', street='Na Příkopě')
        """
        _check(self, patch)
        before = Snapshot(self)
        try:
            _apply(self, patch, partial, before)
        except BaseException:
            before.restore()
            raise
        return self


def _check(document: DocumentModel, patch: object) -> None:
    """Refuse a patch that no values could make right."""
    kind = type(document)
    entries = entries_of(patch)
    if entries is None:
        raise QueryError(
            f"update_from takes a dict or a model, not {type(patch).__name__}",
            hint='user.update_from({"name": "Ann"})',
        )
    tag = tag_of(kind)
    if tag is not None and tag[0] in entries:
        raise QueryError(
            f"{tag[0]!r} names the class of a stored {kind.__name__}, which a patch cannot change",
            hint="store a new object of the other class",
        )
    filled_in = {"id", *(field.name for field in model_codec(kind).auto_fields)}
    refused = [name for name, _ in given_fields(kind, patch) if name in filled_in]
    if refused:
        raise QueryError(
            f"a patch cannot change {', '.join(refused)} of a {kind.__name__}: Loom fills that in",
            hint="leave it out: patch.model_dump(exclude_unset=True, exclude={"
            + ", ".join(map(repr, refused))
            + "})",
        )
    if kind.model_config.get("frozen"):
        raise ValidationError.from_exception_data(
            kind.__name__, [{"type": "frozen_instance", "loc": (), "input": dict(entries)}]
        )


def _apply(document: DocumentModel, patch: object, partial: bool, before: Snapshot) -> None:
    """Apply a patch, also to the state that an open transaction may restore.

    Parameters:
        document: The object.
        patch: The patch.
        partial: Whether nested values are merged.
        before: The state of the object.
    """
    state = transaction.get()
    if state is not None:
        state.remember(document)
    apply_patch(document, patch, partial=partial)
    if state is None and id(document) in journals:
        # Another task's transaction holds the object, and its abort must not take the patch back.
        before.restore()
        journals[id(document)].amend(
            document, lambda: apply_patch(document, patch, partial=partial)
        )
