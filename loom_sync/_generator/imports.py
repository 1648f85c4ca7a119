"""Converts imports: the core is shared, all other modules are those of the twin."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from libcst.helpers import get_absolute_module_for_import, get_full_name_for_node

TWINS = {
    "loom_async": "loom_sync",
    "tests.aio": "tests.sync",
    "tests.bench": "tests.bench.sync",
    "tests.faults.counters": "tests.faults.sync.counters",
    "tests.faults.writers": "tests.faults.sync.writers",
}
_CORE = "loom_async._core"


def is_shared(module: str) -> bool:
    """Say whether both packages use a module, as they do the core."""
    return module == _CORE or module.startswith(f"{_CORE}.")


def twin_of(module: str) -> str:
    """Return the module that synchronous code imports instead of a module."""
    if is_shared(module):
        return module
    for name, twin in TWINS.items():
        if module == name or module.startswith(f"{name}."):
            return twin + module[len(name) :]
    return module


def rewrite_import_from(node: cst.ImportFrom, module: str) -> cst.ImportFrom:
    """Return an import as it is written in the twin of `module`."""
    absolute = get_absolute_module_for_import(module, node)
    if absolute is None:
        return node
    # A relative import stays relative, unless it is of the shared core.
    if node.relative and twin_of(absolute) != absolute:
        return _without_repetition(node)
    renamed = node.with_changes(module=_dotted(twin_of(absolute)), relative=())
    return _without_repetition(renamed)


def rewrite_import(node: cst.Import) -> cst.Import:
    """Return `import x` with the twins of the modules that have one."""
    return node.with_changes(names=[_twin_alias(alias) for alias in node.names])


def _twin_alias(alias: cst.ImportAlias) -> cst.ImportAlias:
    name = get_full_name_for_node(alias.name)
    assert name is not None
    return alias.with_changes(name=_dotted(twin_of(name)))


def _without_repetition(node: cst.ImportFrom) -> cst.ImportFrom:
    """Remove names that occur twice after renaming."""
    if isinstance(node.names, cst.ImportStar):
        return node
    kept: dict[str, cst.ImportAlias] = {}
    for alias in node.names:
        kept.setdefault(cst.Module([]).code_for_node(alias.with_changes(comma=_NO_COMMA)), alias)
    return node.with_changes(names=_separated(list(kept.values())))


_NO_COMMA = cst.MaybeSentinel.DEFAULT


def _separated(aliases: Sequence[cst.ImportAlias]) -> list[cst.ImportAlias]:
    # Dropping the last name may leave a comma behind.
    *others, last = aliases
    return [*others, last.with_changes(comma=_NO_COMMA)]


def _dotted(name: str) -> cst.Name | cst.Attribute:
    first, *rest = name.split(".")
    node: cst.Name | cst.Attribute = cst.Name(first)
    for part in rest:
        node = cst.Attribute(node, cst.Name(part))
    return node
