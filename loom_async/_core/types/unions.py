"""Unions: the class of a value decides how it is stored, the BSON type how it is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, NamedTuple

from ..bson_codec import UNENCODABLE, encode_bson
from ..errors import EncodingError
from ..type_guards import is_mapping
from .adapters import adapter_of
from .codec import ANY, Codec, Forms
from .equality import is_same
from .scalars import ChoiceCodec, NormalisedCodec
from .sparse import Sparse
from .values import bson_type_of, from_bson, refuse, to_bson


class Option(NamedTuple):
    """One option of a union.

    Parameters:
        codec: The codec of its values.
        annotation: The annotation, with its metadata.
        classes: The classes of its values; empty if they may be of any.
        bson: The BSON types of its stored values, by MongoDB's names; None if they may be of any.
    """

    codec: Codec
    annotation: Any
    classes: tuple[Any, ...]
    bson: frozenset[str] | None


class UnionCodec(Codec):
    """A union.

    If two options have a BSON type in common, and pydantic does not know which one to load by a
    discriminator, each value is loaded before it is stored: it is refused if it would come back
    as a value of another option.

    Parameters:
        options: The options of the union.
        annotation: The union, with its metadata.
        is_discriminated: Whether a field of the stored document names the option.
    """

    def __init__(
        self, options: list[Option], annotation: Any, *, is_discriminated: bool = False
    ) -> None:
        codecs = [option.codec for option in options]
        self._options = options
        self._codecs = codecs
        self._is_ambiguous = _overlap(options) and not is_discriminated
        self._annotation = annotation
        self.is_identity = not self._is_ambiguous and all(codec.is_identity for codec in codecs)
        self.is_scalar = all(codec.is_scalar for codec in codecs)
        self.holds_items = any(codec.holds_items for codec in codecs)
        self.needs_decode = any(codec.needs_decode for codec in codecs) or self._has_hidden_choice
        self.normalises = any(codec.normalises for codec in codecs)

    @property
    def is_deterministic(self) -> bool:  # type: ignore[override]
        """True if all options are."""
        return all(codec.is_deterministic for codec in self._codecs)

    @property
    def is_sortable(self) -> bool:  # type: ignore[override]
        """True if all options are."""
        return all(codec.is_sortable for codec in self._codecs)

    @property
    def _has_hidden_choice(self) -> bool:
        """Whether pydantic would load a choice as a value of another option, such as a string."""
        return self._is_ambiguous and any(isinstance(c, ChoiceCodec) for c in self._codecs)

    @property
    def forms(self) -> Forms:  # type: ignore[override]
        """The forms of any option."""
        return _either([codec.forms for codec in self._codecs])

    @cached_property
    def sparse(self) -> Sparse | None:  # type: ignore[override]
        """What is left out of the only option that is stored as a document.

        The null fields of several such options tell them apart, and are stored.
        """
        documents = [o for o in self._options if o.bson is None or "object" in o.bson]
        is_known = len(documents) == 1 and documents[0].bson is not None
        return documents[0].codec.sparse if is_known else None

    @property
    def item_forms(self) -> Forms:
        """The forms of the items of any option."""
        return _either([codec.item_forms for codec in self._codecs])

    def encode(self, value: Any) -> Any:
        if value is None or self.is_identity:
            return value
        refusal: EncodingError | None = None
        for option in self._options_of(value):
            try:
                return self._encode(option.codec, value)
            except EncodingError as error:
                # Options of one class may differ in their items: the next one may take the value.
                refusal = refusal or error
        if refusal is not None:
            raise refusal
        return self._encode(ANY, value)

    def _encode(self, codec: Codec, value: Any) -> Any:
        stored = codec.encode(value)
        if self._is_ambiguous:
            self._prove(stored, value)
        return stored

    def _option_of(self, value: Any) -> Option | None:
        options = self._options_of(value)
        return options[0] if options else None

    def _options_of(self, value: Any) -> list[Option]:
        """Return the options that a value may be of, by its class."""
        kind: type[Any] = type(value)  # pyright: ignore[reportUnknownVariableType]
        exact = [option for option in self._options if kind in option.classes]
        found = exact or [
            option for option in self._options if isinstance(value, option.classes or object)
        ]
        if len(found) > 1 and is_mapping(value):
            found = [option for option in found if option.codec.has_keys(value)] or found
        return found

    def _prove(self, stored: Any, value: Any) -> None:
        """Raise `EncodingError` if a value would load as a value of another option."""
        validate = _validator(self._annotation)
        try:
            loaded = validate(self.decode(stored), strict=False, by_alias=True, by_name=True)
        except (ValueError, TypeError, ArithmeticError) as error:
            raise EncodingError(f"{value!r} would not load: {error}", path="") from error
        if not is_same(loaded, value):
            refuse(loaded, value)

    def decode(self, stored: Any) -> Any:
        if not self.needs_decode or stored is None:
            return stored
        kind = bson_type_of(stored)
        options = [o for o in self._options if o.bson is None or kind in o.bson]
        for option in options:
            if isinstance(option.codec, ChoiceCodec):
                choice = option.codec.find(stored)
                if choice is not None:
                    return choice
        options = [o for o in options if not isinstance(o.codec, ChoiceCodec)]
        if len(options) == 1:
            return options[0].codec.decode(stored)
        if not any(option.codec.needs_decode for option in options):
            return from_bson(stored) if not options else stored
        return self._first_exact(options, stored)

    def _first_exact(self, options: list[Option], stored: Any) -> Any:
        """Return the value of the first option that stores it alike, or else that reads it."""
        inexact: list[Any] = []
        for option in options:
            try:
                value = _validator(option.annotation)(
                    option.codec.decode(stored), strict=False, by_alias=True, by_name=True
                )
                is_exact = _same(option.codec.encode(value), stored)
            except (ValueError, TypeError, ArithmeticError, *UNENCODABLE):
                continue  # the values of another option
            if is_exact:
                return value
            inexact.append(value)
        return inexact[0] if inexact else options[0].codec.decode(stored)

    def literal(self, value: Any) -> Any:
        for codec in self._codecs:
            if isinstance(codec, NormalisedCodec):
                return codec.literal(value)
        option = self._option_of(value)
        return to_bson(value) if option is None else option.codec.literal(value)

    def is_ordered_with(self, value: Any) -> bool:
        option = self._option_of(value)
        return (
            super().is_ordered_with(value)
            if option is None
            else (option.codec.is_ordered_with(value))
        )

    def keep_stored(self, stored: Any, encoded: Any) -> Any:
        for codec in self._codecs:
            encoded = codec.keep_stored(stored, encoded)
        return encoded

    def child(self, key: str) -> tuple[str, Codec] | None:
        found = (codec.child(key) for codec in self._codecs)
        return next((hit for hit in found if hit is not None), None)

    def stored_child(self, key: str) -> tuple[str, Codec] | None:
        found = (codec.stored_child(key) for codec in self._codecs)
        return next((hit for hit in found if hit is not None), None)

    def element(self) -> Codec | None:
        found = (codec.element() for codec in self._codecs)
        return next((hit for hit in found if hit is not None), None)

    def names(self) -> Iterable[str]:
        return {name for codec in self._codecs for name in codec.names()}


_validators: dict[int, tuple[Any, Callable[..., Any]]] = {}


def _validator(annotation: Any) -> Callable[..., Any]:
    found = _validators.get(id(annotation))
    if found is None:
        found = annotation, adapter_of(annotation).validate_python
        _validators[id(annotation)] = found
    return found[1]


def _overlap(options: list[Option]) -> bool:
    """Say whether a stored value may be of more than one option."""
    seen: set[str] = set()
    for option in options:
        if option.bson is None or not seen.isdisjoint(option.bson):
            return len(options) > 1
        seen |= option.bson
    return False


def _same(left: Any, right: Any) -> bool:
    return left is right or encode_bson({"": left}) == encode_bson({"": right})


def _either(forms: list[Forms]) -> Forms:
    """Return the forms of a value that may have any of several forms."""
    return Forms(
        is_document=any(form.is_document for form in forms),
        is_pattern=any(form.is_pattern for form in forms),
        names=forms[0].names if len(forms) == 1 else None,
    )
