"""Generated tests as files: imports merged, what is shared once, the label above each test."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages.tree.rendering import HEADER, by_path, comment

#: Characters of a line (Prettier's ``printWidth`` is 80; tests speak in sentences).
WIDTH = 100
_IMPORT = re.compile(
    r"import (?P<bound>[\w$]+|\{[^{}]{1,4000}\}) from (?P<from>\"[^\"\n]{1,1000}\"|'[^'\n]{1,1000}');?"
)
_REQUIRE = re.compile(
    r"const (?P<bound>[\w$]+|\{[^{}]{1,4000}\}) = require\((?P<from>\"[^\"\n]{1,1000}\"|'[^'\n]{1,1000}')\);?"
)


def render(tests: Sequence[GeneratedTest]) -> dict[str, str]:
    """One text for each path: header, merged imports, shared statements, then the tests in the order given."""
    return {path: _file(group) for path, group in by_path(tests).items()}


def _file(tests: Sequence[GeneratedTest]) -> str:
    imports, statements = _sorted_apart(entry for test in tests for entry in test.prelude)
    parts = [f"// {HEADER}"]
    if imports:
        parts.append("\n".join(imports))
    parts += statements
    parts += ["\n".join([*comment(test), test.code.strip("\n")]) for test in tests]
    return "\n\n".join(parts) + "\n"


def _sorted_apart(entries: Iterable[str]) -> tuple[list[str], list[str]]:
    """Imports (Node.js' own, packages, files), names of one file together, and the other statements as they came."""
    named: dict[tuple[str, str], set[str]] = {}
    whole: dict[tuple[str, str, str], None] = {}
    statements: dict[str, None] = {}
    for entry in entries:
        text = entry.strip("\n").strip()
        for kind, pattern in (("import", _IMPORT), ("require", _REQUIRE)):
            match = pattern.fullmatch(text)
            if match is None:
                continue
            origin = match["from"].replace("'", '"')
            if match["bound"].startswith("{"):
                names = {" ".join(name.split()) for name in match["bound"][1:-1].split(",")}
                named.setdefault((kind, origin), set()).update(name for name in names if name)
            else:
                whole.setdefault((kind, origin, match["bound"]))
            break
        else:
            if text:
                statements.setdefault(text)
    lines = [(kind, origin, bound) for kind, origin, bound in whole]
    lines += [(kind, origin, f"{{ {', '.join(sorted(names))} }}") for (kind, origin), names in named.items()]
    lines.sort(key=lambda line: (_section(line[1]), line[1], line[2]))
    return [_line(*line) for line in lines], list(statements)


def _line(kind: str, origin: str, bound: str) -> str:
    """An import on one line, or with each name on its own where that is too long."""
    statement = f"import {bound} from {origin};" if kind == "import" else f"const {bound} = require({origin});"
    if len(statement) <= WIDTH or not bound.startswith("{"):
        return statement
    names = "".join(f"  {name.strip()},\n" for name in bound[1:-1].split(","))
    return statement.replace(bound, f"{{\n{names}}}", 1)


def _section(origin: str) -> int:
    return 0 if origin.startswith('"node:') else 2 if origin.startswith('".') else 1
