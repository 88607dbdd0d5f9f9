"""Generated tests as files: an integration test for each module under test."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import replace

from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages.rust.placing import module_of
from qverify_desktop.languages.tree.rendering import HEADER, by_path, comment, one_line

_PLAIN_USE = re.compile(r"use ((?:[A-Za-z_]\w*::)+)([A-Za-z_]\w*);")


def render(tests: Sequence[GeneratedTest]) -> dict[str, str]:
    """One text for each path. The same tests in the same order give the same text."""
    return {path: _file(group) for path, group in by_path(tests).items()}


def expected_to_fail(test: GeneratedTest, reason: str) -> GeneratedTest | None:
    """The test under ``#[should_panic]``, in a file of its own; one that waits for a panic has no such mark."""
    if "#[should_panic" in test.code:
        return None
    mark = f"#[should_panic] // Expected to fail: {one_line(reason)}"
    path = f"{test.path.removesuffix('.rs')}_expected_to_fail.rs"
    return replace(test, path=path, code=test.code.replace("#[test]", f"#[test]\n{mark}", 1))


def command(test: GeneratedTest) -> str:
    """What runs the integration test that a test stands in."""
    folder = test.path.removesuffix(f"tests/{module_of(test.path)}.rs").rstrip("/")
    manifest = f" --manifest-path {shlex.quote(f'{folder}/Cargo.toml')}" if folder else ""
    return f"cargo test{manifest} --test {shlex.quote(module_of(test.path))}"


def _file(tests: Sequence[GeneratedTest]) -> str:
    uses, items = _sorted_apart(entry for test in tests for entry in test.prelude)
    parts = [f"// {HEADER}"]
    if uses:
        parts.append("\n".join(uses))
    parts += items
    parts += ["\n".join([*comment(test), test.code.strip("\n")]) for test in tests]
    return "\n\n".join(parts) + "\n"


def _sorted_apart(entries: Iterable[str]) -> tuple[list[str], list[str]]:
    """``use`` lines, those of one module merged, and other items in first-seen order."""
    names: dict[str, set[str]] = {}
    uses: set[str] = set()
    items: dict[str, None] = {}
    for entry in entries:
        text = entry.strip("\n")
        plain = _PLAIN_USE.fullmatch(text)
        if plain:
            names.setdefault(plain[1], set()).add(plain[2])
        elif text.startswith("use "):
            uses.add(text)
        elif text.strip():
            items.setdefault(text)
    for module, found in names.items():
        listed = ", ".join(sorted(found))
        uses.add(f"use {module}{{{listed}}};" if len(found) > 1 else f"use {module}{listed};")
    return sorted(uses), list(items)
