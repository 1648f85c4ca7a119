"""The `_async` twins: each I/O method of a synchronous class, for code in an event loop.

A method that only calls a function of a module, `return await documents.persist(self)`, gets a twin
that calls the function of `loom_async`. Methods of models have this form, because both packages use
their objects. Any other method belongs to a query: its twin runs the same query as an asynchronous
one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_absolute_module_for_import, get_full_name_for_node

from .imports import is_shared
from .names import IDENTIFIERS, ITERATED
from .nodes import imports_name, returned_class, statement

# A function returns these without waiting; their use waits.
_ITERATORS = ("AsyncIterator", "AsyncGenerator")
_BLOCKS = ("AbstractAsyncContextManager",)
_CODE = cst.Module([])
_DOCSTRING = m.SimpleStatementLine([m.Expr(m.SimpleString() | m.ConcatenatedString())])


class TwinError(Exception):
    """A method has a form for which no twin can be generated."""


def add_twins(original: cst.Module, stripped: cst.Module, module: str) -> cst.Module:
    """Return the synchronous code of a module with a twin after each of its I/O methods.

    Parameters:
        original: The asynchronous code.
        stripped: The synchronous code made from it.
        module: The asynchronous module's dotted name.

    Raises:
        TwinError: A method is neither a query's nor hands over to a function.
    """
    _check_bases(original)
    own_name = module.rpartition(".")[2]
    modules = {**_imported_modules(original, module), own_name: module}
    added = _Added(modules, _sources_of_renamed(original), _iterated_in(original, module))
    twins = {node.name.value: added.methods_of(node, own_name) for node in _public(original)}
    body = [
        _with_methods(node, twins[node.name.value])
        if isinstance(node, cst.ClassDef) and twins.get(node.name.value)
        else node
        for node in stripped.body
    ]
    return stripped.with_changes(body=_withimports_name(body, added.imports()))


class _Added:
    """The twins of one module, and what they import."""

    def __init__(
        self,
        modules: dict[str, str],
        sources: dict[str, str],
        iterated: dict[str, str],
    ) -> None:
        self._modules = modules
        self._sources = sources
        self._iterated = iterated
        self._used: dict[str, str] = {}
        self._renamed: set[str] = set()
        self._iterates = False

    def methods_of(self, node: cst.ClassDef, own_name: str) -> dict[str, list[cst.BaseStatement]]:
        """Return the statements to add to a class, by the name of the member that they follow."""
        added: dict[str, list[cst.BaseStatement]] = {}
        asks_query = False
        for member in node.body.body:
            if isinstance(member, cst.FunctionDef) and _is_io(member):
                hands_over = self._delegate(member) is not None
                asks_query |= not _is_overload(member) and not hands_over
                _check_form(node, member, hands_over=hands_over)
                added.setdefault(member.name.value, []).append(self._method(member))
            elif name := _alias_of(member, added):
                added[name[0]] = [statement(f"{name[0]}_async = {name[1]}_async")]
        if asks_query:
            self._used[own_name] = self._modules[own_name]
            added[""] = [_query_property(node, own_name)]
        return added

    def _method(self, node: cst.FunctionDef) -> cst.BaseStatement:
        delegate = self._delegate(node)
        if delegate is not None:
            self._used[delegate[0]] = self._modules[delegate[0]]
        self._iterates |= returned_class(node) in _ITERATORS
        if node.returns:
            found = m.findall(node.returns, m.Name())
            names = {cst.ensure_type(name, cst.Name).value for name in found}
            self._renamed |= names & self._sources.keys()
        if source := self._iterated.get(returned_class(node)):
            name = source.rpartition(".")[2]
            self._used[name] = source
            node = _returning(node, f"async_{name}")
        twin = cst.ensure_type(cst.parse_statement(_twin_code(node, delegate)), cst.FunctionDef)
        return twin.with_changes(leading_lines=[cst.EmptyLine()])

    def _delegate(self, node: cst.FunctionDef) -> tuple[str, str] | None:
        """Return the module whose function a method calls, and the code of the call; or None."""
        *before, last = node.body.body
        if not all(m.matches(statement, _DOCSTRING) for statement in before):
            return None
        call = m.Call(func=m.Attribute(value=m.Name(m.DoNotCare()), attr=m.Name()))
        if not m.matches(last, m.SimpleStatementLine([m.Return(m.Await(call) | call)])):
            return None
        (called,) = m.findall(last, call)[:1]
        module = get_full_name_for_node(cst.ensure_type(called, cst.Call).func) or ""
        name = module.partition(".")[0]
        if name not in self._modules or name in _parameters(node):
            return None
        return name, _CODE.code_for_node(called)

    def imports(self) -> list[cst.SimpleStatementLine]:
        """Return the imports that the twins need."""
        lines: list[str] = []
        for name, module in sorted(self._used.items()):
            package, _, own_name = module.rpartition(".")
            lines.append(f"from {package} import {own_name} as async_{name}")
        lines += [f"from {self._sources[name]} import {name}" for name in sorted(self._renamed)]
        if self._iterates:
            lines.insert(0, "from collections.abc import AsyncIterator")
        return [statement(line) for line in lines]


def _public(module: cst.Module) -> Iterator[cst.ClassDef]:
    for node in module.body:
        if isinstance(node, cst.ClassDef) and not node.name.value.startswith("_"):
            yield node


def _imported_modules(module: cst.Module, name: str) -> dict[str, str]:
    """Return the modules of the package that a module imports, by their local names.

    Names in lower case are taken for modules: only calls of their functions are looked at.
    """
    found: dict[str, str] = {}
    for node in m.findall(module, m.ImportFrom(relative=[m.AtLeastN(m.Dot(), n=1)])):
        line = cst.ensure_type(node, cst.ImportFrom)
        package = get_absolute_module_for_import(name, line) or ""
        for alias in line.names if not isinstance(line.names, cst.ImportStar) else ():
            local = alias.evaluated_alias or alias.evaluated_name
            if local.islower() and not local.startswith("_") and not is_shared(package):
                found[local] = f"{package}.{alias.evaluated_name}"
    return found


def _sources_of_renamed(module: cst.Module) -> dict[str, str]:
    """Return the sources of the names that are renamed in the twin, except iterators."""
    return {
        alias.evaluated_name: get_full_name_for_node(line.module) or ""
        for node in m.findall(module, m.ImportFrom(relative=[]))
        if (line := cst.ensure_type(node, cst.ImportFrom)).module
        for alias in (line.names if not isinstance(line.names, cst.ImportStar) else ())
        if alias.evaluated_name in IDENTIFIERS and alias.evaluated_name not in _ITERATORS
    }


def _iterated_in(module: cst.Module, own_name: str) -> dict[str, str]:
    """Return the modules of the classes in `ITERATED` that a module imports."""
    return {
        name: get_absolute_module_for_import(own_name, cst.ensure_type(line, cst.ImportFrom)) or ""
        for line in m.findall(module, m.ImportFrom(relative=[m.AtLeastN(m.Dot(), n=1)]))
        for name in ITERATED
        if imports_name(line, name)
    }


def _check_bases(module: cst.Module) -> None:
    """Refuse an I/O method that a public class inherits from a private one: it gets no twin."""
    classes = [node for node in module.body if isinstance(node, cst.ClassDef)]
    private = {
        node.name.value: [
            member.name.value
            for member in node.body.body
            if isinstance(member, cst.FunctionDef) and _is_io(member)
        ]
        for node in classes
        if node.name.value.startswith("_")
    }
    for node in _public(module):
        for base in node.bases:
            if found := private.get(get_full_name_for_node(base.value) or ""):
                raise TwinError(
                    f"{node.name.value}: {found[0]} of a private base gets no twin: define it in a "
                    "public class"
                )


def _check_form(owner: cst.ClassDef, method: cst.FunctionDef, *, hands_over: bool) -> None:
    place = f"{owner.name.value}.{method.name.value}"
    if _decorated(method, "property"):
        raise TwinError(f"{place}: a property cannot do I/O: make it a method")
    if hands_over or _is_overload(method):
        return
    if _decorated(method, "classmethod"):
        raise TwinError(
            f"{place}: a class method must hand over to a function: "
            "`return await module.function(cls, …)`"
        )
    if not owner.bases:
        raise TwinError(
            f"{place}: a method must hand over to a function of a module, or belong to a query"
        )


def _is_io(node: cst.FunctionDef) -> bool:
    if node.name.value.startswith("_"):
        return False
    kinds = (*_ITERATORS, *_BLOCKS, *ITERATED)
    return node.asynchronous is not None or returned_class(node) in kinds


def _returning(node: cst.FunctionDef, module: str) -> cst.FunctionDef:
    """Return a function whose result is of the class of the same name in another module."""
    annotation = cst.ensure_type(
        cst.ensure_type(node.returns, cst.Annotation).annotation, cst.Subscript
    )
    there = cst.Attribute(cst.Name(module), cst.ensure_type(annotation.value, cst.Name))
    return node.with_deep_changes(annotation, value=there)


def _decorated(node: cst.FunctionDef, name: str) -> bool:
    return any(get_full_name_for_node(d.decorator) == name for d in node.decorators)


def _is_overload(node: cst.FunctionDef) -> bool:
    return _decorated(node, "overload")


def _twin_code(node: cst.FunctionDef, delegate: tuple[str, str] | None) -> str:
    name = node.name.value
    returns = returned_class(node)
    iterates, opens = returns in (*_ITERATORS, *ITERATED), returns in _BLOCKS
    waits = not (iterates or opens)
    signature = _CODE.code_for_node(
        node.with_changes(
            name=cst.Name(f"{name}_async"),
            asynchronous=cst.Asynchronous() if waits else None,
            body=cst.SimpleStatementSuite([cst.Expr(cst.Ellipsis())]),
            leading_lines=[],
        )
    ).strip()
    if _is_overload(node):
        return signature
    called = f"async_{delegate[1]}" if delegate else f"self._async.{name}({_arguments(node)})"
    returned = f"await {called}" if waits else called
    does = "Yield" if iterates else "Open" if opens else "Do"
    return (
        f"{signature.removesuffix('...')}\n"
        f'    """{does} as `{name}` does, without blocking the event loop."""\n'
        f"    return {returned}\n"
    )


def _parameters(node: cst.FunctionDef) -> set[str]:
    parameters = m.findall(node.params, m.Param())
    return {cst.ensure_type(parameter, cst.Param).name.value for parameter in parameters}


def _arguments(node: cst.FunctionDef) -> str:
    _, *positional = (*node.params.posonly_params, *node.params.params)
    given = [p.name.value for p in positional]
    if isinstance(node.params.star_arg, cst.Param):
        given.append(f"*{node.params.star_arg.name.value}")
    given += [f"{p.name.value}={p.name.value}" for p in node.params.kwonly_params]
    if node.params.star_kwarg:
        given.append(f"**{node.params.star_kwarg.name.value}")
    return ", ".join(given)


def _alias_of(node: cst.CSTNode, twins: dict[str, list[cst.BaseStatement]]) -> list[str] | None:
    """Return both names of `load_top = load_latest` if the second has a twin."""
    alias = m.SimpleStatementLine([m.Assign([m.AssignTarget(m.Name())], m.Name())])
    if not m.matches(node, alias):
        return None
    name, value = (get_full_name_for_node(n) or "" for n in m.findall(node, m.Name()))
    return [name, value] if value in twins else None


def _query_property(query: cst.ClassDef, module: str) -> cst.BaseStatement:
    name = query.name.value
    variables = _type_variables(query)
    counterpart = f"async_{module}.{name}"
    node = cst.parse_statement(
        f"@property\n"
        f"def _async(self) -> {counterpart}{variables}:\n"
        f"    kind: type[{counterpart}{variables}] = {counterpart}\n"
        f"    return self._as(kind)\n"
    )
    return cst.ensure_type(node, cst.FunctionDef).with_changes(leading_lines=[cst.EmptyLine()])


def _type_variables(node: cst.ClassDef) -> str:
    base = node.bases[0].value
    if not isinstance(base, cst.Subscript):
        return ""
    return f"[{', '.join(_CODE.code_for_node(element.slice) for element in base.slice)}]"


def _with_methods(node: cst.ClassDef, added: dict[str, list[cst.BaseStatement]]) -> cst.ClassDef:
    body: list[cst.BaseStatement] = []
    members = cst.ensure_type(node.body, cst.IndentedBlock).body
    names = [_name_of(member) for member in members]
    for index, (member, name) in enumerate(zip(members, names, strict=True)):
        body.append(member)
        is_last = name not in names[index + 1 :]  # overloads share a name with what they describe
        if is_last:
            body += added.get(name, []) if name else []
    body += added.get("", [])
    return node.with_changes(body=node.body.with_changes(body=body))


def _name_of(node: cst.CSTNode) -> str | None:
    """Return the name that a statement of a class body defines or assigns."""
    if isinstance(node, cst.FunctionDef):
        return node.name.value
    for target in m.findall(node, m.AssignTarget(m.Name())):
        return get_full_name_for_node(cst.ensure_type(target, cst.AssignTarget).target)
    return None


def _withimports_name(
    body: Sequence[cst.BaseStatement], imports: Sequence[cst.BaseStatement]
) -> list[cst.BaseStatement]:
    imported = m.SimpleStatementLine([m.Import() | m.ImportFrom()])
    first = next((i for i, node in enumerate(body) if m.matches(node, imported)), 0)
    # After `from __future__ import annotations`; ruff sorts the imports.
    return [*body[: first + 1], *imports, *body[first + 1 :]]
