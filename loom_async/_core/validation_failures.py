"""Explains in words why a collection's validator refused a document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from .server_codes import DOCUMENT_VALIDATION_FAILURE
from .type_guards import is_collection, is_mapping

# Characters of a value that a reason shows.
_MAX_SHOWN = 80


def reason_of(details: Mapping[str, Any]) -> str:
    """Return why the server refused one statement of a write.

    Parameters:
        details: One of the reply's `writeErrors`.
    """
    if details.get("code") == DOCUMENT_VALIDATION_FAILURE:
        return validation_failure(details)
    return str(details.get("errmsg", details))


def validation_failure(details: Mapping[str, Any]) -> str:
    """Return which rules of its collection's validator a document does not meet.

    Parameters:
        details: The server's reply, or one of its `writeErrors`.
    """
    info = _mapping(details.get("errInfo"))
    reasons = list(dict.fromkeys(_reasons(_mapping(info.get("details")), "")))
    id = info.get("failingDocumentId")
    document = "the document" if id is None else f"document {id!r}"
    text = f"{document} does not pass the validator of its collection"
    return f"{text}: {'; '.join(reasons)}" if reasons else text


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if is_mapping(value) else {}


def _reasons(rule: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the reasons for one rule that was not met, or for the rules nested in it."""
    subject = path or "the document"
    if "propertyName" in rule:
        path = f"{path}.{rule['propertyName']}" if path else str(rule["propertyName"])
    elif "itemIndex" in rule:
        path = f"{path}.{rule['itemIndex']}"
    nested = [reason for part in _nested_rules(rule) for reason in _reasons(part, path)]
    match rule.get("operatorName"):
        case "anyOf" | "oneOf":
            yield " or ".join(nested) or f"{subject} has none of the forms allowed"
        case "required":
            yield f"{subject} lacks {_names(rule.get('missingProperties'))}"
        case "additionalProperties" if not nested:
            names = _names(rule.get("additionalProperties"))
            yield f"{subject} has fields that are not allowed: {names}"
        case _ if nested:
            yield from nested
        case None:
            return
        case operator:
            yield f"{subject}: {_mismatch(str(operator), rule)}"


def _nested_rules(rule: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name in (
        "schemaRulesNotSatisfied",
        "propertiesNotSatisfied",
        "schemasNotSatisfied",
        "additionalProperties",
        "details",
    ):
        value = rule.get(name)
        for nested in value if is_collection(value) else [value]:
            if is_mapping(nested):
                yield nested


def _names(names: Any) -> str:
    return ", ".join(map(repr, names)) if is_collection(names) else repr(names)


def _mismatch(operator: str, rule: Mapping[str, Any]) -> str:
    value = _shown(rule.get("consideredValue"))
    specified = _mapping(rule.get("specifiedAs")).get(operator)
    if operator == "bsonType":
        return f"{value} is of type {rule.get('consideredType')}, not {_alternatives(specified)}"
    if operator == "enum":
        return f"{value} is none of {_shown(specified)}"
    reason = str(rule.get("reason")) if specified is None else f"{operator} is {_shown(specified)}"
    return f"{value}, but {reason}" if "consideredValue" in rule else reason


def _alternatives(names: Any) -> str:
    return " or ".join(map(str, names)) if is_collection(names) else str(names)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
