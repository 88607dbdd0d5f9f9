"""The modules of a crate: which file is which module, and by which path other crates can name an item (The Rust Reference, "Modules",
"Use declarations", "Visibility and privacy").

A public item in a private module can be named only where it is re-exported, so ``pub use`` is followed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tree_sitter import Node

from qverify_desktop.domain.project import SkippedPath
from qverify_desktop.languages.rust.crates import Crate
from qverify_desktop.languages.rust.source import attributes, is_for_tests, read_source, visibility
from qverify_desktop.languages.tree.source import TreeSource

MAX_MODULES = 2000
MAX_DEPTH = 30
#: Items that a path can name.
_NAMED = frozenset(
    (
        "function_item",
        "struct_item",
        "enum_item",
        "union_item",
        "trait_item",
        "type_item",
        "const_item",
        "static_item",
    )
)
_PATH = re.compile(r"#\s*\[\s*path\s*=\s*\"([^\"\n]{1,300})\"")
_EXPORTED = re.compile(r"#\s*\[\s*macro_export\b")
Place = tuple[str, ...]


@dataclass
class Module:
    """``path`` are the names that lead to it from the crate's root. ``body`` holds its items."""

    path: Place
    source: TreeSource
    body: Node
    public: bool
    items: dict[str, str] = field(default_factory=dict)
    uses: list[tuple[Place, str]] = field(default_factory=list)


@dataclass
class ModuleTree:
    """``named`` maps an item (its module and name) to the path of the module through which other crates name it."""

    crate: Crate
    modules: dict[Place, Module] = field(default_factory=dict)
    files: dict[str, Place] = field(default_factory=dict)
    test_files: set[str] = field(default_factory=set)
    unreadable: list[SkippedPath] = field(default_factory=list)
    named: dict[tuple[Place, str], str] = field(default_factory=dict)

    def owner(self, place: Place, name: str) -> tuple[Place, str] | None:
        """Where a type that an ``impl`` in module ``place`` names is defined: there, or the only one of that name."""
        if name in self.modules[place].items:
            return place, name
        found = [path for path, module in self.modules.items() if name in module.items]
        return (found[0], name) if len(found) == 1 else None


def read_modules(root: str, files: frozenset[str], crate: Crate) -> ModuleTree:
    """The module tree of a crate's library, and of its programs, whose items nobody can name."""
    tree = ModuleTree(crate)
    for number, start in enumerate(dict.fromkeys((*([crate.root] if crate.root else []), *crate.roots))):
        library = bool(crate.root) and number == 0
        _read(tree, root, files, start, () if library else (f"[{start}]",), library, MAX_DEPTH)
    if crate.name:
        _expose(tree, (), crate.name, set(), MAX_DEPTH)
    return tree


def _read(
    tree: ModuleTree, root: str, files: frozenset[str], path: str, place: Place, public: bool, depth: int
) -> None:
    if path in tree.files or depth <= 0 or len(tree.modules) >= MAX_MODULES:
        return
    source = read_source(root, path)
    if isinstance(source, SkippedPath):
        tree.unreadable.append(source)
        return
    tree.files[path] = place
    folder, _, name = path.rpartition("/")
    at_root = name in ("mod.rs", "lib.rs", "main.rs") or path in (tree.crate.root, *tree.crate.roots)
    inner = folder if at_root else f"{folder}/{name.removesuffix('.rs')}"
    pending = [(source.root, place, public, inner)]
    while pending and len(tree.modules) < MAX_MODULES:
        body, here, seen, below = pending.pop()
        module = tree.modules.setdefault(here, Module(here, source, body, seen))
        for item in body.named_children:
            _take(tree, root, files, module, item, below, folder, depth, pending)


def _take(
    tree: ModuleTree,
    root: str,
    files: frozenset[str],
    module: Module,
    item: Node,
    below: str,
    folder: str,
    depth: int,
    pending: list[tuple[Node, Place, bool, str]],
) -> None:
    source = module.source
    name = source.field(item, "name")
    if item.type in _NAMED and not is_for_tests(source, item):
        module.items[name] = visibility(source, item)
    elif item.type == "use_declaration" and visibility(source, item) == "pub":
        argument = item.child_by_field_name("argument")
        if argument is not None:
            module.uses += _uses(source, argument)
    elif item.type == "mod_item":
        body = item.child_by_field_name("body")
        for_tests = is_for_tests(source, item)
        if body is not None:
            if not for_tests and len(module.path) < MAX_DEPTH:
                module.items[name] = visibility(source, item)
                place, public = (*module.path, name), visibility(source, item) == "pub"
                pending.append((body, place, public, f"{below}/{name}"))
            return
        path = _file_of(source, item, files, below, folder, name)
        if path is None:
            return
        if for_tests:
            tree.test_files.add(path)
            return
        module.items[name] = visibility(source, item)
        _read(tree, root, files, path, (*module.path, name), visibility(source, item) == "pub", depth - 1)


