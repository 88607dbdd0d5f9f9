"""Where a repository speaks: docstrings and documentation files, each line with its place in the file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.languages import syntax
from qverify_desktop.languages.python.codebase import Codebase, ModuleSource, read_text, source_lines

_DOC_SUFFIXES = (".md", ".rst", ".txt", ".markdown")
_DOC_FOLDERS = ("docs/", "doc/")
#: Files that speak of other versions, of other projects, or of no code at all.
_NOT_ABOUT_NOW = re.compile(
    r"(?i)^(change|history|news|release|migrat|upgrad|licen[cs]e|copying|notice|authors|contribut|security|todo|roadmap"
    r"|require|constraints|manifest|credits|whats_?new|sources|cmakelists|top_level|dependency_links)"
)
_MOST_DOC_FILES = 300


@dataclass(frozen=True)
class Passage:
    """A piece of prose. ``lines`` are as a reader sees them; line ``i`` stands at ``first + i`` of ``file``.

    ``source`` is the whole text of the file. For a docstring, ``module`` is its module, ``owner`` the function it
    describes and ``holder`` the class it belongs to (both empty for a module's own docstring).
    """

    file: str
    source: str
    lines: tuple[str, ...]
    first: int
    module: str = ""
    owner: Target | None = None
    holder: str = ""

    def words(self, start: int, end: int) -> str:
        """The file's text from line ``start`` to ``end`` (indices into ``lines``, inclusive), verbatim, trimmed."""
        raw = source_lines(self.source)[self.first - 1 + start : self.first + end]
        text = "".join(raw).strip()
        if self.module:
            text = _without_quotes(text)
        return text


def _without_quotes(text: str) -> str:
    for quote in ('"""', "'''"):
        position = text.find(quote)
        if 0 <= position <= 2 and text.count(quote) in (1, 2):
            text = text[position + 3 :]
        text = text.removesuffix(quote)
    return text.strip()


def passages(snapshot: Snapshot, codebase: Codebase) -> Iterator[Passage]:
    """Docstrings of every module in file order, then documentation files in name order."""
    for module in sorted(codebase.modules.values(), key=lambda item: item.file):
        yield from docstrings(module, codebase)
    for path in documentation_files(snapshot):
        text = read_text(snapshot, path)
        if text:
            yield Passage(path, text, tuple(line.rstrip("\r\n") for line in source_lines(text)), 1)


def documentation_files(snapshot: Snapshot) -> list[str]:
    """Prose files at the root and below the documentation folders that speak of the code as it is now."""
    found = []
    for path in sorted(snapshot.files):
        name = path.rpartition("/")[2]
        in_place = "/" not in path or path.lower().startswith(_DOC_FOLDERS)
        if in_place and name.lower().endswith(_DOC_SUFFIXES) and not _NOT_ABOUT_NOW.match(name):
            found.append(path)
    return found[:_MOST_DOC_FILES]


def docstrings(module: ModuleSource, codebase: Codebase) -> Iterator[Passage]:
    """The module's docstring and those of its classes and functions, with their owners."""
    passage = _docstring(module, module.tree, None, "")
    if passage:
        yield passage
    yield from _inner(module, module.tree, codebase, "", "")


def _inner(module: ModuleSource, node: ast.AST, codebase: Codebase, prefix: str, holder: str) -> Iterator[Passage]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            symbol = f"{prefix}{child.name}"
            passage = _docstring(module, child, None, symbol)
            if passage:
                yield passage
            yield from _inner(module, child, codebase, f"{symbol}.", symbol)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            owner = codebase.targets.get((module.module, f"{prefix}{child.name}"))
            passage = _docstring(module, child, owner, holder)
            if passage and owner:
                yield passage
        elif isinstance(child, ast.If | ast.Try | ast.With):
            yield from _inner(module, child, codebase, prefix, holder)


def _docstring(
    module: ModuleSource,
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef,
    owner: Target | None,
    holder: str,
) -> Passage | None:
    if not node.body or not isinstance(node.body[0], ast.Expr):
        return None
    value = node.body[0].value
    if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
        return None
    lines = value.value.split("\n")
    last = value.end_lineno or value.lineno
    if len(lines) != last - value.lineno + 1:
        # An escape in the docstring moved its lines: they have no place in the file any more.
        lines = [line.rstrip("\r\n") for line in source_lines(module.text)[value.lineno - 1 : last]]
        raw = re.match(r"[uU]?[rR]", lines[0][value.col_offset :]) is not None
        lines = [line.replace('"""', "").replace("'''", "") for line in lines]
        lines = [line if raw or "\\" not in line else _seen(line) for line in lines]
        if value.lineno == last:
            return None
    return Passage(module.file, module.text, tuple(lines), value.lineno, module.module, owner, holder)


def _seen(line: str) -> str:
    """A line of a docstring's source as a reader of the docstring sees it; as it is where it would become several."""
    try:
        node = syntax.parse(f'"""{line}\n"""').body[0]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return line
    value = node.value.value if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) else None
    return value[:-1] if isinstance(value, str) and value.count("\n") == 1 else line


def is_verbatim(source: str, words: str, line: int) -> bool:
    """Whether ``words`` stand in ``source`` and begin at ``line`` (1-based)."""
    if not words:
        return False
    starts = source_lines(source)
    if not 1 <= line <= len(starts):
        return False
    offset = sum(len(text) for text in starts[: line - 1])
    found = source.find(words, offset)
    return offset <= found < offset + len(starts[line - 1])
