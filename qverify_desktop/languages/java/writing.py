"""Generated tests as files: a class a file, its imports merged, its tests in their order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages.java.literals import escaped
from qverify_desktop.languages.tree.rendering import HEADER, by_path, comment, file_stem

_UTIL = (
    "ArrayDeque ArrayList Arrays Collection Collections Comparator Deque HashMap HashSet LinkedHashMap LinkedHashSet LinkedList List Map"
    " Objects Optional OptionalDouble OptionalInt OptionalLong Queue Set SortedMap SortedSet TreeMap TreeSet Vector"
    " NoSuchElementException ConcurrentModificationException InputMismatchException EmptyStackException"
)
#: Names of the standard library that generated source may use without saying where they are from.
KNOWN = {name: f"java.util.{name}" for name in _UTIL.split()} | {
    "BigInteger": "java.math.BigInteger",
    "BigDecimal": "java.math.BigDecimal",
    "ConcurrentHashMap": "java.util.concurrent.ConcurrentHashMap",
    "DateTimeException": "java.time.DateTimeException",
    "DateTimeParseException": "java.time.format.DateTimeParseException",
}
_ASSERTION = re.compile(r"\b(assert\w+)\(")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.){0,4000}"|\'(?:[^\'\\\n]|\\.){1,8}\'')
INDENT = "    "


def method(name: str, lines: Sequence[str], *, junit_4: bool, throws: bool = False) -> str:
    """Source of a test method."""
    visibility = "public " if junit_4 else ""
    body = "\n".join(INDENT + part for line in lines for part in line.split("\n"))
    return f"@Test\n{visibility}void {name}(){' throws Exception' if throws else ''} {{\n{body}\n}}"


def prelude(package: str, lines: Sequence[str], *, junit_4: bool) -> tuple[str, ...]:
    """The package and the imports that a test with these lines needs."""
    text = _STRING.sub('""', "\n".join(lines))
    home = "org.junit.Assert" if junit_4 else "org.junit.jupiter.api.Assertions"
    found = [f"package {package};"] if package else []
    found += [f"import static {home}.{name};" for name in sorted(set(_ASSERTION.findall(text)))]
    found.append(f"import {'org.junit.Test' if junit_4 else 'org.junit.jupiter.api.Test'};")
    found += [f"import {place};" for name, place in sorted(KNOWN.items()) if re.search(rf"(?<![\w.]){name}\b", text)]
    return tuple(found)


def render(tests: Sequence[GeneratedTest]) -> dict[str, str]:
    """One text for each path; the same tests in the same order give the same text."""
    return {path: _file(path, group) for path, group in by_path(tests).items()}


def _file(path: str, tests: Sequence[GeneratedTest]) -> str:
    entries = list(dict.fromkeys(entry.strip() for test in tests for entry in test.prelude if entry.strip()))
    packages = [one for one in entries if one.startswith("package ")]
    static = sorted(one for one in entries if one.startswith("import static "))
    imports = sorted(one for one in entries if one.startswith("import ") and one not in static)
    members = [one for one in entries if not one.startswith(("package ", "import "))]
    name = file_stem(path.rpartition("/")[2].removesuffix(".java"))
    junit_4 = "import org.junit.Test;" in imports
    blocks = [[f"// {HEADER}", *packages[:1]], static, imports]
    head = "\n\n".join("\n".join(block) for block in blocks if block)
    parts = [*(_indented(one) for one in members)]
    parts += [_indented("\n".join([*comment(test), test.code.strip("\n")])) for test in tests]
    return f"{head}\n\n{'public ' if junit_4 else ''}class {name} {{\n" + "\n\n".join(parts) + "\n}\n"


def _indented(text: str) -> str:
    return "\n".join(INDENT + line if line.strip() else "" for line in text.split("\n"))


def text_literal(text: str) -> str:
    """Text as a Java string."""
    return f'"{escaped(text)}"'


def names_of(entries: Iterable[str]) -> set[str]:
    """Simple names that import statements bring."""
    return {
        match[1]
        for one in entries
        if (match := re.fullmatch(r"import\s+(?:static\s+)?[\w.]*?(\w+)\s*;", one.strip()))
    }
