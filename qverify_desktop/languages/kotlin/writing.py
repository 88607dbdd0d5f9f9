"""Generated tests in Kotlin: a class a file, its imports merged, its tests in their order."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qverify_desktop.domain.project import Project, Promise, PromiseRelation, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin, Quote
from qverify_desktop.languages.java.asserting import Syntax, assertions
from qverify_desktop.languages.java.declared import declared
from qverify_desktop.languages.java.detection import uses_junit_4
from qverify_desktop.languages.java.placing import test_path
from qverify_desktop.languages.java.promise_tests import FORMS, method_name
from qverify_desktop.languages.kotlin.speaking import escaped
from qverify_desktop.languages.tree.rendering import HEADER, by_path, comment, file_stem

INDENT = "    "
KOTLIN = Syntax(
    end="",
    named="val observed = {}",
    size="{}.size",
    item="{}[{}]",
    as_double="({} as Number).toDouble()",
    indent="    ",
    escape=escaped,
)
_ASSERTION = re.compile(r"\b(assert\w+)(?:<\w+>)?[({]")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.){0,4000}"')


def uses_kotlin_test(project: Project) -> bool:
    """Whether the project declares ``kotlin.test``."""
    return any("kotlin-test" in one for one in project.dependencies)


def write_promise_tests(
    project: Project, targets: Sequence[Target], promises: Sequence[Promise]
) -> list[GeneratedTest]:
    """One test a promise, label ``specification``, the promise's words as its quote."""
    by_id = {target.id: target for target in targets}
    counts: dict[tuple[str, str], int] = {}
    tests: list[GeneratedTest] = []
    for promise in promises:
        target = by_id.get(promise.target)
        if target is None:
            continue
        lines = (
            [f"assertThrows({promise.expected}::class.java) {{ {promise.call} }}"]
            if promise.relation is PromiseRelation.RAISES
            else assertions(promise.call, promise.expected, declared(target.returns), syntax=KOTLIN)
        )
        if lines is None:
            continue
        path = test_path(project, target, "Promises", ".kt")
        stem = f"{method_name(target, alone=True)}{FORMS.get(promise.form, 'Says')}"
        number = counts[path, stem] = counts.get((path, stem), 0) + 1
        code, prelude = written(project, target, f"{stem}{number}", lines)
        tests.append(
            GeneratedTest(
                path=path,
                name=f"{stem}{number}",
                code=code,
                target=target.id,
                label=Label.SPECIFICATION,
                origin=Origin.PROMISE,
                prelude=prelude,
                call=promise.call,
                expected=promise.expected,
                quote=Quote(promise.words, promise.file, promise.line),
            )
        )
    return tests


def written(project: Project, target: Target, name: str, lines: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """A test function's source and what stands above its class."""
    body = "\n".join(INDENT + part for line in lines for part in line.split("\n"))
    code = f"@Test\nfun {name}() {{\n{body}\n}}"
    if uses_kotlin_test(project):
        code = code.replace("assertArrayEquals(", "assertContentEquals(")
        code = re.sub(r"assertThrows\(([\w.]+)::class\.java\)", r"assertFailsWith(\1::class)", code)
    home = (
        "kotlin.test"
        if uses_kotlin_test(project)
        else "org.junit.Assert"
        if uses_junit_4(project)
        else "org.junit.jupiter.api.Assertions"
    )
    mark = "org.junit.Test" if uses_junit_4(project) else "org.junit.jupiter.api.Test"
    names = sorted(set(_ASSERTION.findall(_STRING.sub('""', code))))
    prelude = [f"package {target.module}"] if target.module else []
    prelude += [f"import {home}.{one}" for one in names]
    prelude.append("import kotlin.test.Test" if uses_kotlin_test(project) else f"import {mark}")
    return code, tuple(prelude)


def render(tests: Sequence[GeneratedTest]) -> dict[str, str]:
    """One text for each path; the same tests in the same order give the same text."""
    return {path: _file(path, group) for path, group in by_path(tests).items()}


def _file(path: str, tests: Sequence[GeneratedTest]) -> str:
    entries = list(dict.fromkeys(entry.strip() for test in tests for entry in test.prelude if entry.strip()))
    packages = [one for one in entries if one.startswith("package ")]
    imports = sorted(one for one in entries if one.startswith("import "))
    members = [one for one in entries if not one.startswith(("package ", "import "))]
    name = file_stem(path.rpartition("/")[2].removesuffix(".kt"))
    blocks = [[f"// {HEADER}"], packages[:1], imports]
    head = "\n\n".join("\n".join(block) for block in blocks if block)
    parts = [*(_indented(one) for one in members)]
    parts += [_indented("\n".join([*comment(test), test.code.strip("\n")])) for test in tests]
    return f"{head}\n\nclass {name} {{\n" + "\n\n".join(parts) + "\n}\n"


def _indented(text: str) -> str:
    return "\n".join(INDENT + line if line.strip() else "" for line in text.split("\n"))
