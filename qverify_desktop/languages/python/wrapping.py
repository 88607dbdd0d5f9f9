"""Long lines of generated source, broken at brackets the way a formatter would, with the syntax tree unchanged."""

from __future__ import annotations

import ast

from qverify_desktop.languages import syntax
from qverify_desktop.languages.python.literals import balanced_end, string_end

WIDTH = 100


def wrapped(code: str) -> str:
    """``code`` with its long lines broken; unchanged where breaking would change what it means."""
    lines: list[str] = []
    for line in code.split("\n"):
        lines.extend(_broken(line) if len(line) > WIDTH else [line])
    text = "\n".join(lines)
    if text == code:
        return code
    try:
        same = ast.dump(syntax.parse(text)) == ast.dump(syntax.parse(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code
    return text if same else code


def _broken(line: str) -> list[str]:
    indent = line[: len(line) - len(line.lstrip())]
    bracket = _outer_bracket(line)
    if bracket is None:
        return [line]
    start, end = bracket
    parts = _split(line[start + 1 : end - 1])
    if not parts or any(part.lstrip().startswith("#") for part in parts):
        return [line]
    inner: list[str] = []
    for part in parts:
        piece = f"{indent}    {part.strip()},"
        inner.extend(_broken(piece) if len(piece) > WIDTH else [piece])
    ends = [line[: start + 1]], [indent + line[end - 1 :]]
    head, tail = (_broken(part[0]) if len(part[0]) > WIDTH else part for part in ends)
    return [*head, *inner, *tail]


def _outer_bracket(line: str) -> tuple[int, int] | None:
    """The longest bracket pair that is not inside another one."""
    position, found, longest = 0, None, 0
    while position < len(line):
        character = line[position]
        if character in "'\"":
            position = string_end(line, position) or len(line)
        elif character in "([{":
            end = balanced_end(line, position)
            if end is None:
                return found
            if line[position + 1 : end - 1].strip() and end - position > longest:
                found, longest = (position, end), end - position
            position = end
        elif character == "#":
            return found
        else:
            position += 1
    return found


def _split(text: str) -> list[str]:
    """Parts between the commas that stand outside brackets and strings."""
    parts, start, position = [], 0, 0
    while position < len(text):
        character = text[position]
        if character in "'\"":
            end = string_end(text, position)
            if end is None:
                return []
            position = end
        elif character in "([{":
            end = balanced_end(text, position)
            if end is None:
                return []
            position = end
        elif character == ",":
            parts.append(text[start:position])
            start = position = position + 1
        else:
            position += 1
    parts.append(text[start:])
    return [part for part in parts if part.strip()]
