"""Whether a generated test could fail at all because of the project's code, judged from its source alone."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence

from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages import syntax
from qverify_desktop.languages.base import StaticProblem
from qverify_desktop.languages.python.codebase import bound_names, loaded_names

MOST_CHARACTERS = 200_000
_TOOLS = frozenset(("pytest", "hypothesis", "unittest", "mock", "nose", "freezegun", "typing_extensions"))
#: Builtins that call what they are given.
_CALLERS = frozenset(
    ("map", "filter", "sorted", "max", "min", "reduce", "partial", "run", "list", "tuple", "next", "iter")
)
_SKIPS = re.compile(r"^(?:pytest\.)?(?:skip|xfail|importorskip|exit)$|(?:^|\.)(?:skipTest|skipIf|skipUnless)$")
_SKIP_MARKS = re.compile(r"(?:^|\.)(?:skip|skipif|skipIf|skipUnless|xfail|expectedFailure)$")
#: Fixtures through which a test sees what a call did.
_WATCHERS = frozenset(
    ("capsys", "capfd", "capsysbinary", "caplog", "recwarn", "tmp_path", "tmpdir", "monkeypatch", "mocker")
)
_RAISES = re.compile(r"(?:^|\.)(?:raises|warns|assertRaises|assertRaisesRegex|assertWarns|assertLogs)$")
_ASSERTING = re.compile(r"(?:^|\.)(?:assert_\w+|assert[A-Z]\w*|assertEqual)$")
_CATCH_ALL = frozenset(("Exception", "BaseException", "AssertionError"))


def parse_test(test: GeneratedTest) -> ast.Module | StaticProblem:
    """Tree of the test with its prelude, or why it has none. Never raises, whatever the text is."""
    text = "\n".join([*sorted(test.prelude, key=lambda line: not line.startswith("from __future__")), test.code])
    if len(text) > MOST_CHARACTERS:
        return StaticProblem(Reason.SYNTAX, "It is too long to be one test.")
    try:
        return syntax.parse(text)
    except SyntaxError as error:
        return StaticProblem(Reason.SYNTAX, f"Line {error.lineno or 0}: {error.msg}.")
    except (ValueError, RecursionError, MemoryError):
        return StaticProblem(Reason.SYNTAX, "The parser refuses it.")


def static_problem(test: GeneratedTest) -> StaticProblem | None:
    """Why the test is refused before it is run, or ``None``: it parses, and an assertion hangs on a call into the code."""
    tree = parse_test(test)
    if isinstance(tree, StaticProblem):
        return tree
    try:
        function = _function(tree, test.name)
        if function is None:
            return StaticProblem(Reason.NOT_A_TEST, f"There is no test function named {test.name}.")
        return _judge(tree, function)
    except RecursionError:
        return StaticProblem(Reason.SYNTAX, "It nests too deeply.")


def _function(tree: ast.Module, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    body: Sequence[ast.stmt] = tree.body
    *classes, last = name.split("::")
    for wanted in classes:
        holder = next((node for node in body if isinstance(node, ast.ClassDef) and node.name == wanted), None)
        if holder is None:
            return None
        body = holder.body
    functions = [n for n in body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and n.name == last]
    return functions[-1] if functions else None


def _judge(tree: ast.Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> StaticProblem | None:
    if any(_SKIP_MARKS.search(_path(mark)) for mark in function.decorator_list):
        return StaticProblem(Reason.TRIVIAL, "It is marked to be skipped or to fail.")
    if any(isinstance(node, ast.Call) and _SKIPS.search(_path(node)) for node in ast.walk(function)):
        return StaticProblem(Reason.TRIVIAL, "It skips itself.")
    checks = list(_checks(function.body))
    if not checks:
        return StaticProblem(Reason.TRIVIAL, "It holds no assertion that is reached.")
    taint = _Taint(tree, function)
    if any(taint.can_fail(check) for check in checks):
        return None
    return StaticProblem(Reason.TRIVIAL, "No assertion depends on a call into the project's code.")


def _path(node: ast.AST) -> str:
    target = node.func if isinstance(node, ast.Call) else node
    parts: list[str] = []
    while isinstance(target, ast.Attribute):
        parts.insert(0, target.attr)
        target = target.value
    return ".".join([target.id, *parts]) if isinstance(target, ast.Name) else ".".join(["", *parts])


def _checks(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that check something and are reached: asserts, ``with raises``, calls of an asserting method."""
    for node in body:
        if isinstance(node, ast.Return | ast.Raise):
            return
        if isinstance(node, ast.Assert):
            yield node
        elif isinstance(node, ast.With | ast.AsyncWith):
            if any(
                isinstance(i.context_expr, ast.Call) and _RAISES.search(_path(i.context_expr)) for i in node.items
            ):
                yield node
            if not any("suppress" in _path(item.context_expr) for item in node.items):
                yield from _checks(node.body)
        elif isinstance(node, ast.Expr):
            value = node.value.value if isinstance(node.value, ast.Await) else node.value
            if isinstance(value, ast.Call) and (_ASSERTING.search(_path(value)) or _RAISES.search(_path(value))):
                yield node
        elif isinstance(node, ast.If):
            if not (isinstance(node.test, ast.Constant) and not node.test.value):
                yield from _checks(node.body)
            yield from _checks(node.orelse)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.While):
            empty = isinstance(node, ast.For) and isinstance(node.iter, ast.List | ast.Tuple) and not node.iter.elts
            if not empty and not (
                isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and not node.test.value
            ):
                yield from _checks(node.body)
            yield from _checks(node.orelse)
        elif isinstance(node, ast.Try):
            if not _swallows(node):
                yield from _checks(node.body)
            for handler in node.handlers:
                yield from _checks(handler.body)
            yield from _checks(node.orelse)
            yield from _checks(node.finalbody)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_used(node, body):
            yield from _checks(node.body)


