"""Generated tests as files, formatted as gofmt would."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from qverify_desktop.domain.testing import GeneratedTest, Origin
from qverify_desktop.languages.go.source import parse_source
from qverify_desktop.languages.go.speaking import string_text
from qverify_desktop.languages.tree.rendering import HEADER, by_path, comment, one_line
from qverify_desktop.languages.tree.source import walk

#: Packages of the standard library that generated tests use, by the name before the dot.
_STANDARD = {
    name.rpartition("/")[2]: name for name in ("errors", "fmt", "io", "math", "os", "reflect", "strings", "testing")
}
_IMPORT = re.compile(r'import (?:[\w.]{1,100} )?"([^"\s]{1,500})"')


def prelude_of(package: str, code: str) -> tuple[str, ...]:
    """The package clause and the imports that a generated test function needs."""
    source = parse_source(f"package p\n\n{code}\n")
    used = {"testing"}
    if source is not None:
        for node in walk(source.root):
            if node.type == "selector_expression":
                used.add(source.field(node, "operand"))
            elif node.type == "qualified_type":
                used.add(source.field(node, "package"))
    return (f"package {package}", *(f'import "{_STANDARD[name]}"' for name in sorted(used & set(_STANDARD))))


def render(tests: Sequence[GeneratedTest]) -> dict[str, str]:
    """One text for each path. The same tests in the same order give the same text."""
    return {path: _file(group) for path, group in by_path(tests).items()}


def expected_to_fail(test: GeneratedTest, reason: str) -> GeneratedTest | None:
    """The test turned round, in a file beside the one it would stand in: it is skipped while it fails, and fails once it would pass.

    ``None`` for a test that does more than compare what one call gives.
    """
    if test.origin is Origin.MODEL or not test.code.endswith("\n}"):
        return None
    head, _, body = test.code.partition("{\n")
    turned = re.sub(r"^(\t+)t\.(?:Errorf|Fatalf)\(", r"\1t.Skipf(", body.removesuffix("}"), flags=re.MULTILINE)
    words = string_text(one_line(f"It passes now, so it can be an ordinary test. {reason}"))
    caught = '\tdefer func() {\n\t\tif raised := recover(); raised != nil {\n\t\t\tt.Skipf("it panics: %v", raised)\n\t\t}\n\t}()\n'
    return replace(
        test,
        path=f"{test.path.removesuffix('_test.go')}_expected_to_fail_test.go",
        code=f"{head}{{\n{caught}{turned}\tt.Error({words})\n}}",
    )


def _file(tests: Sequence[GeneratedTest]) -> str:
    package, imports, items = _sorted_apart(entry for test in tests for entry in test.prelude)
    parts = [f"// {HEADER}", package]
    if len(imports) == 1:
        parts.append(imports[0])
    elif imports:
        standard = [one for one in imports if "." not in _path(one).partition("/")[0]]
        others = [one for one in imports if one not in standard]
        blocks = [[f"\t{one.removeprefix('import ')}" for one in block] for block in (standard, others) if block]
        parts.append("import (\n" + "\n\n".join("\n".join(block) for block in blocks) + "\n)")
    parts += items
    parts += ["\n".join([*comment(test), test.code.strip("\n")]) for test in tests]
    return "\n\n".join(parts) + "\n"


def _path(statement: str) -> str:
    match = _IMPORT.fullmatch(statement)
    return match[1] if match else statement


def _sorted_apart(entries: Iterable[str]) -> tuple[str, list[str], list[str]]:
    """The package clause, the imports by path, and other declarations in first-seen order."""
    package = "package main"
    imports: set[str] = set()
    items: dict[str, None] = {}
    for entry in entries:
        text = entry.strip("\n")
        if text.startswith("package "):
            package = text
        elif _IMPORT.fullmatch(text):
            imports.add(text)
        elif text.strip():
            items.setdefault(text)
    return package, sorted(imports, key=lambda one: (_path(one), one)), list(items)
