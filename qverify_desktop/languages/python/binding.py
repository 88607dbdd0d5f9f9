"""Which target an example speaks of, and which names must be imported so that it can be run."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Mapping, Sequence

from qverify_desktop.domain.project import Promise, PromiseRelation, Target
from qverify_desktop.languages import syntax
from qverify_desktop.languages.python import answering
from qverify_desktop.languages.python.codebase import Codebase, bound_names, loaded_names
from qverify_desktop.languages.python.examples import Example
from qverify_desktop.languages.python.literals import NotALiteral, canonical, literal_value, parse_expression
from qverify_desktop.languages.python.passages import Passage, is_verbatim

_BUILTINS = frozenset(dir(builtins))
#: Builtins that may surround or feed a call in an example outside a session, each without effects.
_PURE = _BUILTINS & {
    *("abs", "bool", "bytearray", "bytes", "complex", "dict", "divmod", "enumerate", "float", "frozenset", "int"),
    *(
        "isinstance",
        "len",
        "list",
        "max",
        "min",
        "next",
        "print",
        "range",
        "repr",
        "reversed",
        "round",
        "set",
        "sorted",
    ),
    *("str", "sum", "tuple", "type", "zip", "all", "any", "map", "filter", "bin", "hex", "oct", "ord", "chr", "iter"),
}
_FORBIDDEN = re.compile(
    r"\b(?:open|input|exec|eval|compile|__import__|exit|quit|breakpoint|help|globals|locals|id|hash|vars|dir)\s*\("
    r"|\b(?:subprocess|shutil|socket|requests|urllib|sys\.exit|os\.(?:system|remove|unlink|environ|getcwd|getpid|listdir))\b"
)
_STANDARD_VALUES: Mapping[str, str] = {
    "OrderedDict": "collections",
    "Counter": "collections",
    "deque": "collections",
    "Decimal": "decimal",
    "Fraction": "fractions",
}
#: A fraction inside of a repr with all its digits, of which the last may differ where another library rounds it.
_LAST_DIGITS = re.compile(r"\d\.\d{14,}|\d{2}\.\d{13,}")
#: Shown forms whose spelling belongs to another package's version.
_FOREIGN_REPR = re.compile(r"^(?:array|DataFrame|Series|tensor|Index|np|numpy|torch|pd)\b|\bdtype=|\bnp\.")


class Binder:
    """Binds examples of one passage to targets. ``imports`` are the import lines that the passage shows."""

    def __init__(self, codebase: Codebase, passage: Passage, imports: Mapping[str, str]) -> None:
        self._codebase = codebase
        self._passage = passage
        self._imports = imports

    def promise(self, example: Example) -> Promise | None:
        """The example as a promise, or ``None`` where anything about it is open."""
        example = _unprinted(example)
        node = parse_expression(example.call)
        if node is None or _FORBIDDEN.search("\n".join([example.call, *example.setup])):
            return None
        if answering.reads_clock("\n".join(example.setup)):
            return None
        if any(isinstance(part, ast.Constant) and part.value is Ellipsis for part in ast.walk(node)):
            return None
        setup = self._setup(node, example)
        if setup is None:
            return None
        target = self._target(node, example)
        if target is None or not self._answers_plainly(target, node, example):
            return None
        expected, more = self._expected(example, target)
        if expected is None:
            return None
        words = self._passage.words(example.start, example.end)
        line = self._passage.first + example.start
        if not is_verbatim(self._passage.source, words, line):
            return None
        call = " ".join(example.call.split()) if "\n" in example.call and _same(example.call) else example.call
        return Promise(
            target.id,
            call,
            expected,
            example.relation,
            words,
            self._passage.file,
            line,
            example.form,
            (*setup, *more),
        )

    def callee(self, call: ast.Call) -> Target | None:
        """The target that a call leads to by its name alone."""
        return self._callee(call.func, {})

    def _setup(self, node: ast.expr, example: Example) -> tuple[str, ...] | None:
        """Imports and statements to run before the call; ``None`` where a name of it can't be found."""
        bound: set[str] = set(bound_names(node))
        free: set[str] = set(loaded_names(node)) - bound
        statements: list[str] = []
        defined: set[str] = set()
        for statement in example.setup:
            try:
                tree = syntax.parse(statement)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return None
            if any(isinstance(part, ast.ImportFrom) and part.names[0].name == "*" for part in tree.body):
                continue
            if any(isinstance(part, ast.Await | ast.Return | ast.Yield | ast.Global) for part in ast.walk(tree)):
                return None
            free |= loaded_names(tree) - defined
            defined |= bound_names(tree)
            statements.append(statement)
        free -= {name for name in free if name in defined and name not in self._module_names()}
        imports: list[str] = []
        for name in sorted(free - defined):
            line = self._import_of(name, session=example.form == "doctest" or bool(example.setup))
            if line is None:
                return None
            if line:
                imports.append(line)
        return (*dict.fromkeys(imports), *statements)

    def _module_names(self) -> Mapping[str, object]:
        module = self._codebase.modules.get(self._passage.module)
        return module.names if module else {}

    def _import_of(self, name: str, *, session: bool) -> str | None:
        """Import line for a name, ``""`` for a builtin, ``None`` where it is unknown here."""
        if name in self._imports:
            return self._imports[name]
        if self._passage.module:
            found = self._codebase.follow(self._passage.module, name)
            known = name in self._module_names()
            if found or known:
                if not session and found and found[2] == "value":
                    return None
                return f"from {self._passage.module} import {name}"
        elif name not in _BUILTINS:
            only = self._codebase.only_function(name) or self._only_class(name)
            if only:
                return f"from {only.module} import {name}"
            return f"import {name}" if self._codebase.knows_module(name) else None
        if name in _BUILTINS and (session or name in _PURE or name.endswith(("Error", "Exception"))):
            return ""
        return None

    def _only_class(self, name: str) -> Target | None:
        owners = {
            (m, s.partition(".")[0]): t for (m, s), t in self._codebase.targets.items() if s.startswith(f"{name}.")
        }
        return next(iter(owners.values())) if len(owners) == 1 else None

    def _target(self, node: ast.expr, example: Example) -> Target | None:
        variables = _constructed(example.setup)
        candidates = self._candidates(node, variables)
        shown = _assigned(example.setup).get(_shown_name(node), node)
        if example.form not in ("doctest", "stated") and not self._leads_to_target(shown, variables):
            return None
        if not candidates:
            for statement in reversed(example.setup):
                candidates = self._candidates(syntax.parse(statement), variables)
                if candidates:
                    break
        owner = self._passage.owner
        if owner is not None and owner in candidates:
            return owner
        named = [target for target in candidates if not target.symbol.endswith("__init__")]
        return next(iter([*named, *candidates]), None)

    def _candidates(self, tree: ast.AST, variables: Mapping[str, str]) -> list[Target]:
        found = []
        for part in ast.walk(tree):
            if isinstance(part, ast.Call | ast.Attribute):
                target = self._callee(part.func if isinstance(part, ast.Call) else part, variables)
                if target is not None and target not in found:
                    found.append(target)
        return found

    def _leads_to_target(self, node: ast.expr, variables: Mapping[str, str]) -> bool:
        """Outside a session the outermost call is a target, or a pure builtin around one."""
        while isinstance(node, ast.Attribute | ast.Subscript):
            if isinstance(node, ast.Attribute) and self._callee(node, variables):
                return True
            node = node.value
        if not isinstance(node, ast.Call):
            return False
        if self._callee(node.func, variables) is not None:
            return True
        if isinstance(node.func, ast.Name) and node.func.id in _PURE:
            return any(self._leads_to_target(part, variables) for part in node.args)
        return isinstance(node.func, ast.Attribute) and self._leads_to_target(node.func.value, variables)

    def _callee(self, node: ast.expr, variables: Mapping[str, str]) -> Target | None:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute) and parts:
            path = _dotted(node.func)
            return self._visible(f"{path}.{parts[0]}") if path else None
        if not isinstance(node, ast.Name):
            return None
        if node.id in variables:
            return self._visible(".".join([variables[node.id], *parts[:1]])) if parts else None
        return self._visible(".".join([node.id, *parts]))

    def _visible(self, path: str) -> Target | None:
        """Target for a dotted path as it reads in this passage."""
        head, _, rest = path.partition(".")
        line = self._imports.get(head)
        imported = self._imported(line, head, rest) if line is not None else None
        if imported is not None:
            return imported
        if self._passage.module:
            return self._codebase.target_of(self._passage.module, path)
        if line is not None:
            return None
        only = self._codebase.only_function(head) if not rest else self._only_class(head)
        if only is None and not rest:
            only = self._only_class(head)
        if only is not None:
            return self._codebase.target_of(only.module, path)
        return self._qualified(path)

    def _imported(self, line: str, head: str, rest: str) -> Target | None:
        statement = syntax.parse(line).body[0]
        if isinstance(statement, ast.ImportFrom):
            name = next((a.name for a in statement.names if (a.asname or a.name) == head), head)
            path = f"{name}.{rest}" if rest else name
            module = statement.module or ""
            if self._codebase.knows_module(f"{module}.{name}") and rest:
                return self._qualified(f"{module}.{path}")
            return self._codebase.target_of(module, path)
        if isinstance(statement, ast.Import):
            alias = statement.names[0]
            return self._qualified(f"{alias.name}.{rest}" if alias.asname else f"{head}.{rest}") if rest else None
        return None

    def _qualified(self, path: str) -> Target | None:
        parts = path.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            module = ".".join(parts[:cut])
            if module in self._codebase.modules:
                return self._codebase.target_of(module, ".".join(parts[cut:]))
        return None

    def _answers_plainly(self, target: Target, node: ast.expr, example: Example) -> bool:
        """Whether the target's answer depends on its arguments alone and comes back when it is called."""
        if target.is_async:
            return False
        definition = self._codebase.definition(target)
        source = self._codebase.by_file.get(target.file)
        if definition is None or source is None:
            return True
        text = ast.get_source_segment(source.text, definition) or ""
        if answering.is_unstable(text):
            return False
        lazy = isinstance(node, ast.Call) and answering.yields(definition) and self._callee(node.func, {}) == target
        return not (
            lazy and example.relation is PromiseRelation.EQUALS and not answering.is_context_manager(definition)
        )

    def _expected(self, example: Example, target: Target) -> tuple[str | None, tuple[str, ...]]:
        """Expected text as it goes into a test, and the imports that it needs."""
        expected = example.expected
        if example.relation is PromiseRelation.PRINTS:
            return expected, ()
        if example.relation is PromiseRelation.RAISES:
            if isinstance(getattr(builtins, expected, None), type):
                return expected, ()
            line = self._import_of(expected, session=True) or self._error_import(expected, target)
            return (expected, (line,)) if line else (None, ())
        try:
            canonical(literal_value(expected))
        except NotALiteral:
            return self._shown_object(example, target)
        return " ".join(expected.split()) if "\n" in expected and _same(expected) else expected, ()

    def _error_import(self, name: str, target: Target) -> str | None:
        found = self._codebase.follow(target.module, name)
        return f"from {target.module} import {name}" if found or name in self._names_of(target) else None

    def _names_of(self, target: Target) -> Mapping[str, object]:
        module = self._codebase.modules.get(target.module)
        return module.names if module else {}

    def _shown_object(self, example: Example, target: Target) -> tuple[str | None, tuple[str, ...]]:
        """An object as the interpreter shows it: by value for the standard library's, by ``repr`` for the project's."""
        expected = example.expected
        if example.form != "doctest" or _FOREIGN_REPR.search(expected) or _LAST_DIGITS.search(expected):
            return None, ()
        node = parse_expression(expected)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _STANDARD_VALUES:
            names = sorted(loaded_names(node))
            if not set(names) <= set(_STANDARD_VALUES):
                return None, ()
            return expected, tuple(f"from {_STANDARD_VALUES[name]} import {name}" for name in names)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and self._is_foreign(node.func.id, target):
            return None, ()
        return expected, ()

    def _is_foreign(self, name: str, target: Target) -> bool:
        """Whether a name comes from a package that may be there or not: with another one the same is shown otherwise."""
        module = self._codebase.modules.get(target.module)
        binding = module.names.get(name) if module else None
        root = binding.module.partition(".")[0] if binding is not None and binding.kind == "import" else ""
        return bool(root) and not self._codebase.knows_module(root) and root not in sys.stdlib_module_names


