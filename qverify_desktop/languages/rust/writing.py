"""Generated tests as files: one module for each module under test, and the integration test's root that names them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages.rust.placing import module_of, root_of
from qverify_desktop.languages.tree.rendering import HEADER, by_path, comment

_PLAIN_USE = re.compile(r"use ((?:[A-Za-z_]\w*::)+)([A-Za-z_]\w*);")


def render(tests: Sequence[GeneratedTest]) -> dict[str, str]:
    """One text for each path, and the root of each integration test. The same tests in the same order give the same text."""
    files = {path: _file(group) for path, group in by_path(tests).items()}
    roots: dict[str, set[str]] = {}
    for path in files:
        roots.setdefault(root_of(path), set()).add(module_of(path))
    for root, names in sorted(roots.items()):
        files[root] = "\n".join([f"//! {HEADER}", "", *(f"mod {name};" for name in sorted(names)), ""])
    return files


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