def _is_used(node: ast.FunctionDef | ast.AsyncFunctionDef, body: Sequence[ast.stmt]) -> bool:
    return any(node.name in loaded_names(other) for other in body if other is not node)


def _swallows(node: ast.Try) -> bool:
    for handler in node.handlers:
        kinds = {"Exception"} if handler.type is None else {_path(part) for part in _parts(handler.type)}
        quiet = not any(
            isinstance(part, ast.Raise | ast.Assert) or (isinstance(part, ast.Call) and _path(part).endswith("fail"))
            for statement in handler.body
            for part in ast.walk(statement)
        )
        if kinds & _CATCH_ALL and quiet:
            return True
    return False


def _parts(node: ast.expr) -> Sequence[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]


class _Taint:
    """Which names hold what a call into the project gave, or were handed to such a call."""

    def __init__(self, tree: ast.Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._project = _project_names(tree)
        self._values: set[str] = set()
        self._fresh = _fresh_instances(function)
        self._called = False
        arguments = [argument.arg for argument in [*function.args.args, *function.args.kwonlyargs]]
        known = _defined_fixtures(tree)
        self._values.update(name for name in arguments if name in known and known[name] & self._project)
        for holder in tree.body:
            if isinstance(holder, ast.ClassDef) and function in holder.body and loaded_names(holder) & self._project:
                self._values.add("self")
        for _ in range(3):
            self._spread(function)
        if self._called:
            self._values.update(name for name in arguments if name in _WATCHERS)
            self._spread(function)

    def _spread(self, function: ast.AST) -> None:
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and self._is_project_call(node):
                self._called = True
                for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                    self._values.update(loaded_names(argument) - self._project)
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
                if node.value is not None and self.touched(node.value):
                    self._values.update(_assigned_names(node))
            elif isinstance(node, ast.Try) and any(self.touched(part) for part in node.body):
                self._values.update(handler.name for handler in node.handlers if handler.name)
            elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension) and self.touched(node.iter):
                self._values.update(bound_names(node.target))
            elif isinstance(node, ast.withitem) and node.optional_vars is not None:
                known = self.touched(node.context_expr) or "raises" in _path(node.context_expr)
                self._values.update(bound_names(node.optional_vars) if known else ())

    def _is_project_call(self, node: ast.Call) -> bool:
        names = loaded_names(node.func)
        if names & self._project or names & self._values:
            return True
        if _path(node).rpartition(".")[2] in _CALLERS:
            return any(loaded_names(argument) & self._project for argument in node.args)
        return False

    def touched(self, node: ast.AST) -> bool:
        """Whether the expression's value comes from a call into the project."""
        if loaded_names(node) & self._values:
            return True
        return any(isinstance(part, ast.Call) and self._is_project_call(part) for part in ast.walk(node))

    def can_fail(self, check: ast.stmt) -> bool:
        if isinstance(check, ast.Assert):
            return self.touched(check.test) and not self._always_true(check.test)
        if isinstance(check, ast.With | ast.AsyncWith):
            return any(self.touched(node) for node in check.body)
        if isinstance(check, ast.Expr):
            return self._called_check(check.value)
        return False

    def _called_check(self, value: ast.expr) -> bool:
        call = value.value if isinstance(value, ast.Await) else value
        if not isinstance(call, ast.Call):
            return False
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        if _RAISES.search(_path(call)):
            return any(loaded_names(argument) & (self._project | self._values) for argument in arguments[1:])
        same = len(arguments) >= 2 and ast.dump(arguments[0]) == ast.dump(arguments[1])
        receiver = isinstance(call.func, ast.Attribute) and self.touched(call.func.value)
        if isinstance(call.func, ast.Attribute) and _path(call).startswith("self."):
            receiver = False
        return not same and (receiver or any(self.touched(argument) for argument in arguments))

    def _always_true(self, test: ast.expr) -> bool:
        if isinstance(test, ast.Tuple | ast.List) and test.elts:
            return True
        if isinstance(test, ast.BoolOp):
            parts = [self._always_true(part) or _is_true(part) for part in test.values]
            return any(parts) if isinstance(test.op, ast.Or) else all(parts)
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            return self._always_true_comparison(test.left, test.ops[0], test.comparators[0])
        if isinstance(test, ast.Call) and _path(test) == "isinstance" and len(test.args) == 2:
            kind = _path(test.args[1])
            subject = test.args[0]
            made = self._fresh.get(subject.id, "") if isinstance(subject, ast.Name) else ""
            return kind == "object" or bool(made and made == kind)
        return False

    def _always_true_comparison(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> bool:
        if isinstance(operator, ast.Eq | ast.Is | ast.LtE | ast.GtE) and ast.dump(left) == ast.dump(right):
            return True
        if isinstance(operator, ast.IsNot | ast.NotEq) and isinstance(right, ast.Constant) and right.value is None:
            return isinstance(left, ast.Name) and bool(self._fresh.get(left.id))
        length = isinstance(left, ast.Call) and _path(left) == "len"
        zero = isinstance(right, ast.Constant) and right.value == 0
        return length and zero and isinstance(operator, ast.GtE)


def _fresh_instances(function: ast.AST) -> dict[str, str]:
    """Names that are assigned once, and that by a call of something named like a class: name to that class."""
    made: dict[str, list[str]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            called = _path(node.value) if isinstance(node.value, ast.Call) else ""
            for name in _assigned_names(node):
                made.setdefault(name, []).append(called if called.rpartition(".")[2][:1].isupper() else "")
    return {name: calls[0] for name, calls in made.items() if len(calls) == 1}


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and bool(node.value)


def _assigned_names(node: ast.AST) -> set[str]:
    """Names assigned to, with the base of ``x.y = …`` and ``x[0] = …``."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
        targets = [node.target]
    return {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}


def _project_names(tree: ast.Module) -> set[str]:
    """Names imported from neither the standard library nor a test tool, and definitions that use them."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(a.asname or a.name.partition(".")[0] for a in node.names if _is_foreign(a.name))
        elif isinstance(node, ast.ImportFrom) and (node.level or _is_foreign(node.module or "")):
            names.update(alias.asname or alias.name for alias in node.names)
    for _ in range(2):
        for node in tree.body:
            if _is_test(node) or not loaded_names(node) & names:
                continue
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Assign):
                names.update(bound_names(node))
    return names


def _is_test(node: ast.AST) -> bool:
    return str(getattr(node, "name", "")).lower().startswith("test")


def _is_foreign(module: str) -> bool:
    top = module.partition(".")[0]
    return top not in sys.stdlib_module_names and top not in _TOOLS


def _defined_fixtures(tree: ast.Module) -> dict[str, set[str]]:
    return {
        node.name: loaded_names(node) | {node.name}
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _is_test(node)
    }
