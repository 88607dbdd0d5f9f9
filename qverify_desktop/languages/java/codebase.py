"""The classes of a project by their names: what a test may make and call, and how it names them from its package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.languages.java.declared import declared
from qverify_desktop.languages.java.source import ClassInfo, classes_of, read_source
from qverify_desktop.languages.tree.outline import Definition
from qverify_desktop.languages.tree.source import TreeSource

#: Types that a constructor may need to be called with a few plain values.
SIMPLE = frozenset(
    [
        "byte",
        "short",
        "int",
        "long",
        "float",
        "double",
        "boolean",
        "char",
        "String",
        "Integer",
        "Long",
        "Double",
        "Boolean",
        "Character",
        "CharSequence",
    ]
)


@dataclass(frozen=True)
class Codebase:
    """``classes`` are by file and the names inside it; ``by_simple`` by their last name; ``methods`` by file
    and symbol."""

    classes: Mapping[tuple[str, tuple[str, ...]], ClassInfo] = field(default_factory=dict)
    by_simple: Mapping[str, Sequence[ClassInfo]] = field(default_factory=dict)
    sources: Mapping[str, TreeSource] = field(default_factory=dict)
    methods: Mapping[tuple[str, str], Definition] = field(default_factory=dict)

    @classmethod
    def read(cls, snapshot: Snapshot, project: Project) -> Codebase:
        """Of all source files that can be read."""
        classes: dict[tuple[str, tuple[str, ...]], ClassInfo] = {}
        by_simple: dict[str, list[ClassInfo]] = {}
        sources: dict[str, TreeSource] = {}
        methods: dict[tuple[str, str], Definition] = {}
        for path in project.source_files:
            source = read_source(snapshot.root, path)
            if isinstance(source, TreeSource):
                sources[path] = source
                for info in classes_of(source):
                    classes[path, info.names] = info
                    by_simple.setdefault(info.names[-1], []).append(info)
                    for method in info.methods:
                        methods.setdefault((path, method.symbol), method)
        return cls(classes, by_simple, sources, methods)

    def owner(self, target: Target) -> ClassInfo | None:
        """The class that a target is a method of."""
        return self.classes.get((target.file, tuple(target.symbol.partition("(")[0].split(".")[:-1])))

    def method(self, target: Target) -> Definition | None:
        """The definition of a target."""
        return self.methods.get((target.file, target.symbol))

    def named(self, name: str, package: str) -> ClassInfo | None:
        """The class that ``name`` means in a package; ``None`` where that is not sure."""
        candidates = [
            one
            for one in self.by_simple.get(name.rpartition(".")[2], ())
            if one.name == name or one.name.endswith(f".{name}") or f"{one.package}.{one.name}" == name
        ]
        near = [one for one in candidates if one.package == package]
        chosen = near or candidates
        return chosen[0] if len(chosen) == 1 and chosen[0].reachable else None

    def written(self, info: ClassInfo, package: str) -> str:
        """The class's name in source of a package."""
        return info.name if info.package == package or not info.package else f"{info.package}.{info.name}"


def takes_nothing(info: ClassInfo, *, meant: bool = False) -> bool:
    """Whether an instance can be made from nothing; ``meant`` counts only constructors that are meant for users of the class."""
    if info.abstract or info.kind == "enum" or not info.reachable:
        return False
    return not info.constructors or any(
        not one.parameters and not one.private and (one.meant or not meant) for one in info.constructors
    )


def takes_simple_values(info: ClassInfo) -> bool:
    """Whether one of its constructors takes nothing but plain values."""
    if info.abstract or info.kind == "enum" or not info.reachable:
        return False
    return any(
        not one.private and all(declared(p.annotation).name in SIMPLE for p in one.parameters)
        for one in info.constructors
    )
