"""How a test reaches a function: what is imported from which file, and the expression that names it then."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from enum import StrEnum

from qverify_desktop.domain.project import Target


class Way(StrEnum):
    """How a file gives something away. The value is the prefix of ``Target.module``."""

    #: ``export const f``: ``import { f } from``.
    NAMED = ""
    #: ``export default f``.
    DEFAULT = "default:"
    #: ``export default { f }``.
    DEFAULT_MEMBER = "default-member:"
    #: ``exports.f``, ``module.exports = { f }``: ``const { f } = require``.
    REQUIRED = "require:"
    #: ``module.exports = f``.
    REQUIRED_WHOLE = "require-whole:"
    #: Not at all.
    HIDDEN = "hidden:"


_RESERVED = frozenset(
    [
        "await",
        "break",
        "case",
        "catch",
        "class",
        "const",
        "continue",
        "debugger",
        "default",
        "delete",
        "do",
        "else",
        "enum",
        "export",
        "extends",
        "false",
        "finally",
        "for",
        "function",
        "if",
        "implements",
        "import",
        "in",
        "instanceof",
        "interface",
        "let",
        "new",
        "null",
        "package",
        "private",
        "protected",
        "public",
        "return",
        "static",
        "super",
        "switch",
        "this",
        "throw",
        "true",
        "try",
        "typeof",
        "undefined",
        "var",
        "void",
        "while",
        "with",
        "yield",
        "test",
        "it",
        "describe",
        "expect",
        "assert",
        "observed",
        "asWritten",
    ]
)


@dataclass(frozen=True)
class Access:
    """``root`` is the name that a test file binds, ``expression`` the source that names the target itself."""

    way: Way
    root: str
    expression: str

    def statement(self, file: str, test_path: str, *, modules: bool) -> str:
        """The statement of the test file ``test_path`` that binds ``root``; an import where the test file is a module."""
        specifier = specifier_of(file, test_path)
        bound = f"{{ {self.root} }}" if self.way in (Way.NAMED, Way.REQUIRED) else self.root
        if modules:
            return f'import {bound} from "{specifier}";'
        return f'const {bound} = require("{specifier}");'


def module_of(way: Way, file: str) -> str:
    """``Target.module``: how a file gives the target away, and the file without its ending."""
    return f"{way.value}{re.sub(r'[.][cm]?[jt]sx?$', '', file)}"


def way_of(target: Target) -> Way:
    """How the target's file gives it away."""
    prefix, mark, _ = target.module.partition(":")
    try:
        return Way(f"{prefix}:") if mark else Way.NAMED
    except ValueError:
        return Way.NAMED


def access_of(target: Target) -> Access | None:
    """``None`` for a function that no import reaches, or whose name a test can't bind."""
    way = way_of(target)
    root, *rest = target.symbol.split(".")
    if way is Way.HIDDEN or "#" in target.symbol:
        return None
    if way is Way.DEFAULT_MEMBER:
        subject = stem_of(target.file)
        return Access(way, subject, ".".join((subject, root, *rest)))
    if root == "default" and way is Way.DEFAULT:
        root = stem_of(target.file)
    if root in _RESERVED:
        return None
    return Access(way, root, ".".join((root, *rest)))


def stem_of(file: str) -> str:
    """A name for what a file gives away as a whole."""
    name = file.rpartition("/")[2].partition(".")[0]
    if name == "index":
        name = file.rpartition("/")[0].rpartition("/")[2] or "index"
    first, *rest = [part for part in re.split(r"[^A-Za-z0-9_$]+", name) if part] or ["subject"]
    made = first + "".join(part[:1].upper() + part[1:] for part in rest)
    return made if re.match(r"[A-Za-z_$]", made) and made not in _RESERVED else f"the{made[:1].upper()}{made[1:]}"


def uses_modules(target: Target, framework: str) -> bool:
    """Whether a test of the target imports (its file is an ECMAScript module or TypeScript, or Vitest runs it) or requires."""
    return framework == "vitest" or way_of(target) not in (Way.REQUIRED, Way.REQUIRED_WHOLE)


def specifier_of(file: str, test_path: str) -> str:
    """The relative specifier with which ``test_path`` imports ``file``. TypeScript's own endings are left out, as its
    programs are written; others stay, because Node.js wants them in modules."""
    relative = posixpath.relpath(file, posixpath.dirname(test_path) or ".")
    if not relative.startswith("."):
        relative = f"./{relative}"
    if relative.endswith((".mts", ".cts")):
        relative = f"{relative[:-4]}.{relative[-3]}js"
    return re.sub(r"\.tsx?$", "", relative)
