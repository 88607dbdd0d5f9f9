"""What the sources offer as inputs: constants of a module and its neighbours, blocks of documentation, calls in tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.languages.python.codebase import Codebase, ModuleSource, parse_module, read_text
from qverify_desktop.languages.python.literals import NotALiteral, canonical, evaluate
from qverify_desktop.languages.python.passages import documentation_files

_MOST_TEXTS = 300
_MOST_LENGTH = 2000
_MOST_NUMBERS = 80
_MOST_CALLS = 30
_MOST_TEST_FILES = 60
_BLOCK = re.compile(r"(?:```|~~~~?)[\w+-]*\n(.*?)(?:```|~~~)", re.DOTALL)

Call = tuple[list[str], dict[str, str]]


def module_seeds(
    snapshot: Snapshot, project: Project, codebase: Codebase
) -> dict[str, Mapping[str, Sequence[object]]]:
    """For each module: strings (its own, of modules it imports, of tests and documentation, in that order) and numbers."""
    own = {name: _constants(source.tree) for name, source in codebase.modules.items()}
    aside = [text for tree in _test_trees(snapshot, project) for text in _constants(tree)[0]]
    blocks = [
        block for path in documentation_files(snapshot) for block in _BLOCK.findall(read_text(snapshot, path) or "")
    ]
    seeds: dict[str, Mapping[str, Sequence[object]]] = {}
    for name, source in codebase.modules.items():
        texts, numbers = list(own[name][0]), list(own[name][1])
        for neighbour in _neighbours(source, codebase):
            texts += own[neighbour][0]
            numbers += own[neighbour][1]
        texts = [text for text in [*texts[:_MOST_TEXTS], *aside[:200], *blocks[:40]] if len(text) <= _MOST_LENGTH]
        seeds[name] = {
            "texts": list(dict.fromkeys(texts))[: 2 * _MOST_TEXTS],
            "numbers": list(dict.fromkeys(numbers))[:_MOST_NUMBERS],
        }
    return seeds


def _neighbours(source: ModuleSource, codebase: Codebase) -> list[str]:
    found = [binding.module for binding in source.names.values() if binding.kind in ("import", "module")]
    return [name for name in dict.fromkeys(found) if name in codebase.modules and name != source.module]


def _constants(tree: ast.Module) -> tuple[list[str], list[float]]:
    texts: dict[str, None] = {}
    numbers: dict[float, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and node.value.isprintable() | ("\n" in node.value):
                texts.setdefault(node.value)
            elif isinstance(node.value, int | float) and not isinstance(node.value, bool) and abs(node.value) < 1e9:
                numbers.setdefault(node.value)
    return [text for text in texts if _is_text(text)], list(numbers)


def _is_text(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _test_trees(snapshot: Snapshot, project: Project) -> Iterator[ast.Module]:
    for path in project.test_files[:_MOST_TEST_FILES]:
        text = read_text(snapshot, path)
        tree = parse_module(text) if text is not None and path.endswith(".py") else None
        if tree is not None:
            yield tree


def known_calls(
    snapshot: Snapshot, project: Project, codebase: Codebase, targets: Sequence[Target]
) -> Mapping[str, list[Call]]:
    """Calls with literal arguments that tests and docstrings hold, by target id; functions of one name share them."""
    by_name: dict[str, list[Call]] = {}
    wanted = {target.symbol.rpartition(".")[2] for target in targets}
    for tree in [*_test_trees(snapshot, project), *_example_trees(codebase)]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                calls = by_name.setdefault(name, []) if name in wanted else []
                call = _literal_call(node) if name in wanted and len(calls) < _MOST_CALLS else None
                if call is not None and call not in calls:
                    calls.append(call)
    return {target.id: by_name.get(target.symbol.rpartition(".")[2], []) for target in targets}


def _example_trees(codebase: Codebase) -> Iterator[ast.Module]:
    for source in codebase.modules.values():
        for match in re.finditer(r"^\s*>>> (.+)$", source.text, re.MULTILINE):
            tree = parse_module(match.group(1))
            if tree is not None:
                yield tree


def _literal_call(node: ast.Call) -> Call | None:
    try:
        positional = [canonical(evaluate(item)) for item in node.args]
        named = {item.arg: canonical(evaluate(item.value)) for item in node.keywords if item.arg is not None}
    except (NotALiteral, RecursionError):
        return None
    if len(named) != len(node.keywords) or any("float(" in text or "set(" in text for text in positional):
        return None
    return positional, named
