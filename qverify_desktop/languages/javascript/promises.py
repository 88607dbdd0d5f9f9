"""What a repository says about its functions: doc comments, other comments outside of functions, documentation files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from tree_sitter import Node

from qverify_desktop.domain.project import Project, Promise, Snapshot, Target
from qverify_desktop.languages.examples.domain import doubted
from qverify_desktop.languages.examples.passages import Passage, documentation
from qverify_desktop.languages.examples.promises import mine
from qverify_desktop.languages.javascript.blocks import LOCAL, ZONED, block_promises
from qverify_desktop.languages.javascript.dialects import read_source
from qverify_desktop.languages.javascript.names import GLOBALS
from qverify_desktop.languages.javascript.segments import COMMENTS, outline
from qverify_desktop.languages.javascript.speaking import JavaScriptSpeaker
from qverify_desktop.languages.tree.comments import comment_of
from qverify_desktop.languages.tree.source import TreeSource, end_line_of, line_of

_HOLDING = frozenset(("program", "class_body", "export_statement", "class_declaration"))
MOST_COMMENTS = 3000
#: The bare name that an example begins with, after the marks of a comment, a list or a prompt.
_CALLED = re.compile(r"^[\s*/>#`-]{0,40}([A-Za-z_$][\w$]{0,80})\s?\(")
_QUALIFIED = re.compile(r"^[\s*/>#`-]{0,40}([A-Za-z_$][\w$]{0,80})\.[A-Za-z_$]")
_DECLARED = re.compile(
    r"^[\s*/>]{0,40}(?:const|let|var)\s{1,9}([A-Za-z_$][\w$]{0,80})(?:\s?:[^=]{1,80})?\s{0,9}=(.{0,300})"
)
#: A module as it is, or a function of it, but not what one of its functions gives.
_IMPORTED = re.compile(
    r"^\s{0,9}(?:await\s{1,9}import|require)\([^()]{1,200}\)(?:\.[\w$]{1,80}){0,3}\s{0,9};?\s*(?://.*)?$"
)
#: Files that their project keeps to itself.
_INTERNAL = re.compile(r"(?:^|/)(?:_[^/]*|internals?|private)(?:/|\.|$)")


def find_promises(snapshot: Snapshot, project: Project, targets: Sequence[Target]) -> list[Promise]:
    """Every example that can be read, bound to its target; those of code blocks have their statements as setup."""
    return _found(snapshot, project, targets)[0]


def find_unread(snapshot: Snapshot, project: Project, targets: Sequence[Target]) -> list[tuple[str, int, str]]:
    """File, line and words of what looks like an example and can't be read in one way only."""
    promises, unread = _found(snapshot, project, targets)
    read = {(promise.file, promise.line) for promise in promises}
    return [one for one in unread if (one[0], one[1]) not in read]


def _found(
    snapshot: Snapshot, project: Project, targets: Sequence[Target]
) -> tuple[list[Promise], list[tuple[str, int, str]]]:
    by_file: dict[str, dict[str, Target]] = {}
    for target in targets:
        by_file.setdefault(target.file, {})[target.symbol] = target
    passages: list[Passage] = []
    for path in project.source_files:
        source = read_source(snapshot.root, path)
        if isinstance(source, TreeSource):
            passages += passages_of(source, by_file.get(path, {}))
    found: list[Promise] = []
    unread: list[tuple[str, int, str]] = []
    # A document speaks of what a user can reach, a comment of its own file.
    shown = [target for target in targets if target.public and not _INTERNAL.search(target.file)]
    for some, known in ((passages, targets), (list(documentation(snapshot)), shown)):
        mined = mine(some, known, JavaScriptSpeaker())
        made = _made(some)
        plain = [
            one
            for one in mined.promises
            if not (_is_sequence(one) or _is_global(one) or _is_on(one, made) or _is_elsewhere(one))
        ]
        blocks, unsure = block_promises(some, known)
        # A call before an example may have changed what its function does, so there the block's own reading counts.
        prepared = {(one.file, one.line) for one in blocks if any(not _DECLARED.match(said) for said in one.setup)}
        plain = [one for one in plain if (one.file, one.line) not in prepared | unsure]
        taken = {(promise.file, promise.line) for promise in plain}
        found += [*plain, *(one for one in blocks if (one.file, one.line) not in taken)]
        unread += mined.unread
    found = _consistent(found)
    by_id = {target.id: target for target in targets}
    own = set(project.source_files)
    doubtful = doubted(found, {target.id: target.docstring for target in targets})
    return [
        one
        for one in found
        if (one.file == by_id[one.target].file or one.file not in own) and one.target not in doubtful
    ], unread


