"""A model's answer, a whole test file, taken apart into test functions that stand for themselves."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Sequence

from qverify_desktop.domain.project import Target
from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages import syntax
from qverify_desktop.languages.base import StaticProblem
from qverify_desktop.languages.python.codebase import bound_names, loaded_names
from qverify_desktop.languages.python.literals import is_literal
from qverify_desktop.languages.python.promise_tests import identifier

MOST_CHARACTERS = 400_000
_TOP = re.compile(r"^(?:def |async def |class |@)", re.MULTILINE)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def split(source: str, path: str, target: Target) -> list[GeneratedTest] | StaticProblem:
    """The tests of a file, each with the module-level statements it needs and a name that is unique for the target.

    A file that breaks off in the middle keeps the functions before the break. Methods of a test class become functions
    where they make no use of their class; otherwise each keeps the class's other members around it.
    """
    tree = _parse(source)
    if isinstance(tree, StaticProblem):
        return tree
    shared, tests = _apart(tree)
    stem = f"test_{identifier(target.symbol).lower()}"
    names: set[str] = set()
    found: list[GeneratedTest] = []
    for node, function in tests:
        rest = re.sub(r"^_*[tT]est_*", "", function.name) or "case"
        # A name that the application gave before comes back as it was.
        rest = rest.removeprefix(f"{stem.removeprefix('test_')}_") or "case"
        name = _unique(f"{stem}_{rest}", names)
        renamed = _renamed(node, function, name)
        call, expected = _single_expectation(function)
        found.append(
            GeneratedTest(
                path=path,
                name=f"{renamed.name}::{function.name}" if isinstance(renamed, ast.ClassDef) else name,
                code=ast.unparse(renamed),
                target=target.id,
                label=Label.CHARACTERIZATION,
                origin=Origin.MODEL,
                prelude=_needed(shared, renamed),
                call=call,
                expected=expected,
            )
        )
    if not found:
        return StaticProblem(Reason.NOT_A_TEST, "No function in it is a test.")
    return found


def _parse(source: str) -> ast.Module | StaticProblem:
    if len(source) > MOST_CHARACTERS or "\0" in source:
        return StaticProblem(Reason.SYNTAX, "It is too long, or holds null bytes.")
    text = source.replace("\r\n", "\n").strip("\ufeff")
    try:
        return syntax.parse(text)
    except SyntaxError as error:
        problem = StaticProblem(Reason.SYNTAX, f"Line {error.lineno or 0}: {error.msg}.")
        return _before_break(text) or problem
    except (ValueError, RecursionError, MemoryError):
        return StaticProblem(Reason.SYNTAX, "The parser refuses it.")


def _before_break(text: str) -> ast.Module | None:
    """The file without its last top-level definition, where an answer broke off inside that one."""
    starts = [match.start() for match in _TOP.finditer(text)]
    for start in reversed(starts[1:]):
        try:
            return syntax.parse(text[:start])
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def _apart(tree: ast.Module) -> tuple[list[ast.stmt], list[tuple[ast.stmt, _Function]]]:
    shared: list[ast.stmt] = []
    tests: list[tuple[ast.stmt, _Function]] = []
    for position, node in enumerate(tree.body):
        if isinstance(node, _Function) and node.name.startswith("test") and not _is_fixture(node):
            tests.append((node, node))
        elif isinstance(node, ast.ClassDef) and _is_test_class(node):
            methods = [item for item in node.body if isinstance(item, _Function) and item.name.startswith("test")]
            tests.extend((node, method) for method in methods)
        elif not _is_start(node) and not (position == 0 and _is_words(node)):
            shared.append(node)
    return shared, tests


def _is_start(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)


def _is_words(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_fixture(node: _Function) -> bool:
    return any("fixture" in ast.unparse(item) for item in node.decorator_list)


def _is_test_class(node: ast.ClassDef) -> bool:
    return node.name.startswith("Test") or any("TestCase" in ast.unparse(base) for base in node.bases)


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    taken.add(candidate)
    return candidate


def _renamed(node: ast.stmt, function: _Function, name: str) -> _Function | ast.ClassDef:
    if not isinstance(node, ast.ClassDef):
        alone = copy.deepcopy(function)
        alone.name = name
        return alone
    if _stands_alone(node, function):
        alone = copy.deepcopy(function)
        alone.name = name
        alone.args.args = alone.args.args[1:]
        alone.decorator_list = [*copy.deepcopy(node.decorator_list), *alone.decorator_list]
        return alone
    holder = copy.deepcopy(node)
    holder.name = "Test" + "".join(part[:1].upper() + part[1:] for part in name.split("_")[1:])
    holder.body = [
        item
        for item in holder.body
        if not (isinstance(item, _Function) and item.name.startswith("test") and item.name != function.name)
    ]
    return holder


def _stands_alone(holder: ast.ClassDef, function: _Function) -> bool:
    """Whether a method uses nothing of its class: no base, no other members, no ``self``."""
    if holder.bases or holder.keywords:
        return False
    for item in holder.body:
        test = isinstance(item, _Function) and item.name.startswith("test")
        if not test and not _is_words(item) and not isinstance(item, ast.Pass):
            return False
    arguments = function.args.args
    if not arguments or any(isinstance(item, ast.Name) for item in function.decorator_list):
        return False
    return arguments[0].arg not in {name for node in function.body for name in loaded_names(node)}


def _needed(shared: Sequence[ast.stmt], test: ast.stmt) -> tuple[str, ...]:
    """Module-level statements that the test rests on: what it names, its fixtures, and what runs for its effect."""
    needed = loaded_names(test) | _arguments(test)
    kept: set[int] = set()
    changed = True
    while changed:
        changed = False
        for index, node in enumerate(shared):
            if index in kept:
                continue
            names = _binds(node)
            automatic = isinstance(node, _Function) and "autouse" in "".join(map(ast.unparse, node.decorator_list))
            effect = isinstance(node, ast.Expr | ast.For | ast.With | ast.If | ast.Try) and not isinstance(
                node, ast.Constant
            )
            if names & needed or automatic or effect or "pytestmark" in names or _is_future(node):
                kept.add(index)
                needed |= loaded_names(node) | _arguments(node)
                changed = True
    return tuple(ast.unparse(node) for index, node in enumerate(shared) if index in kept)


def _binds(node: ast.stmt) -> set[str]:
    if isinstance(node, _Function | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Import | ast.ImportFrom):
        names = bound_names(node)
        return names | {
            name for part in ast.walk(node) if isinstance(part, ast.alias) for name in [part.name] if name == "*"
        }
    return bound_names(node)


def _is_future(node: ast.stmt) -> bool:
    star = isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    return star or (isinstance(node, ast.ImportFrom) and node.module == "__future__")


def _arguments(node: ast.AST) -> set[str]:
    """Parameters of every function inside, since each may be the name of a fixture; with ``usefixtures`` strings."""
    names = {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.isidentifier():
            names.add(part.value)
    return names


def _single_expectation(function: _Function) -> tuple[str, str]:
    """Call and expected value where the test is one ``assert f(…) == literal``, directly or through one variable."""
    asserts = [node for node in ast.walk(function) if isinstance(node, ast.Assert)]
    if len(asserts) != 1:
        return "", ""
    test = asserts[0].test
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq | ast.Is):
        left, right = test.left, test.comparators[0]
        if is_literal(ast.unparse(left)) and not is_literal(ast.unparse(right)):
            left, right = right, left
        if not is_literal(ast.unparse(right)):
            return "", ""
        if isinstance(left, ast.Name):
            values = [
                node.value
                for node in ast.walk(function)
                if isinstance(node, ast.Assign)
                and any(isinstance(t, ast.Name) and t.id == left.id for t in node.targets)
            ]
            left = values[0] if len(values) == 1 else left
        if isinstance(left, ast.Call):
            return ast.unparse(left), ast.unparse(right)
    return "", ""
