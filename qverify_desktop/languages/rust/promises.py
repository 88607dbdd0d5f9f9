"""What a crate's documentation promises: fences of rustdoc and of documentation files, and written examples in prose."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tree_sitter import Node

from qverify_desktop.domain.project import Project, Promise, PromiseRelation, Snapshot, Target
from qverify_desktop.languages.examples.passages import Passage, documentation
from qverify_desktop.languages.examples.promises import MOST_A_TARGET, mine
from qverify_desktop.languages.rust.crates import Crate, find_crates, folder_of
from qverify_desktop.languages.rust.detection import module_trees
from qverify_desktop.languages.rust.modules import Module, ModuleTree
from qverify_desktop.languages.rust.rustdoc import Claim, claims, fences, program
from qverify_desktop.languages.rust.segments import definitions
from qverify_desktop.languages.rust.source import ATTRIBUTES, COMMENTS, is_for_tests
from qverify_desktop.languages.rust.speaking import RustSpeaker
from qverify_desktop.languages.rust.syntax import calls_in
from qverify_desktop.languages.tree.comments import Comment, comment_above, comment_of
from qverify_desktop.languages.tree.source import TreeSource

FENCE = "rustdoc"
#: How a trait's method is called where it is not called by its own name.
_SPELLED: Mapping[str, str] = {"to_string": "fmt", "parse": "from_str", "into": "from", "collect": "from_iter"}


@dataclass(frozen=True)
class Place:
    """A passage, the crate that it speaks of (``None``: all), and the type that it describes where it describes no function.
    ``rustdoc``: it stands in source, where a fence without a tag is Rust."""

    passage: Passage
    crate: Crate | None
    about: str = ""
    rustdoc: bool = True


def find_promises(snapshot: Snapshot, project: Project, targets: Sequence[Target]) -> list[Promise]:
    """Every promise whose function can be named from outside of its crate, bound to its target."""
    return _read(snapshot, project, targets)[0]


def unread_examples(snapshot: Snapshot, project: Project, targets: Sequence[Target]) -> list[tuple[str, int, str]]:
    """Examples in prose that look meant and can't be read in one way only."""
    return _read(snapshot, project, targets)[1]


def _read(
    snapshot: Snapshot, project: Project, targets: Sequence[Target]
) -> tuple[list[Promise], list[tuple[str, int, str]]]:
    crates = find_crates(snapshot)
    public = [target for target in targets if target.public]
    of_crate: dict[str | None, list[Target]] = {None: public}
    for target in public:
        of_crate.setdefault(folder_of(project.source_roots, target.file), []).append(target)
    found: list[Promise] = []
    unread: list[tuple[str, int, str]] = []
    prose: dict[str | None, list[Passage]] = defaultdict(list)
    for place in _places(snapshot, project, crates, targets):
        ran, rest = fences(place.passage.lines, untagged=place.rustdoc)
        where = place.crate.folder if place.crate is not None else None
        binding = _Binding(of_crate.get(where, []), place)
        counts: dict[str, int] = defaultdict(int)
        for fence in ran:
            code = "\n".join(fence.code)
            for claim in claims(fence):
                meant = binding.target(claim, code)
                if meant is not None and counts[meant.id] < MOST_A_TARGET:
                    counts[meant.id] += 1
                    found.append(_promise(place.passage, claim, meant))
        if place.passage.owner is None or place.passage.owner.public:
            prose[where].append(replace(place.passage, lines=tuple(rest)))
    for where, passages in prose.items():
        mined = mine(passages, of_crate.get(where, []), RustSpeaker())
        found += mined.promises
        unread += mined.unread
    return found, unread


def _promise(passage: Passage, claim: Claim, target: Target) -> Promise:
    return Promise(
        target=target.id,
        call=_on_one_line(claim.call),
        expected=_on_one_line(claim.expected),
        relation=PromiseRelation.RAISES if claim.panics else PromiseRelation.EQUALS,
        words=passage.words(claim.start, claim.end),
        file=passage.file,
        line=passage.first + claim.start,
        form=FENCE,
        setup=program(claim),
    )


def _on_one_line(code: str) -> str:
    return re.sub(r"[ \t]*\n[ \t]*", " ", code.strip())