def _file_of(source: TreeSource, item: Node, files: frozenset[str], below: str, folder: str, name: str) -> str | None:
    written = next((match[1] for text in attributes(source, item) if (match := _PATH.match(text))), None)
    if written is not None:
        candidates = [_joined(folder, written)]
    else:
        candidates = [_joined(below, f"{name}.rs"), _joined(below, f"{name}/mod.rs")]
    return next((path for path in candidates if path in files), None)


def _joined(folder: str, path: str) -> str:
    parts = [part for part in folder.split("/") if part]
    for part in path.split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in ("", ".", ".."):
            parts.append(part)
    return "/".join(parts)


def _uses(source: TreeSource, argument: Node) -> list[tuple[Place, str]]:
    """What a ``use`` brings in: the path, and the name under which it is known here (``*`` for everything)."""
    found: list[tuple[Place, str]] = []
    pending: list[tuple[Node, Place, int]] = [(argument, (), MAX_DEPTH)]
    while pending:
        node, prefix, depth = pending.pop()
        kind = node.type
        if depth <= 0:
            continue
        if kind in ("scoped_use_list", "use_list"):
            above = prefix + _names(source.field(node, "path"))
            inside = node.child_by_field_name("list") if kind == "scoped_use_list" else node
            pending += [(child, above, depth - 1) for child in (inside.named_children if inside is not None else ())]
        elif kind == "use_as_clause":
            found.append((prefix + _names(source.field(node, "path")), source.field(node, "alias")))
        elif kind == "use_wildcard":
            found.append((prefix + _names(source.slice(node).removesuffix("*").rstrip().removesuffix("::")), "*"))
        elif kind == "self" and prefix:
            found.append((prefix, prefix[-1]))
        elif kind in ("identifier", "scoped_identifier", "crate", "super"):
            names = prefix + _names(source.slice(node))
            if names:
                found.append((names, names[-1]))
    return found


def _names(path: str) -> Place:
    return tuple(part.strip() for part in path.split("::") if part.strip())


def _expose(tree: ModuleTree, place: Place, path: str, seen: set[tuple[Place, str]], depth: int) -> None:
    """Note how each item of a module is named from outside, where the module itself is ``path``."""
    module = tree.modules.get(place)
    if module is None or depth <= 0 or (place, path) in seen or len(seen) > MAX_MODULES:
        return
    seen.add((place, path))
    for name, seen_by in module.items.items():
        if seen_by == "pub":
            _name(tree, place, name, path, seen, depth)
    for names, alias in module.uses:
        target = _resolve(tree.modules, place, names)
        if target is None:
            continue
        if alias == "*":
            _expose(tree, target, path, seen, depth - 1)
        elif target in tree.modules and target != place:
            _expose(tree, target, f"{path}::{alias}", seen, depth - 1)
        elif alias == target[-1]:
            _name(tree, target[:-1], alias, path, seen, depth)


def _name(tree: ModuleTree, place: Place, name: str, path: str, seen: set[tuple[Place, str]], depth: int) -> None:
    inner = (*place, name)
    if inner in tree.modules:
        _expose(tree, inner, f"{path}::{name}", seen, depth - 1)
    known = tree.named.get((place, name))
    if known is None or path.count("::") < known.count("::"):
        tree.named[place, name] = path


def _resolve(modules: Mapping[Place, Module], place: Place, names: Sequence[str]) -> Place | None:
    """The module, or the module and item, that a path written in module ``place`` means; ``None`` for other crates'."""
    at = place
    rest = list(names)
    if rest and rest[0] == "crate":
        at, rest = (), rest[1:]
    elif rest and rest[0] == "self":
        rest = rest[1:]
    while rest and rest[0] == "super" and at:
        at, rest = at[:-1], rest[1:]
    found = (*at, *rest)
    if found in modules:
        return found
    holder = modules.get(found[:-1]) if found else None
    return found if holder is not None and found[-1] in holder.items else None
