"""Which Go files a build on Linux takes, and which of them are tests. Works on names and the first lines of files.

Source: the documentation of the go command, "Build constraints" and "Package lists and patterns".
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_SYSTEMS = frozenset(
    [
        "aix",
        "android",
        "darwin",
        "dragonfly",
        "freebsd",
        "hurd",
        "illumos",
        "ios",
        "js",
        "nacl",
        "netbsd",
        "openbsd",
        "plan9",
        "solaris",
        "wasip1",
        "windows",
        "zos",
    ]
)
_MACHINES = frozenset(
    [
        "386",
        "amd64p32",
        "arm",
        "armbe",
        "arm64",
        "arm64be",
        "loong64",
        "mips",
        "mipsle",
        "mips64",
        "mips64le",
        "ppc",
        "ppc64",
        "ppc64le",
        "riscv",
        "riscv64",
        "s390",
        "s390x",
        "sparc",
        "sparc64",
        "wasm",
    ]
)
_CONSTRAINT = re.compile(r"^//go:build[ \t]+(.{1,500})$", re.MULTILINE)
_TOKEN = re.compile(r"\s*(\|\||&&|!|\(|\)|[\w.]+)")
_TRUE = frozenset(("linux", "amd64", "unix", "gc"))
_MOST_TOKENS = 100


def is_test(path: str) -> bool:
    return path.endswith("_test.go")


def is_ignored(path: str) -> bool:
    """Whether the go command passes over the file because of a folder's name or its own."""
    parts = PurePosixPath(path).parts
    return any(part.startswith(("_", ".")) or part == "testdata" for part in parts)


def is_built(path: str, text: str) -> bool:
    """Whether a build for Linux on amd64, without C, takes the file."""
    stem = path.rpartition("/")[2].removesuffix(".go").removesuffix("_test")
    words = stem.split("_")[1:]
    if words and (words[-1] in _SYSTEMS or words[-1] in _MACHINES):
        return False
    if len(words) > 1 and words[-1] == "amd64" and words[-2] in _SYSTEMS:
        return False
    head = text[:20_000].partition("\npackage ")[0]
    match = _CONSTRAINT.search(head)
    if match and not _holds(match[1]):
        return False
    return 'import "C"' not in text


def _holds(expression: str) -> bool:
    """The value of a build constraint; one that can't be read holds."""
    tokens = _TOKEN.findall(expression)
    if len(tokens) > _MOST_TOKENS:
        return True
    words = [
        token if token in ("(", ")") else {"||": " or ", "&&": " and ", "!": " not "}.get(token) or str(_tag(token))
        for token in tokens
    ]
    value, end = _either(words, 0)
    return value if end == len(words) else True


def _tag(name: str) -> bool:
    return name in _TRUE or re.fullmatch(r"go1\.\d{1,2}", name) is not None


def _either(words: list[str], at: int) -> tuple[bool, int]:
    value, at = _both(words, at)
    while at < len(words) and words[at] == " or ":
        other, at = _both(words, at + 1)
        value = value or other
    return value, at


def _both(words: list[str], at: int) -> tuple[bool, int]:
    value, at = _one(words, at)
    while at < len(words) and words[at] == " and ":
        other, at = _one(words, at + 1)
        value = value and other
    return value, at


def _one(words: list[str], at: int) -> tuple[bool, int]:
    if at >= len(words):
        return True, at + 1
    if words[at] == " not ":
        value, at = _one(words, at + 1)
        return not value, at
    if words[at] == "(":
        value, at = _either(words, at + 1)
        return value, at + 1
    return words[at] == "True", at + 1