def _consistent(promises: Sequence[Promise]) -> list[Promise]:
    """Those whose call is answered in one way only where the same stands before it: ``random()`` shown twice is 0.35 and 0.87."""
    answers: dict[tuple[object, ...], set[str]] = defaultdict(set)
    for one in promises:
        answers[one.target, one.call, one.setup, one.relation].add(one.expected)
    return [one for one in promises if len(answers[one.target, one.call, one.setup, one.relation]) == 1]


def _is_sequence(promise: Promise) -> bool:
    """Whether the answer is what JavaScript itself reads otherwise: ``f(x) == (a, b)`` compares with ``b``."""
    return promise.form == "==" and bool(re.search(r"==\s{0,9}\(", promise.words))


def _is_global(promise: Promise) -> bool:
    """Whether the example calls what the language itself has by that name: ``isNaN(undefined)`` beside ``_.isNaN(undefined)``."""
    match = _CALLED.match(promise.words)
    return match is not None and match[1] in GLOBALS


def _is_elsewhere(promise: Promise) -> bool:
    """Whether the answer is a date of the author's own time zone to a text that names its distance from UTC."""
    return bool(ZONED.search(promise.call) and LOCAL.search(promise.expected))


def _made(passages: Sequence[Passage]) -> dict[str, set[str]]:
    """Of each file the names that its examples bind to something that is not simply imported."""
    made: dict[str, set[str]] = defaultdict(set)
    for passage in passages:
        for line in passage.lines:
            match = _DECLARED.match(line)
            if match and not _IMPORTED.search(match[2]):
                made[passage.file].add(match[1])
    return made


def _is_on(promise: Promise, made: dict[str, set[str]]) -> bool:
    """Whether the example calls a method of something that the examples make: ``angle.wrap(270)`` after ``angle = range.curry(…)``
    is not the function ``wrap``."""
    match = _QUALIFIED.match(promise.words)
    return match is not None and match[1] in made.get(promise.file, ())


def passages_of(source: TreeSource, targets: dict[str, Target]) -> Iterator[Passage]:
    """The comments of a file: those that describe a function with their owner, the others without."""
    raw = tuple(line.rstrip("\r") for line in source.data.decode("utf-8", "replace").split("\n"))
    described: set[int] = set()
    for found in outline(source):
        comment = found.definition.comment
        if comment is not None:
            described.update(range(comment.first, comment.first + len(comment.lines)))
            yield Passage(source.path, raw, comment.lines, comment.first, targets.get(found.definition.symbol))
    for run in _runs(source.root):
        comment = comment_of(source, run)
        if comment is not None and comment.first not in described:
            yield Passage(source.path, raw, comment.lines, comment.first)


def _runs(root: Node) -> Iterator[list[Node]]:
    """Comments outside of functions; line comments that follow each other are one."""
    stack, count = [root], 0
    while stack:
        node = stack.pop()
        run: list[Node] = []
        for child in node.named_children:
            if child.type not in COMMENTS:
                if child.type in _HOLDING:
                    stack.append(child)
                continue
            if run and line_of(child) != end_line_of(run[-1]) + 1:
                yield run
                run = []
            run.append(child)
            count += 1
            if count > MOST_COMMENTS:
                return
        if run:
            yield run
