"""Objects from documents that were fetched elsewhere, and the documents that they would become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument

from ..bson_codec import decode_bson
from ..errors import InvalidDocument
from .diff import MISSING, AddToSet
from .document import DocumentModel, baseline
from .document_encoding import encode_document
from .hydration import hydrator
from .parent_conditions import value_at
from .write_plan import Insertion, Modification, plan_persist


class RawDocumentModel(DocumentModel):
    """A model whose objects are made of stored documents, and give them, without a server."""

    def dump_doc(self) -> dict[str, Any]:
        """Return the document that `persist` would make the database hold; nothing is sent.

        It has the stored names and values, and those that `persist` fills in, such as times; of a
        loaded object also the fields that the model lacks. Changes of it do not change the object.

        Raises:
            EncodingError: A value cannot be stored; `path` says where it is.
            InvalidId: The id of a loaded object was changed.

        Example:
            >>> import loom_async as lm
            >>> class User(lm.PersistableBase):
            ...     name: str
            >>> sorted(User(name="Ann").dump_doc())
            ['_id', 'name']
        """
        plan = plan_persist(self)
        if isinstance(plan, Insertion):
            return decode_bson(plan.raw)
        stored = baseline(self)
        assert stored is not None, "an object without a past is inserted"
        document = decode_bson(stored)
        return document if plan is None else _modified(document, plan)

    @classmethod
    def from_doc(cls, raw: Mapping[str, Any] | bytes) -> Self:
        """Return the object of a stored document that was fetched by other means, as loaded.

        Its `persist` sends what has changed since. No hook runs, `after_load` neither: this is a
        plain function in both packages.

        Parameters:
            raw: The whole stored document: a dict, a `RawBSONDocument`, or BSON bytes.

        Raises:
            InvalidDocument: It does not fit the model, has no `_id`, or is of another class.
            EncodingError: It holds a value that no stored document can hold.
            TypeError: It is no document at all.

        Example:
            >>> import loom_async as lm
            >>> class User(lm.PersistableBase):
            ...     id: int
            ...     name: str
            >>> User.from_doc({"_id": 1, "name": "Ann"}).name
            'Ann'
        """
        document = _decoded(raw)
        id = document.get("_id", MISSING)
        if id is MISSING:
            raise InvalidDocument(
                f"a document without _id is no stored {cls.__name__}",
                id=None,
                fields={"_id": "missing"},
                hint=f"give the whole document; {cls.__name__}(…) makes a new object",
            )
        loaded = hydrator(cls).one(document)
        if not isinstance(loaded, cls):
            raise InvalidDocument(
                f"document {id!r} is a {type(loaded).__name__}, not a {cls.__name__}",
                id=id,
                fields={},
                hint=f"call from_doc of {type(loaded).__name__}, or of a class that both extend",
            )
        return loaded


def _modified(document: dict[str, Any], plan: Modification) -> dict[str, Any]:
    """Return a stored document with the changes of an update made, and no others."""
    # What the model encodes to also has defaults that the update leaves out.
    after = decode_bson(encode_document(dict(plan.after)))
    for change in plan.changes:
        value = value_at(after, change.path)
        *parents, name = change.path
        place = document
        for key in parents:
            place = place[key]
        if isinstance(change, AddToSet):
            place[name] = [*place[name], *change.items]  # the server appends them
        elif value is MISSING:
            place.pop(name, None)
        else:
            place[name] = value
    return document


def _decoded(raw: object) -> dict[str, Any]:
    """Return a document as Loom decodes it, whatever client has decoded it before."""
    if isinstance(raw, RawBSONDocument):
        data = bytes(raw.raw)
    elif isinstance(raw, Mapping):
        data = encode_document(dict(cast("Mapping[str, Any]", raw)))
    elif isinstance(raw, bytes | bytearray):
        data = bytes(raw)
    else:
        raise TypeError(
            f"from_doc takes a dict, a RawBSONDocument or BSON bytes, not {type(raw).__name__}"
        )
    try:
        return decode_bson(data)
    except InvalidBSON as error:
        raise InvalidDocument(
            f"the document cannot be read: {error}",
            id=None,
            fields={},
            hint="give the bytes of one BSON document; Python's datetime ends with the year 9999",
        ) from error
