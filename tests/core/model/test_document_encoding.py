"""Errors for values that BSON cannot hold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import loom_async as lm
from loom_async._core.model.document_encoding import encode_document
from loom_async._core.model.write_plan import plan_persist


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"a": [1, {"b": 2**63}]}, r"anything\.a\.1\.b"),
        ({"a\0b": 1}, "anything"),
        ("\ud800", "anything"),
        (object(), "anything"),
        (Decimal("1." + "1" * 40), "anything"),
    ],
)
def test_error_names_the_path_of_a_value_that_bson_cannot_hold(value: Any, where: str) -> None:
    class Holder(lm.PersistableBase):
        anything: Any

    with pytest.raises(lm.EncodingError, match=where):
        plan_persist(Holder(anything=value))


def test_a_document_has_16_mebibytes_at_most() -> None:
    overhead = len(encode_document({"x": b""}))
    largest = 16 * 1024 * 1024 - overhead
    assert len(encode_document({"x": bytes(largest)})) == 16 * 1024 * 1024
    with pytest.raises(lm.EncodingError, match="MongoDB holds 16 MB"):
        encode_document({"x": bytes(largest + 1)})
