"""Why the server refused a document, in words: what its reply says in nested documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from .type_guards import is_collection, is_mapping

_LONGEST = 80
_INVALID = 121


def reason_of(details: Mapping[str, Any]) -> str:
    """Return why one write of a bulk was refused.

    Parameters:
        details: One of the reply's `writeErrors`.
    """
    if details.get("code") == _INVALID:
        return refusal(details)
    return str(details.get("errmsg", details))


def refusal(details: Mapping[str, Any]) -> str:
    """Return what of a document its collection's validator refused.

    Parameters:
        details: The reply of the server, or one of its `writeErrors`.
    """
    info = _mapping(details.get("errInfo"))
    found = list(dict.fromkeys(_reasons(_mapping(info.get("details")), "")))
    id = info.get("failingDocumentId")
    which = "the document" if id is None else f"document {id!r}"
    text = f"{which} does not pass the validator of its collection"
    return f"{text}: {'; '.join(found)}" if found else text


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if is_mapping(value) else {}


def _reasons(rule: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the reasons of one rule that was not met, and of those below it."""
    place = path or "the document"
    if "propertyName" in rule:
        path = f"{path}.{rule['propertyName']}" if path else str(rule["propertyName"])
    elif "itemIndex" in rule:
        path = f"{path}.{rule['itemIndex']}"
    below = [reason for part in _parts(rule) for reason in _reasons(part, path)]
    match rule.get("operatorName"):
        case "anyOf" | "oneOf":
            yield " or ".join(below) or f"{place} has none of the forms allowed"
        case "required":
            yield f"{place} lacks {_names(rule.get('missingProperties'))}"
        case "additionalProperties" if not below:
            names = _names(rule.get("additionalProperties"))
            yield f"{place} has fields that are not allowed: {names}"
        case _ if below:
            yield from below
        case None:
            return
        case operator:
            yield f"{place}: {_mismatch(str(operator), rule)}"


def _parts(rule: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name in (
        "schemaRulesNotSatisfied",
        "propertiesNotSatisfied",
        "schemasNotSatisfied",
        "additionalProperties",
        "details",
    ):
        parts = rule.get(name)
        for part in parts if is_collection(parts) else [parts]:
            if is_mapping(part):
                yield part


def _names(names: Any) -> str:
    return ", ".join(map(repr, names)) if is_collection(names) else repr(names)


def _mismatch(operator: str, rule: Mapping[str, Any]) -> str:
    value = _shown(rule.get("consideredValue"))
    wanted = _mapping(rule.get("specifiedAs")).get(operator)
    if operator == "bsonType":
        return f"{value} is of type {rule.get('consideredType')}, not {_alternatives(wanted)}"
    if operator == "enum":
        return f"{value} is none of {_shown(wanted)}"
    reason = f"{operator} is {_shown(wanted)}" if wanted is not None else str(rule.get("reason"))
    return f"{value}, but {reason}" if "consideredValue" in rule else reason


def _alternatives(names: Any) -> str:
    return " or ".join(map(str, names)) if is_collection(names) else str(names)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
