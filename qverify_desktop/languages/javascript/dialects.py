"""The two dialects of one language: which files are whose, and which grammar reads them."""

from __future__ import annotations

from dataclasses import dataclass

import tree_sitter_javascript
import tree_sitter_typescript

from qverify_desktop.domain.project import SkippedPath
from qverify_desktop.languages.tree.source import Grammar, TreeSource, parse_tree, read_tree

RUNTIME = "node"

_JAVASCRIPT = Grammar("JavaScript", tree_sitter_javascript.language)
_TYPESCRIPT = Grammar("TypeScript", tree_sitter_typescript.language_typescript)
_TSX = Grammar("TypeScript", tree_sitter_typescript.language_tsx)


@dataclass(frozen=True)
class Dialect:
    """``endings`` are those of its source files, ``fence_tags`` what a model may call it."""

    name: str
    title: str
    endings: tuple[str, ...]
    fence_tags: tuple[str, ...]

    def owns(self, path: str) -> bool:
        """Whether a file is source of this dialect. Declarations (``.d.ts``) hold nothing that runs."""
        return path.endswith(self.endings) and not path.endswith((".d.ts", ".d.mts", ".d.cts"))


JAVASCRIPT = Dialect(
    "javascript", "JavaScript", (".js", ".mjs", ".cjs", ".jsx"), ("javascript", "js", "jsx", "mjs", "cjs", "node", "")
)
TYPESCRIPT = Dialect("typescript", "TypeScript", (".ts", ".mts", ".cts", ".tsx"), ("typescript", "ts", "tsx", ""))
DIALECTS = {dialect.name: dialect for dialect in (JAVASCRIPT, TYPESCRIPT)}


def dialect_of(path: str) -> Dialect:
    """The dialect of a file by its ending."""
    return TYPESCRIPT if path.endswith(TYPESCRIPT.endings) else JAVASCRIPT


def grammar_of(path: str) -> Grammar:
    """The grammar that reads a file: JSX and TypeScript's old casts (``<T>x``) exclude each other."""
    if path.endswith(".tsx"):
        return _TSX
    return _TYPESCRIPT if path.endswith(TYPESCRIPT.endings) else _JAVASCRIPT


def read_source(root: str, path: str) -> TreeSource | SkippedPath:
    """Read and parse a file of a snapshot."""
    return read_tree(grammar_of(path), root, path)


def parse_source(text: str, path: str) -> TreeSource | None:
    """Parse text as if it stood in ``path``; ``None`` where it can't be used."""
    found = parse_tree(grammar_of(path), text.encode("utf-8", "surrogatepass"), path)
    return found if isinstance(found, TreeSource) else None


def parse_code(code: str, path: str) -> TreeSource | None:
    """As ``parse_source``; ``None`` also where there is any syntax error."""
    found = parse_source(code, path)
    return None if found is None or found.root.has_error else found
