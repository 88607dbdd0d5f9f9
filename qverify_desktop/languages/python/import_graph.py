"""Which of a project's files a module depends on: what it imports, and what that imports, read from the syntax trees."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from tree_sitter import Node

from qverify_desktop.domain.project import Project, Snapshot
from qverify_desktop.languages.python.layout import module_name
from qverify_desktop.languages.python.source import SourceFile, read_source, walk

#: A module that may import others by names that are made while it runs.
_BY_NAME = re.compile(r"\b(?:importlib|__import__|pkgutil|entry_points|runpy|exec|eval)\b")


def dependencies_of(snapshot: Snapshot, project: Project, files: Collection[str]) -> Mapping[str, frozenset[str]]:
    """For each of ``files`` all source files that it may come to run, itself among them; all of the project's where it, or one
    that it imports, finds modules by names made at run time, or can't be read."""
    modules = {name: path for path in project.source_files if (name := module_name(project.source_roots, path))}
    names = {path: name for name, path in modules.items()}
    everything = frozenset(project.source_files)
    direct: dict[str, frozenset[str] | None] = {}

    def imports(path: str) -> frozenset[str] | None:
        if path not in direct:
            source = read_source(snapshot.root, path)
            direct[path] = None
            if isinstance(source, SourceFile) and path in names and not _BY_NAME.search(source.text):
                found = _imported(source, names[path], path.endswith("/__init__.py") or path == "__init__.py")
                direct[path] = frozenset(modules[name] for name in found if name in modules)
        return direct[path]

    answer = {}
    for file in files:
        reached, waiting = {file}, [file]
        while waiting:
            found = imports(waiting.pop())
            if found is None:
                reached |= everything
                break
            waiting += found - reached
            reached |= found
        answer[file] = frozenset(reached)
    return answer


def _imported(source: SourceFile, module: str, is_package: bool) -> set[str]:
    """Dotted names of modules that are imported, or might be, with the packages that they lie in."""
    found: set[str] = set()
    package = module if is_package else module.rpartition(".")[0]
    for node in walk(source.root):
        if node.type in ("import_statement", "import_from_statement"):
            for name in _names(source, node, package):
                parts = name.split(".")
                found.update(".".join(parts[: n + 1]) for n in range(len(parts)))
    own = module.split(".")
    found.update(".".join(own[: n + 1]) for n in range(len(own) - 1))
    return found


def _names(source: SourceFile, statement: Node, package: str) -> Iterator[str]:
    origin = statement.child_by_field_name("module_name")
    base = ""
    if origin is not None:
        base = "".join(source.slice(origin).split())
        dots = len(base) - len(base.lstrip("."))
        if dots:
            parts = package.split(".") if package else []
            kept = parts[: len(parts) - dots + 1]
            base = ".".join([*kept, *([base[dots:]] if base[dots:] else [])])
        yield base
    for name in statement.children_by_field_name("name"):
        inner = name.child_by_field_name("name") if name.type == "aliased_import" else name
        if inner is not None:
            dotted = "".join(source.slice(inner).split())
            yield f"{base}.{dotted}" if base else dotted