def _unprinted(example: Example) -> Example:
    """``print(f(x))  # [1, 2]`` speaks of the value; ``print(f(x))  # 3`` of the text, which may come from ``'3'``."""
    node = parse_expression(example.call)
    if example.relation is not PromiseRelation.EQUALS or not isinstance(node, ast.Call):
        return example
    if not (isinstance(node.func, ast.Name) and node.func.id == "print" and example.form != "doctest"):
        return example
    inner = node.args[0] if len(node.args) == 1 and not node.keywords else None
    is_text = isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id in ("str", "repr")
    if inner is not None and not is_text and example.expected[:1] in "'\"[{(":
        return Example(
            ast.unparse(inner),
            example.expected,
            example.relation,
            example.form,
            example.start,
            example.end,
            example.setup,
        )
    return Example(
        example.call,
        example.expected,
        PromiseRelation.PRINTS,
        example.form,
        example.start,
        example.end,
        example.setup,
    )


def _constructed(setup: Sequence[str]) -> dict[str, str]:
    """Names that the setup binds to an instance: name to the dotted path of what was called."""
    variables: dict[str, str] = {}
    for statement in setup:
        for part in ast.walk(syntax.parse(statement)):
            value, names = None, []
            if isinstance(part, ast.Assign):
                value, names = part.value, [name.id for name in part.targets if isinstance(name, ast.Name)]
            elif isinstance(part, ast.With):
                value = part.items[0].context_expr
                names = [item.id for item in [part.items[0].optional_vars] if isinstance(item, ast.Name)]
            if isinstance(value, ast.Call):
                path = _dotted(value.func)
                variables.update(dict.fromkeys(names, path) if path else {})
    return variables


def _assigned(setup: Sequence[str]) -> dict[str, ast.expr]:
    """Names that the setup binds once: name to the expression."""
    found: dict[str, list[ast.expr]] = {}
    for statement in setup:
        for part in ast.walk(syntax.parse(statement)):
            if isinstance(part, ast.Assign):
                for name in part.targets:
                    if isinstance(name, ast.Name):
                        found.setdefault(name.id, []).append(part.value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _shown_name(node: ast.expr) -> str:
    """``result`` of ``print(result)``, otherwise empty."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
        and len(node.args) == 1
    ):
        return node.args[0].id if isinstance(node.args[0], ast.Name) else ""
    return ""


def _dotted(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    return ".".join([node.id, *parts]) if isinstance(node, ast.Name) else ""


def _normal(text: str) -> str:
    node = parse_expression(text)
    return ast.dump(node) if node is not None else ""


def _same(text: str) -> bool:
    return _normal(text) == _normal(" ".join(text.split()))
