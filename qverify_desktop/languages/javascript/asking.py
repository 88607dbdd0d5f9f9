"""What a prompt says of JavaScript and TypeScript, and a model's imports put right: wrong place, wrong way, unused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from tree_sitter import Node

from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages.base import Idiom
from qverify_desktop.languages.javascript.access import access_of, specifier_of, uses_modules
from qverify_desktop.languages.javascript.dialects import dialect_of, parse_source, read_source
from qverify_desktop.languages.javascript.import_graph import candidates
from qverify_desktop.languages.javascript.names import bound, used
from qverify_desktop.languages.javascript.packages import framework
from qverify_desktop.languages.javascript.segments import find_definition
from qverify_desktop.languages.javascript.styles import needs
from qverify_desktop.languages.tree.source import TreeSource

MOST_IMPORTS = 40
#: Bytes of one import.
MOST_STATEMENT = 4000
_TITLES = {"vitest": "Vitest", "jest": "Jest", "node": "Node.js' own test runner (node:test with node:assert/strict)"}
_ASSERTIONS = {
    "vitest": "Import what you use of Vitest; assert with expect(…).toBe or toEqual, errors with toThrow.",
    "jest": "test and expect are global, so don't import them; assert with toBe or toEqual, errors with toThrow.",
    "node": "Assert with assert.strictEqual or assert.deepStrictEqual, errors with assert.throws or assert.rejects.",
}
#: Words of the test runners, which nobody imports from the code under test.
_RUNNER = frozenset(("test", "it", "describe", "expect", "assert", "vi", "jest", "beforeEach", "afterEach"))
_STRING = re.compile(
    r"^(?:import|export|const|let|var)\b[^;]{0,4000}?[\"']([^\"'\n]{1,1000})[\"']\)?;?\s*$", re.DOTALL
)


def idiom(project: Project, target: Target, path: str) -> Idiom:
    """The project's own framework, and how its test files name the target."""
    runner = framework(project)
    access = access_of(target)
    modules = uses_modules(target, runner)
    lines = needs(runner, target, path, asserts=True, written=False)
    if access is not None:
        lines.append(access.statement(target.file, path, modules=modules))
    way = "import" if modules else "require"
    return Idiom(
        _TITLES[runner],
        dialect_of(path).name,
        "\n".join(lines) if access is not None else "",
        (
            f"One file that uses {way}; one call of test with a title and a function for each test, at the top of the file.",
            _ASSERTIONS[runner],
            "Use only Node.js, the test framework and the project's own modules.",
        ),
    )


def imports_at(snapshot: Snapshot, project: Project, target: Target, path: str) -> tuple[str, ...]:
    """The imports of the target's file that it uses, relative ones as seen from ``path``."""
    source = read_source(snapshot.root, target.file)
    definition = find_definition(source, target) if isinstance(source, TreeSource) else None
    if not isinstance(source, TreeSource) or definition is None:
        return ()
    names = used(source, definition.node)
    found = []
    for node in source.root.named_children:
        text = source.slice(node) if node.end_byte - node.start_byte <= MOST_STATEMENT else ""
        match = _STRING.match(text) if _brings(node, text) and names & set(bound(source, node)) else None
        if match is None:
            continue
        specifier = match[1]
        if specifier.startswith("."):
            files = sorted(candidates(target.file, specifier) & set(project.source_files))
            if files:
                text = text.replace(specifier, specifier_of(files[0], path))
        found.append(text)
    return tuple(found[:MOST_IMPORTS])


def mended(snapshot: Snapshot, project: Project, target: Target, test: GeneratedTest) -> GeneratedTest:
    """The test with the target and the framework brought in as the project does it, whatever the model wrote for them; relative
    imports of files that are not there point to the target's file where it gives those names, and unused ones go."""
    runner, access = framework(project), access_of(target)
    code = parse_source(test.code, test.path)
    if code is None or access is None:
        return test
    modules = uses_modules(target, runner)
    wanted = used(code, code.root)
    offered = _offered(snapshot, target)
    prelude: list[str] = []
    from_target: set[str] = set()
    others: list[str] = []
    for entry in test.prelude:
        parsed = parse_source(entry, test.path)
        node = parsed.root.named_children[0] if parsed is not None and parsed.root.named_child_count == 1 else None
        match = _STRING.match(entry.strip()) if node is not None and _brings(node, entry) else None
        if parsed is None or node is None or match is None:
            others.append(entry)
            wanted |= used(parsed, parsed.root) if parsed is not None else set()
            continue
        names = set(bound(parsed, node))
        if match[1] in ("vitest", "@jest/globals", "node:test", "node:assert", "node:assert/strict", "assert"):
            continue
        relative = match[1].startswith(".")
        exists = not relative or _exists(snapshot, test.path, match[1])
        if access.root in names or (relative and not exists):
            from_target |= (names - {access.root}) & offered
            continue
        prelude.append(entry)
    kept = [entry for entry in prelude if _names(entry, test.path) & wanted]
    top = needs(runner, target, test.path, asserts="assert" in wanted, written=False)
    if runner == "vitest":
        words = sorted(wanted & _RUNNER - {"assert", "jest"})
        top = [f'import {{ {", ".join(words)} }} from "vitest";'] if words else []
    if runner == "node":
        top = [line for one in top for line in _node_test(one, wanted)]
    bindings = [access.statement(target.file, test.path, modules=modules)] if access.root in wanted else []
    for name in sorted(from_target & wanted):
        bindings.append(replace(access, root=name).statement(target.file, test.path, modules=modules))
    made = tuple(dict.fromkeys([*top, *bindings, *kept, *others]))
    return replace(test, prelude=made)


def _node_test(line: str, wanted: set[str]) -> list[str]:
    """``node:test`` gives ``it`` and ``describe`` by name, ``test`` as a whole."""
    names = ", ".join(sorted(wanted & {"it", "describe", "beforeEach", "afterEach"}))
    if "node:test" not in line or not names:
        return [line]
    whole = [line] if "test" in wanted else []
    by_name = line.replace("import test", f"import {{ {names} }}").replace("const test", f"const {{ {names} }}")
    return [*whole, by_name]


def _brings(node: Node, entry: str) -> bool:
    return node.type == "import_statement" or (
        node.type in ("lexical_declaration", "variable_declaration") and "require(" in entry
    )


def _names(entry: str, path: str) -> set[str]:
    parsed = parse_source(entry, path)
    return (
        {name for node in parsed.root.named_children for name in bound(parsed, node)} if parsed is not None else set()
    )


def _exists(snapshot: Snapshot, path: str, specifier: str) -> bool:
    return bool(candidates(path, specifier) & set(snapshot.files))


def _offered(snapshot: Snapshot, target: Target) -> set[str]:
    """Names that the target's file binds at its top."""
    source = read_source(snapshot.root, target.file)
    if not isinstance(source, TreeSource):
        return set()
    return {name for node in source.root.named_children for name in bound(source, node)}


def same_value(one: str, other: str) -> bool:
    """Whether two expressions are the same tokens, however strings are quoted."""
    return list(_tokens(one)) == list(_tokens(other))


def _tokens(expression: str) -> Iterator[str]:
    source = parse_source(f"({expression.strip().rstrip(';')});", "value.js")
    if source is None or source.root.has_error:
        yield expression.strip()
        return
    stack = [source.root]
    while stack:
        node = stack.pop()
        if node.type == "string":
            yield "'" + source.slice(node)[1:-1]
        elif not node.child_count:
            yield source.slice(node)
        stack.extend(reversed(node.children if node.type != "string" else []))
