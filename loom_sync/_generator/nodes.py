"""Reads and creates nodes of libcst."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node


def statement(code: str) -> cst.SimpleStatementLine:
    """Return a line of code as a statement."""
    return cst.ensure_type(cst.parse_statement(code), cst.SimpleStatementLine)


def imports_name(node: cst.CSTNode, name: str) -> bool:
    """Say whether a statement imports a name."""
    return bool(m.findall(node, m.ImportAlias(m.Name(name))))


def returned_class(node: cst.FunctionDef) -> str:
    """Return the name of the generic class that a function returns; "" for any other result."""
    returns = node.returns.annotation if node.returns else None
    if not isinstance(returns, cst.Subscript):
        return ""
    return (get_full_name_for_node(returns.value) or "").rpartition(".")[2]
