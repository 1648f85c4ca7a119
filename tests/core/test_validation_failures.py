"""The reasons of validators, where a server can hardly be made to give them."""

from __future__ import annotations

from typing import Any

import pytest

from loom_async._core.server_codes import DOCUMENT_VALIDATION_FAILURE
from loom_async._core.validation_failures import reason_of, validation_failure


def failure(*rules: dict[str, Any], **info: Any) -> dict[str, Any]:
    details = {"operatorName": "$jsonSchema", "schemaRulesNotSatisfied": list(rules)}
    return {"code": DOCUMENT_VALIDATION_FAILURE, "errInfo": {"details": details, **info}}


REASONS: list[tuple[dict[str, Any], str]] = [
    ({"operatorName": "required", "missingProperties": ["a"]}, "the document lacks 'a'"),
    (
        {
            "operatorName": "bsonType",
            "specifiedAs": {"bsonType": ["int", "long"]},
            "consideredValue": "x",
            "consideredType": "string",
        },
        "the document: 'x' is of type string, not int or long",
    ),
    (
        {"operatorName": "enum", "specifiedAs": {"enum": [1]}, "consideredValue": 2},
        "2 is none of [1]",
    ),
    ({"operatorName": "anyOf"}, "the document has none of the forms allowed"),
    ({"operatorName": "not", "reason": "child matched"}, "the document: child matched"),
]


@pytest.mark.parametrize(("rule", "reason"), REASONS)
def test_reasons(rule: dict[str, Any], reason: str) -> None:
    assert reason in validation_failure(failure(rule))


def test_paths_and_alternatives() -> None:
    wrong = {"operatorName": "bsonType", "specifiedAs": {"bsonType": "int"},
             "consideredValue": "x" * 99, "consideredType": "string"}  # fmt: skip
    item = {"itemIndex": 2, "details": [wrong, wrong]}
    rule = {"propertiesNotSatisfied": [{"propertyName": "tags", "details": [item]}]}
    text = validation_failure(failure(rule, failingDocumentId=7))
    shown = f"'{'x' * 79}…"
    assert text.startswith("document 7 does not pass the validator of its collection: ")
    assert text.endswith(f": tags.2: {shown} is of type string, not int")


def test_replies_without_details() -> None:
    assert reason_of({"code": 11000, "errmsg": "taken"}) == "taken"
    assert reason_of({"code": DOCUMENT_VALIDATION_FAILURE}) == (
        "the document does not pass the validator of its collection"
    )
