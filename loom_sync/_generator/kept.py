"""Converts the public module, which keeps some functions of `loom_async`."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from .names import KEPT_FUNCTIONS
from .nodes import imports_name, statement


def keep_functions(original: cst.Module, stripped: cst.Module, package: str) -> cst.Module:
    """Return the public module with the functions that keep their asynchronous names."""
    body: list[cst.BaseStatement | cst.SimpleStatementLine] = []
    for before, after in zip(original.body, stripped.body, strict=True):
        kept = [name for name in KEPT_FUNCTIONS if imports_name(before, name)]
        if kept:
            source = _import_module(before)
            body.append(statement(f"from {package}.{source} import {', '.join(kept)}"))
        body.append(_export(after) if _is_all(after) else after)
    return stripped.with_changes(body=body)


def _import_module(node: cst.CSTNode) -> str:
    (found,) = m.findall(node, m.ImportFrom())
    return get_full_name_for_node(cst.ensure_type(found, cst.ImportFrom).module or "") or ""


def _is_all(node: cst.CSTNode) -> bool:
    return m.matches(node, m.SimpleStatementLine([m.Assign([m.AssignTarget(m.Name("__all__"))])]))


def _export(node: cst.CSTNode) -> cst.SimpleStatementLine:
    line = cst.ensure_type(node, cst.SimpleStatementLine)
    names = cst.ensure_type(cst.ensure_type(line.body[0], cst.Assign).value, cst.List)
    kept = [cst.Element(cst.SimpleString(f'"{name}"'), cst.Comma()) for name in KEPT_FUNCTIONS]
    first, *rest = names.elements
    return cst.ensure_type(
        line.with_deep_changes(names, elements=[first, *kept, *rest]), cst.SimpleStatementLine
    )
