"""Models that share a collection: a tag in each document names its class."""

from __future__ import annotations

from typing import Any

from ..errors import ConfigurationError


class Family:
    """A declared model and its subclasses.

    Parameters:
        root: The declared model.
        discriminator: The stored name of the tag.
    """

    def __init__(self, root: type[Any], discriminator: str) -> None:
        self.root: type[Any] = root
        self.discriminator: str = discriminator
        self._by_tag: dict[str, type[Any]] = {}
        self._tags: dict[type[Any], str] = {}

    def add(self, model: type[Any], tag: str) -> None:
        """Add a model.

        Raises:
            ConfigurationError: Another model has the tag, or the model has a field of the
                discriminator's name.
        """
        other = self._by_tag.get(tag)
        if other is not None and not _is_defined_again(other, model):
            raise ConfigurationError(
                f"{model.__qualname__} and {other.__qualname__} both have the tag {tag!r} in the "
                f"collection of {self.root.__name__}",
                hint=f'give one of them another: class {model.__name__}(…, tag="…")',
            )
        if self.discriminator in _names(model):
            raise ConfigurationError(
                f"{model.__name__} has a field {self.discriminator!r}, which is the discriminator "
                f"of {self.root.__name__}",
                hint="rename the field or the discriminator: Loom stores the tag under this name",
            )
        self._by_tag[tag] = model
        self._tags[model] = tag

    def remove(self, model: type[Any]) -> None:
        """Remove a model, which has been declared with a collection of its own."""
        tag = self._tags.pop(model, None)
        if tag is not None:
            del self._by_tag[tag]

    def tag(self, model: type[Any]) -> str:
        """Return a model's tag; a generic class with type arguments has that of the class."""
        return next(self._tags[kind] for kind in model.__mro__ if kind in self._tags)

    def members(self, model: type[Any]) -> list[type[Any]]:
        """Return a model and its subclasses."""
        own = next(kind for kind in model.__mro__ if kind in self._tags)
        return [kind for kind in self._tags if issubclass(kind, own)]

    def find(self, tag: object) -> type[Any] | None:
        """Return the model of a tag: the root without a tag, None for an unknown tag."""
        return self.root if tag is None else self._by_tag.get(str(tag))

    def known(self) -> str:
        """Return the tags, for messages."""
        return ", ".join(sorted(self._by_tag))

    def scope(self, model: type[Any]) -> dict[str, Any]:
        """Return the filter for the documents of a model and of its subclasses."""
        if model is self.root:
            return {}
        return {self.discriminator: {"$in": sorted(map(self.tag, self.members(model)))}}


def _names(model: type[Any]) -> set[str]:
    """Return all names and aliases of a model's fields."""
    names: set[str] = set(model.model_fields)
    for field in model.model_fields.values():
        validation = field.validation_alias
        names |= {field.alias, validation, *getattr(validation, "choices", ())}
    return names


def _is_defined_again(old: type[Any], new: type[Any]) -> bool:
    # The cell of a notebook is run again, or a module is reloaded.
    return (old.__module__, old.__qualname__) == (new.__module__, new.__qualname__)


def family_of(model: type[Any]) -> Family | None:
    """Return the family of a model; None if no other model shares its collection."""
    declaration = getattr(model, "__loom_declaration__", None)
    family: Family | None = None if declaration is None else declaration.family
    return family


def leaves_out_none(model: type[Any]) -> bool:
    """Say whether a model is declared with `store_none=False`."""
    declaration = getattr(model, "__loom_declaration__", None)
    return declaration is not None and not declaration.store_none


def scope_of(model: type[Any]) -> dict[str, Any]:
    """Return the filter for a model's documents in its collection; empty without a family."""
    family = family_of(model)
    return {} if family is None else family.scope(model)


def tag_of(model: type[Any]) -> tuple[str, str] | None:
    """Return the stored name and the value of the tag of a model; None without a family."""
    family = family_of(model)
    return None if family is None else (family.discriminator, family.tag(model))
