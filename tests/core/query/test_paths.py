"""Names that are not paths of fields are refused."""

from __future__ import annotations

from typing import Any

import pytest

import loom_async as lm
from loom_async import fld
from tests.core.query.models import compiled


@pytest.mark.parametrize("path", ["$where", "a.$b", "$", "a.", ".a", "", "a..b", "a\0b"])
def test_name_that_would_be_an_operator_is_refused(path: str) -> None:
    for make in (fld.__getitem__, fld, fld["meta"].__getitem__):
        with pytest.raises(lm.QueryError):
            make(path)


@pytest.mark.parametrize("path", ["$where", "$expr"])
def test_lambda_refuses_a_name_that_would_be_an_operator(path: str) -> None:
    with pytest.raises(lm.QueryError):
        compiled(lambda u: u[path] == 1, None)


@pytest.mark.parametrize("path", [3, None, b"a", ("a",)])
def test_name_that_is_not_a_string_is_refused(path: Any) -> None:
    with pytest.raises(lm.QueryError, match="named by a string"):
        fld[path]
