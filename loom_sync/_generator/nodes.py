"""Small questions about libcst's nodes, and nodes made of code."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m


def statement(code: str) -> cst.SimpleStatementLine:
    """Return the statement that a line of code is."""
    return cst.ensure_type(cst.parsestatement(code), cst.SimpleStatementLine)


def imports_name(node: cst.CSTNode, name: str) -> bool:
    """Say whether a statement imports a name."""
    return bool(m.findall(node, m.ImportAlias(m.Name(name))))
