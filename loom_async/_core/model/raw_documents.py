"""`from_doc` and `dump_doc`: objects from documents and documents from objects, without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument

from ..bson_codec import decode_bson
from ..errors import InvalidDocument
from .bson_equality import MISSING
from .document import DocumentModel, baseline
from .document_encoding import encode_document
from .hydration import hydrator
from .write_attempt import Insertion
from .write_plan import plan_persist


class RawDocumentModel(DocumentModel):
    """A model whose objects convert from documents and to documents without a server."""

    def dump_doc(self) -> dict[str, Any]:
        """Return the document that `persist` would store; nothing is sent.

        It has the stored names and values, and the values that `persist` fills in, such as times.
        For a loaded object it includes stored fields that the model lacks. It shares no values with
        the object.

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
        assert stored is not None, "an object without a baseline is inserted"
        return decode_bson(stored if plan is None else plan.expected)

    @classmethod
    def from_doc(cls, raw: Mapping[str, Any] | bytes) -> Self:
        """Create a loaded object from a stored document that was fetched elsewhere.

        `persist` sends its later changes. No hook runs, not even `after_load`. This is a plain
        method in both packages.

        Parameters:
            raw: The whole stored document: a dict, a `RawBSONDocument`, or BSON bytes.

        Raises:
            InvalidDocument: It does not fit the model, has no `_id`, or is of another class.
            EncodingError: It holds a value that BSON cannot represent.
            TypeError: It is not a document.

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
                f"a document without _id is not a stored {cls.__name__}",
                id=None,
                fields={"_id": "missing"},
                hint=f"give the whole document; {cls.__name__}(…) creates a new object",
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


def _decoded(raw: object) -> dict[str, Any]:
    """Return a document as Loom decodes it, whatever codec options it was decoded with before."""
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
            hint="give the bytes of one BSON document; Python has no dates after the year 9999",
        ) from error
