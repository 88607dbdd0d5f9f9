"""Unified patches as git writes them: new files, and names quoted the way git quotes them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from qverify_desktop.repository.objects import object_id

_NAMED = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
_CODES = {letter: code for code, letter in _NAMED.items()}
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')


def quoted(path: str) -> str:
    """A path in git's C-style quoting (``core.quotePath`` on); unchanged where nothing needs it."""
    raw = path.encode("utf-8", "replace")
    if not any(byte < 32 or byte > 126 or byte in b'"\\' for byte in raw):
        return path
    written = []
    for byte in raw:
        if byte in _NAMED:
            written.append("\\" + _NAMED[byte])
        else:
            written.append(chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}")
    return '"' + "".join(written) + '"'


def unquoted(name: bytes) -> bytes:
    """The path behind a name in a git patch header (``+++`` line, without its prefix ``+++ ``)."""
    name = name.removesuffix(b"\t")
    if not (name.startswith(b'"') and name.endswith(b'"')):
        return name
    return _ESCAPE.sub(_unescape, name[1:-1])


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1].decode("ascii")
    return bytes([_CODES[code]]) if code in _CODES else bytes([int(code, 8) & 255])


def patch_of(files: Mapping[str, str]) -> str:
    """A patch that adds these files (path to text), in order of their paths; ``git apply`` takes it."""
    return "".join(_new_file(path, files[path]) for path in sorted(files))


def _new_file(path: str, text: str) -> str:
    before, after = quoted(f"a/{path}"), quoted(f"b/{path}")
    blob = object_id("blob", text.encode("utf-8", "replace"))
    head = f"diff --git {before} {after}\nnew file mode 100644\nindex {'0' * 40}..{blob}\n"
    if not text:
        return head
    lines = text.split("\n")
    complete = lines[-1] == ""
    if complete:
        lines.pop()
    span = "+1" if len(lines) == 1 else f"+1,{len(lines)}"
    # git ends a name that holds a space with a tab, so that it can't be taken for a time stamp.
    name = after + ("\t" if " " in path and not after.startswith('"') else "")
    body = "".join(f"+{line}\n" for line in lines)
    return f"{head}--- /dev/null\n+++ {name}\n@@ -0,0 {span} @@\n{body}" + (
        "" if complete else "\\ No newline at end of file\n"
    )
