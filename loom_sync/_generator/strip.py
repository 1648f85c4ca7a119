"""Removes `async` and `await`, and renames identifiers."""

from __future__ import annotations

from typing import TypeVar

import libcst as cst
from libcst.helpers import get_full_name_for_node

from .imports import is_shared, rewrite_import, rewrite_import_from, twin_of
from .names import Renames

N = TypeVar("N", bound=cst.CSTNode)

# Atoms of the grammar: they need no parentheses wherever they stand.
_ATOMS = (cst.Call, cst.Name, cst.Attribute, cst.Subscript)


class Strip(cst.CSTTransformer):
    """Converts one module to its synchronous twin.

    Parameters:
        module: The dotted name of the module that is being read.
        renames: The names that change.
    """

    def __init__(self, module: str, renames: Renames) -> None:
        super().__init__()
        self._module = module
        self._renames = renames

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        return _plain(updated_node)

    def leave_With(self, original_node: cst.With, updated_node: cst.With) -> cst.With:
        return _plain(updated_node)

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.For:
        return _plain(updated_node)

    def leave_CompFor(self, original_node: cst.CompFor, updated_node: cst.CompFor) -> cst.CompFor:
        return _plain(updated_node)

    def leave_Await(self, original_node: cst.Await, updated_node: cst.Await) -> cst.BaseExpression:
        inner = updated_node.expression
        if isinstance(inner, _ATOMS) and not _has_lines(updated_node):
            return inner
        return inner.with_changes(
            lpar=[*updated_node.lpar, *inner.lpar], rpar=[*inner.rpar, *updated_node.rpar]
        )

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if get_full_name_for_node(original_node.func) == "asyncio.run":
            return _parenthesized(updated_node.args[0].value)
        return updated_node

    def leave_Subscript(
        self, original_node: cst.Subscript, updated_node: cst.Subscript
    ) -> cst.BaseExpression:
        name = (get_full_name_for_node(original_node.value) or "").rpartition(".")[2]
        if name in ("Awaitable", "Coroutine"):
            return _type_at(updated_node, -1)
        if name == "AsyncGenerator" and len(updated_node.slice) == 2:
            # A generator has a third type, of its return value; an asynchronous generator has none.
            nothing = cst.SubscriptElement(cst.Index(cst.Name("None")))
            return updated_node.with_changes(slice=[*updated_node.slice, nothing])
        return updated_node

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        name = updated_node.value
        return updated_node.with_changes(value=twin_of(self._renames.identifier(name)))

    def leave_Attribute(
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.Attribute:
        name = get_full_name_for_node(original_node) or ""
        return original_node if is_shared(name) else updated_node

    def leave_SimpleString(
        self, original_node: cst.SimpleString, updated_node: cst.SimpleString
    ) -> cst.SimpleString:
        if "b" in original_node.prefix:
            return original_node
        return updated_node.with_changes(value=self._renames.text(updated_node.value))

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.Expr:
        # A string as a statement is a docstring.
        text = updated_node.value
        if not isinstance(text, cst.SimpleString):
            return updated_node
        return updated_node.with_deep_changes(text, value=self._renames.prose(text.value))

    def leave_FormattedStringText(
        self, original_node: cst.FormattedStringText, updated_node: cst.FormattedStringText
    ) -> cst.FormattedStringText:
        return updated_node.with_changes(value=self._renames.text(updated_node.value))

    def leave_Comment(self, original_node: cst.Comment, updated_node: cst.Comment) -> cst.Comment:
        return updated_node.with_changes(value=self._renames.prose(updated_node.value))

    def leave_ImportFrom(
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.ImportFrom:
        return rewrite_import_from(updated_node, self._module)

    def leave_Import(self, original_node: cst.Import, updated_node: cst.Import) -> cst.Import:
        return rewrite_import(updated_node)


def _plain(node: N) -> N:
    return node.with_changes(asynchronous=None)


def _parenthesized(node: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(node, _ATOMS) or node.lpar:
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _has_lines(node: cst.Await) -> bool:
    # Parentheses around several lines are needed.
    return "\n" in cst.Module([]).code_for_node(node)


def _type_at(node: cst.Subscript, position: int) -> cst.BaseExpression:
    element = node.slice[position].slice
    assert isinstance(element, cst.Index)
    return element.value
