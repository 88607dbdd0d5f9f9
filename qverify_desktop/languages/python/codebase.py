"""Names of the project's modules: what is bound at module level, and which target a name leads to in the end."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.languages import syntax

MOST_BYTES = 2_000_000
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")
_MOST_HOPS = 6
#: Modules that one name is looked for in; each costs two frames of the stack.
_MOST_MODULES = 100


@dataclass(frozen=True)
class Binding:
    """What a module-level name stands for. ``kind`` is ``def``, ``class``, ``value``, ``module`` or ``import``.

    For ``import`` the thing is ``name`` of ``module``; for ``module`` it is the module itself.
    """

    kind: str
    module: str = ""
    name: str = ""


@dataclass
class ModuleSource:
    """One readable source file: its text, tree, and the names bound at module level."""

    file: str
    module: str
    text: str
    tree: ast.Module
    names: dict[str, Binding] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)


def read_text(snapshot: Snapshot, path: str) -> str | None:
    """Text of a file of the snapshot, ``None`` when it is missing, too large, no UTF-8, or leaves the tree."""
    root = Path(snapshot.root).resolve()
    try:
        full = (root / path).resolve()
        if not full.is_relative_to(root) or not full.is_file() or full.stat().st_size > MOST_BYTES:
            return None
        return full.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError):
        return None


def source_lines(text: str) -> list[str]:
    """Lines with their ends, split where Python splits source: not at form feeds or Unicode separators."""
    return _LINE.findall(text)


def parse_module(text: str) -> ast.Module | None:
    """The tree of a source file, ``None`` where it can't be parsed, however it was made."""
    if len(text) > MOST_BYTES or "\0" in text:
        return None
    try:
        return syntax.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class Codebase:
    """Every readable module of a project, and its targets by module and symbol."""

    def __init__(self, modules: Iterable[ModuleSource], targets: Sequence[Target]) -> None:
        self.modules = {module.module: module for module in modules}
        self.by_file = {module.file: module for module in self.modules.values()}
        self.targets = {(target.module, target.symbol): target for target in targets}
        self._by_name: dict[str, list[Target]] = {}
        for target in targets:
            if "." not in target.symbol:
                self._by_name.setdefault(target.symbol, []).append(target)

    @classmethod
    def read(cls, snapshot: Snapshot, project: Project, targets: Sequence[Target]) -> Codebase:
        names = {target.file: target.module for target in targets}
        modules = []
        for path in project.source_files:
            text = read_text(snapshot, path)
            tree = parse_module(text) if text is not None else None
            if text is None or tree is None:
                continue
            module = ModuleSource(path, names.get(path) or module_name(path, project.source_roots), text, tree)
            _bind(module, tree.body, path.endswith("__init__.py"))
            modules.append(module)
        return cls(modules, targets)

    def only_function(self, name: str) -> Target | None:
        """The one module-level function of this name in the whole project, if there is exactly one."""
        found = self._by_name.get(name, [])
        return found[0] if len(found) == 1 else None

    def knows_module(self, dotted: str) -> bool:
        return dotted in self.modules or any(name.startswith(f"{dotted}.") for name in self.modules)

    def follow(self, module: str, name: str) -> tuple[str, str, str] | None:
        """Where ``name`` of ``module`` comes from: (module, name, kind), re-exports followed; ``None`` if unknown."""
        return self._follow(module, name, set())

    def _follow(self, module: str, name: str, seen: set[tuple[str, str]]) -> tuple[str, str, str] | None:
        """``seen`` is shared by all branches: modules may pass each other's names on in a circle."""
        for _ in range(_MOST_HOPS):
            source = self.modules.get(module)
            if source is None or (module, name) in seen or len(seen) > _MOST_MODULES:
                return None
            seen.add((module, name))
            binding = source.names.get(name)
            if binding is None:
                return self._through_stars(source, name, seen)
            if binding.kind != "import":
                return (module, name, binding.kind)
            if binding.module not in self.modules:
                return None
            if self.knows_module(f"{binding.module}.{binding.name}") and binding.name not in (
                self.modules[binding.module].names
            ):
                return (f"{binding.module}.{binding.name}", "", "module")
            module, name = binding.module, binding.name
        return None

    def _through_stars(
        self, source: ModuleSource, name: str, seen: set[tuple[str, str]]
    ) -> tuple[str, str, str] | None:
        if name.startswith("_"):
            return None
        for star in source.stars:
            if star in self.modules and (star, name) not in seen:
                found = self._follow(star, name, seen)
                if found:
                    return found
        return None

    def target_of(self, module: str, symbol: str) -> Target | None:
        """Target for ``symbol`` as it is visible in ``module``; a class leads to its constructor."""
        head, _, rest = symbol.partition(".")
        found = self.follow(module, head)
        if not found:
            return None
        where, name, kind = found
        if kind == "module":
            return self.target_of(where, rest) if rest else None
        if kind == "class":
            return self.targets.get((where, f"{name}.{rest or '__init__'}"))
        return self.targets.get((where, name)) if not rest else None

    def class_targets(self, module: str, name: str) -> list[Target]:
        """Targets that are methods of the class visible as ``name`` in ``module``, in order of their lines."""
        found = self.follow(module, name)
        if not found or found[2] != "class":
            return []
        prefix = f"{found[1]}."
        methods = [t for (m, s), t in self.targets.items() if m == found[0] and s.startswith(prefix)]
        return sorted(methods, key=lambda target: target.line)

    def definition(self, target: Target) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The target's definition in its file's tree."""
        source = self.by_file.get(target.file)
        if source is None:
            return None
        *_, last = target.symbol.split(".")
        for node in definitions(source.tree):
            if isinstance(node, ast.ClassDef) or node.name != last:
                continue
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            if first <= target.line <= node.lineno or target.line <= node.lineno <= target.end_line:
                return node
        return None


def definitions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Functions and classes at any depth, in source order."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node
        yield from definitions(node)


def module_name(path: str, roots: Sequence[str]) -> str:
    """Importable name of a source file below the longest source root that holds it."""
    fitting = [root for root in roots if not root or path.startswith(root.rstrip("/") + "/")]
    root = max(fitting, key=len, default="")
    inner = path[len(root.rstrip("/")) + 1 :] if root else path
    parts = inner.removesuffix(".py").split("/")
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


def _bind(module: ModuleSource, body: Sequence[ast.stmt], is_package: bool) -> None:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            module.names[node.name] = Binding("def", module.module, node.name)
        elif isinstance(node, ast.ClassDef):
            module.names[node.name] = Binding("class", module.module, node.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                shown = alias.asname or alias.name.partition(".")[0]
                module.names[shown] = Binding("module", alias.name if alias.asname else shown)
        elif isinstance(node, ast.ImportFrom):
            _bind_from(module, node, is_package)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            for name in bound_names(node):
                module.names.setdefault(name, Binding("value", module.module, name))
        elif isinstance(node, ast.If | ast.Try | ast.With):
            for part in ("body", "orelse", "finalbody"):
                _bind(module, getattr(node, part, []), is_package)
            for handler in getattr(node, "handlers", []):
                _bind(module, handler.body, is_package)


def _bind_from(module: ModuleSource, node: ast.ImportFrom, is_package: bool) -> None:
    base = node.module or ""
    if node.level:
        parts = module.module.split(".")
        kept = parts[: len(parts) - node.level + (1 if is_package else 0)]
        base = ".".join([*kept, *([node.module] if node.module else [])])
    for alias in node.names:
        if alias.name == "*":
            module.stars.append(base)
        else:
            module.names[alias.asname or alias.name] = Binding("import", base, alias.name)


def bound_names(node: ast.AST) -> set[str]:
    """Names that a statement binds: assignments, imports, loops, ``with``, definitions, walrus."""
    names: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store | ast.Del):
            names.add(part.id)
        elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(part.name)
        elif isinstance(part, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name.partition(".")[0] for alias in part.names)
        elif isinstance(part, ast.arg):
            names.add(part.arg)
        elif isinstance(part, ast.ExceptHandler) and part.name:
            names.add(part.name)
    return names


def loaded_names(node: ast.AST) -> set[str]:
    """Names that a piece of code reads."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}
