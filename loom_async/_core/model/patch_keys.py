"""Finds the key of a dict that the key of a patch means: JSON has no keys but strings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ..types.adapters import adapter_of
from ..types.forms import Entries


def matching_key(form: Entries | None, present: Mapping[Any, Any], key: Any) -> Any:
    """Return the key as the dict has it, or would have it: 1 for "1" in a dict of ints.

    Parameters:
        form: What the field allows; None if that is unknown.
        present: The dict.
        key: The key in the patch.
    """
    if key in present or form is None or form.key is None:
        return key
    try:
        return adapter_of(form.key.annotation).validate_python(key)
    except ValidationError:
        return key  # which the validator of the field refuses
