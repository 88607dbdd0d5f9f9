"""Generated tests as files, and model answers as generated tests."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace

from qverify_desktop.domain.testing import GeneratedTest, Label
from qverify_desktop.languages import syntax
from qverify_desktop.languages.python.splitting import split
from qverify_desktop.languages.python.triviality import static_problem
from qverify_desktop.languages.python.wrapping import WIDTH, wrapped

__all__ = ["render", "split", "static_problem"]

_HEADER = '"""Tests written by QVerify Desktop. The comment above each test says what it rests on."""'
_MOST_QUOTED = 160


def render(tests: Sequence[GeneratedTest]) -> dict[str, str]:
    """One text for each path: header, merged imports, shared statements, then the tests in the order given.

    The same tests in the same order give the same text; a test that occurs twice is written once.
    """
    by_path: dict[str, list[GeneratedTest]] = {}
    for test in tests:
        group = by_path.setdefault(test.path, [])
        if all(other.name != test.name for other in group):
            group.append(test)
    return {path: _file(group) for path, group in by_path.items()}


def expected_to_fail(test: GeneratedTest, reason: str) -> GeneratedTest:
    """The test under pytest's strict ``xfail`` mark, in a file beside the one it would stand in."""
    words = " ".join(reason.split()).encode("ascii", "backslashreplace").decode()
    mark = f"@pytest.mark.xfail(strict=True, reason={json.dumps(words)})"
    return replace(
        test,
        path=f"{test.path.removesuffix('.py')}_expected_to_fail.py",
        prelude=("import pytest", *test.prelude),
        code=f"{mark}\n{test.code.lstrip()}",
    )


def _file(tests: Sequence[GeneratedTest]) -> str:
    imports, statements = _sorted_apart(entry for test in tests for entry in test.prelude)
    parts = [_HEADER]
    parts.extend(imports)
    previous_block = False
    text = "\n\n".join(parts)
    for statement in statements:
        block = statement.startswith(("def ", "class ", "@", "async def "))
        text += ("\n\n\n" if block or previous_block else "\n\n" if statement is statements[0] else "\n") + statement
        previous_block = block
    for test in tests:
        code = wrapped(test.code.strip("\n"))
        text += "\n\n\n" + "\n".join([*_comment(test), code])
    return text + "\n"


def _comment(test: GeneratedTest) -> list[str]:
    """The label, and the quoted words on one line: nothing in them can end the comment."""
    if test.label is Label.SPECIFICATION and test.quote is not None:
        words = " ".join(re.sub(r"[^\S ]+|[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", test.quote.text).split())
        shown = words if len(words) <= _MOST_QUOTED else f"{words[: _MOST_QUOTED - 1]}…"
        place = f"{test.quote.file}:{test.quote.line}"
        return [f"# {test.label.value}, {' '.join(place.split())}", f"#   {shown}"]
    return [f"# {test.label.value}: what the code does today"]


def _sorted_apart(entries: Iterable[str]) -> tuple[list[str], list[str]]:
    """Import blocks (future, standard library, everything else) and the other statements in first-seen order."""
    plain: set[str] = set()
    names: dict[str, set[str]] = {}
    statements: dict[str, None] = {}
    for entry in entries:
        text = entry.strip("\n")
        node = _only_statement(text)
        if isinstance(node, ast.Import):
            plain.update(_alias(alias) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names.setdefault(module, set()).update(_alias(alias) for alias in node.names)
        elif text.strip():
            statements.setdefault(text)
    blocks: list[list[str]] = [[], [], []]
    for name in sorted(plain):
        blocks[_section(name.partition(" ")[0])].append(f"import {name}")
    for module in sorted(names):
        blocks[_section(module)].append(_from_import(module, names[module]))
    return ["\n".join(block) for block in blocks if block], list(statements)


def _only_statement(text: str) -> ast.stmt | None:
    try:
        body = syntax.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return body[0] if len(body) == 1 else None


def _alias(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name


def _section(module: str) -> int:
    if module == "__future__":
        return 0
    return 1 if module.partition(".")[0] in sys.stdlib_module_names else 2


def _from_import(module: str, names: set[str]) -> str:
    """Plain names together on one line, each renamed one on a line of its own."""
    renamed = [f"from {module} import {name}" for name in sorted(names) if " as " in name]
    ordered = sorted(name for name in names if " as " not in name)
    if renamed:
        return "\n".join([*([_from_import(module, set(ordered))] if ordered else []), *renamed])
    line = f"from {module} import {', '.join(ordered)}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"from {module} import (", *(f"    {name}," for name in ordered), ")"])
