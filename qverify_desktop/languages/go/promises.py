"""Where a Go repository promises something: comments, documentation, and example functions with their output."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from tree_sitter import Node

from qverify_desktop.domain.project import Project, Promise, PromiseRelation, Snapshot, Target
from qverify_desktop.languages.examples.passages import Passage, documentation
from qverify_desktop.languages.examples.promises import Mined, mine
from qverify_desktop.languages.go.detection import sources
from qverify_desktop.languages.go.segments import definitions, module_of, package_of
from qverify_desktop.languages.go.source import functions, package_name, read_source
from qverify_desktop.languages.go.speaking import GoSpeaker, string_text
from qverify_desktop.languages.go.types import FLOATS, INTEGERS, NamedTypes
from qverify_desktop.languages.tree.comments import unmarked
from qverify_desktop.languages.tree.source import TreeSource, line_of

#: Documentation of the package testing, "Examples".
_OUTPUT = re.compile(r"(?i)^\s{0,40}output:")
_PRINTED = re.compile(
    r"\s{0,40}fmt\.Print(?:ln)?\((?P<call>(?:\w{1,80}\.)?(?P<name>\w{1,80})\(.{0,300}\))\)\s{0,20}//\s{0,9}"
    r"(?P<mark>(?:(?:[Oo]utput|[Pp]rints):|[-=]>)?)\s{0,9}(?P<shown>\S.{0,200})$"
)
_MOST_OUTPUT = 2000


def find_promises(snapshot: Snapshot, project: Project, targets: Sequence[Target]) -> list[Promise]:
    """Every written example, bound to its target."""
    return [*_mined(snapshot, project, targets).promises, *_example_functions(snapshot, project, targets)]


def unread_examples(snapshot: Snapshot, project: Project, targets: Sequence[Target]) -> list[tuple[str, int, str]]:
    """File, line and words of what looks like an example and can't be read in one way only."""
    return list(_mined(snapshot, project, targets).unread)


def _mined(snapshot: Snapshot, project: Project, targets: Sequence[Target]) -> Mined:
    trees = sources(snapshot, project)
    printing = _Printing(targets)
    passages = [printing.read(one) for one in (*_comments(trees.values(), targets), *documentation(snapshot))]
    return mine(passages, targets, GoSpeaker(NamedTypes.of(trees.items())))


class _Printing:
    """``fmt.Println(F(1)) // Output: 2`` as a call with its value, where the declared result says how the print is to be read."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self._returns = {target.symbol: target.returns for target in targets if target.callee == "function"}

    def read(self, passage: Passage) -> Passage:
        """The passage with such lines written as calls; its words stay what they are."""
        lines = tuple(self._line(line) for line in passage.lines)
        return replace(passage, lines=lines) if lines != passage.lines else passage

    def _line(self, line: str) -> str:
        match = _PRINTED.match(line) if "fmt.Print" in line and len(line) < 1000 else None
        if match is None:
            return line
        returns, shown = self._returns.get(match["name"], ""), match["shown"].strip()
        if returns == "string" and match["mark"]:
            return f"{match['call']} // => {string_text(shown)}"
        plain = returns == "bool" or returns in INTEGERS or returns in FLOATS
        return f"{match['call']} // => {shown}" if plain else line


def _comments(trees: Iterable[TreeSource], targets: Sequence[Target]) -> Iterator[Passage]:
    by_place = {(target.file, target.line): target for target in targets}
    for source in trees:
        raw = tuple(source.data.decode("utf-8", "replace").split("\n"))
        for definition in definitions(source):
            target = by_place.get((source.path, line_of(definition.node)))
            if target is not None and definition.comment is not None:
                yield Passage(source.path, raw, definition.comment.lines, definition.comment.first, target)


def _example_functions(snapshot: Snapshot, project: Project, targets: Sequence[Target]) -> Iterator[Promise]:
    """``func ExampleReverse()`` ending in ``// Output:``: what it prints is promised."""
    by_module: dict[str, list[Target]] = defaultdict(list)
    for target in targets:
        by_module[target.module].append(target)
    for path in project.test_files:
        source = read_source(snapshot.root, path)
        if not isinstance(source, TreeSource):
            continue
        package = package_name(source)
        candidates = by_module[module_of(path, package)] or by_module[module_of(path, package.removesuffix("_test"))]
        for node in functions(source):
            promise = _example(source, node, package, candidates)
            if promise is not None:
                yield promise


def _example(source: TreeSource, node: Node, package: str, candidates: Sequence[Target]) -> Promise | None:
    name, body = source.field(node, "name"), node.child_by_field_name("body")
    target = _exemplified(name, candidates)
    if (
        node.type != "function_declaration"
        or target is None
        or body is None
        or source.field(node, "parameters") != "()"
    ):
        return None
    comments = _last_comments(body)
    lines = [line for comment in comments for line in unmarked(source.slice(comment))]
    if not lines or not _OUTPUT.match(lines[0]):
        return None
    # The testing package trims the whole, not its lines.
    shown = "\n".join([_OUTPUT.sub("", lines[0]), *lines[1:]]).strip()
    if len(shown) > _MOST_OUTPUT:
        return None
    words = "\n".join(
        source.data.decode("utf-8", "replace").split("\n")[line_of(comments[0]) - 1 : line_of(comments[-1])]
    )
    return Promise(
        target=target.id,
        call=f"{name}()",
        expected=string_text(shown),
        relation=PromiseRelation.PRINTS,
        words=words.strip(),
        file=source.path,
        line=line_of(comments[0]),
        form="Output",
        setup=(package,) if package != package_of(target) else (),
    )


def _last_comments(body: Node) -> list[Node]:
    """The group of comments at the end of a block."""
    found: list[Node] = []
    children = list(body.children)
    while children and not children[-1].is_named and children[-1].type in ("}", "\n"):
        children.pop()
    if children and children[-1].type == "statement_list":
        children += children.pop().children
    for child in reversed(children):
        if child.type != "comment" or (found and line_of(found[0]) != line_of(child) + 1):
            break
        found.insert(0, child)
    return found


def _exemplified(name: str, candidates: Sequence[Target]) -> Target | None:
    """``ExampleF``, ``ExampleT_M``, either with ``_suffix`` in lower case."""
    if not name.startswith("Example"):
        return None
    parts = name.removeprefix("Example").split("_")
    if len(parts) > 1 and parts[-1][:1].islower():
        parts.pop()
    symbol = ".".join(parts)
    found = [target for target in candidates if target.symbol == symbol]
    return found[0] if len(found) == 1 else None
