"""Where a Kotlin repository speaks: KDoc above its functions and classes, and documentation files.

A call of an extension function is written on its receiver: ``"ab".twice() == "abab"``. It is read as ``twice("ab")``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.languages.examples.passages import Passage, documentation
from qverify_desktop.languages.java.passages import lines_of, passage
from qverify_desktop.languages.kotlin.source import outline_of
from qverify_desktop.languages.kotlin.speaking import Codebase
from qverify_desktop.languages.tree.comments import comment_above
from qverify_desktop.languages.values.notation import value_at
from qverify_desktop.languages.values.value import Word

_COMMENTS = frozenset({"block_comment", "line_comment"})
_MOST_LINE = 2000


def passages(snapshot: Snapshot, codebase: Codebase, targets: Sequence[Target]) -> Iterator[Passage]:
    """Comments of the targets in their order, of classes and objects, then documentation files."""
    extensions = frozenset(
        target.symbol.partition("(")[0]
        for target in targets
        if target.parameters and target.parameters[0].name == "this"
    )
    for found in _written(snapshot, codebase, targets):
        if extensions:
            found = replace(found, lines=tuple(receivers_first(line, extensions) for line in found.lines))
        yield found


def _written(snapshot: Snapshot, codebase: Codebase, targets: Sequence[Target]) -> Iterator[Passage]:
    texts = {path: lines_of(source) for path, source in codebase.sources.items()}
    for target in targets:
        found, source = codebase.function(target), codebase.sources.get(target.file)
        if found is not None and source is not None and found[0].comment is not None:
            yield passage(target.file, texts[target.file], found[0].comment, target)
    for path, source in codebase.sources.items():
        for owner in outline_of(source).owners:
            comment = comment_above(source, owner.node, _COMMENTS)
            if comment is not None:
                yield passage(path, texts[path], comment, None)
    yield from documentation(snapshot)


def receivers_first(line: str, extensions: frozenset[str]) -> str:
    """The line with each call of an extension on a written value as a call of a function."""
    if len(line) > _MOST_LINE or not any(f".{name}(" in line for name in extensions):
        return line
    out: list[str] = []
    at = 0
    while at < len(line):
        letter = line[at]
        before = line[at - 1] if at else " "
        begins = letter in "\"'[({" or letter.isdigit() or letter == "-" or letter.isalpha()
        value = value_at(line, at) if begins and not (before.isalnum() or before in "_.)]") else None
        if value is not None and not isinstance(value[0], Word):
            match = re.compile(r"\.([A-Za-z_]\w{0,80})\(\s{0,9}").match(line, value[1])
            if match and match[1] in extensions:
                more = "" if line.startswith(")", match.end()) else ", "
                out.append(f"{match[1]}({line[at : value[1]]}{more}")
                at = match.end()
                continue
            if letter in "\"'":
                out.append(line[at : value[1]])
                at = value[1]
                continue
        out.append(letter)
        at += 1
    return "".join(out)