@dataclass(frozen=True)
class _Binding:
    """Which function a claim speaks of."""

    targets: Sequence[Target]
    place: Place

    def target(self, claim: Claim, code: str) -> Target | None:
        owner = self.place.passage.owner
        said = calls_in(claim.call)
        defined = calls_in(claim.defining) if claim.defining else []
        if owner is not None:
            if not owner.public:
                return None
            name = owner.symbol.rpartition(".")[2]
            names = {_last(call) for call in (*said, *defined)}
            if name in names or name in {_SPELLED.get(one, one) for one in names}:
                return owner
        for call in (*said, *defined):
            target = self._named(call)
            if target is not None:
                return target
        if owner is not None and _last(owner.symbol.replace(".", "::")) in code:
            return owner
        return next((t for call in reversed(calls_in(" ".join(claim.setup))) if (t := self._named(call))), None)

    def _named(self, call: str) -> Target | None:
        name = _last(call)
        fitting = [t for t in self.targets if t.symbol.rpartition(".")[2] in (name, _SPELLED.get(name, name))]
        if "::" in call:
            above = call.split("::")[-2]
            exact = [t for t in fitting if t.symbol.split(".")[0] == above or t.module.rpartition("::")[2] == above]
            fitting = exact or [t for t in fitting if "." not in t.symbol and above.islower()]
        elif call.startswith("."):
            fitting = [t for t in fitting if t.callee == "method"] or fitting
            about = [t for t in fitting if t.symbol.split(".")[0] == self.place.about]
            fitting = about or fitting
        else:
            fitting = [t for t in fitting if t.callee == "function"]
        if len(fitting) > 1:
            file = self.place.passage.file
            fitting = [t for t in fitting if t.file == file] or fitting
        return fitting[0] if len(fitting) == 1 else None


def _last(call: str) -> str:
    return call.rpartition("::")[2].removeprefix(".")


def _places(
    snapshot: Snapshot, project: Project, crates: Sequence[Crate], targets: Sequence[Target]
) -> Iterator[Place]:
    by_line = {(target.file, target.line): target for target in targets}
    wanted = frozenset(project.source_files)
    for tree in module_trees(snapshot, list(crates)):
        for file in sorted(set(tree.files) & wanted):
            yield from _of_file(tree, file, by_line)
    for passage in documentation(snapshot):
        yield Place(passage, crates[0] if len(crates) == 1 else None, rustdoc=False)
    for crate in crates:
        if crate.folder:
            yield from _readme(snapshot, crate)


def _readme(snapshot: Snapshot, crate: Crate) -> Iterator[Place]:
    """A member's own README; those at the root of the repository are among its documentation."""
    inside = replace(
        snapshot,
        root=f"{snapshot.root}/{crate.folder}",
        files=tuple(crate.below(path) for path in snapshot.files if crate.holds(path) and path.endswith("README.md")),
    )
    for passage in documentation(inside):
        yield Place(replace(passage, file=f"{crate.folder}/{passage.file}"), crate, rustdoc=False)


def _of_file(tree: ModuleTree, file: str, by_line: Mapping[tuple[str, int], Target]) -> Iterator[Place]:
    """Passages of a source file: comments of its functions, then of everything else, then the file's own."""
    told: set[int] = set()
    for found in definitions(tree, file):
        comment = found.definition.comment
        line = int(found.definition.node.start_point[0]) + 1
        target = by_line.get((file, line))
        if comment is not None:
            told.add(comment.first)
        if comment is not None and target is not None:
            source = tree.modules[found.place].source
            yield Place(_passage(source, comment, target), tree.crate, found.type_name)
    for module in tree.modules.values():
        if module.source.path == file:
            yield from _of_items(tree, module, told)


def _of_items(tree: ModuleTree, module: Module, told: set[int]) -> Iterator[Place]:
    source = module.source
    opening = [node for node in module.body.named_children if _is_inner(node)]
    comment = comment_of(source, opening) if opening and _together(opening) else None
    if comment is not None:
        yield Place(_passage(source, comment, None), tree.crate)
    for item in module.body.named_children:
        above = comment_above(source, item, COMMENTS, ATTRIBUTES) if item.type not in COMMENTS | ATTRIBUTES else None
        if above is not None and above.first not in told and not is_for_tests(source, item):
            told.add(above.first)
            if comment is None or above.first != comment.first:
                yield Place(_passage(source, above, None), tree.crate, source.field(item, "name"))


def _is_inner(node: Node) -> bool:
    """``//!`` and ``/*! */``."""
    return node.type in COMMENTS and any(child.type == "inner_doc_comment_marker" for child in node.children)


def _together(nodes: Sequence[Node]) -> bool:
    return all(after.start_point[0] <= before.end_point[0] + 1 for before, after in itertools.pairwise(nodes))


def _passage(source: TreeSource, comment: Comment, owner: Target | None) -> Passage:
    raw = tuple(source.data.decode("utf-8", "replace").split("\n"))
    return Passage(source.path, raw, comment.lines, comment.first, owner)
