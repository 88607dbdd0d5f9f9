"""Literals of the Python language: where one ends in running text, what it says, and how it is written canonically."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from qverify_desktop.languages import syntax

#: An expression longer than this is not an example that a person wrote.
MOST_CHARACTERS = 20_000
#: Deeper nesting is refused before the parser sees it; CPython's own limit ends in a crash on some builds.
MOST_DEPTH = 60

_CLOSERS = {"(": ")", "[": "]", "{": "}"}
_STRING = re.compile(r"(?i)(?:br|rb|[rbu])?('''|\"\"\"|'|\")")
_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|(?:\d[\d_]*)?\.?\d+(?:[eE][+-]?\d+)?[jJ]?)")
_CALLED = re.compile(r"[+-]?(?:float|set|frozenset|dict|list|tuple|complex|bytearray|bytes|str)\(")
_NAMED = re.compile(r"(?:True|False|None)\b")
_FOREIGN = re.compile(r"(?:true|false|null|TRUE|FALSE)\b")
_FOREIGN_VALUES = {"true": "True", "false": "False", "null": "None", "TRUE": "True", "FALSE": "False"}

#: Constructors that may stand in an expected value, each a pure function of literals.
_CONSTRUCTORS: dict[str, Callable[..., object]] = {
    "float": float,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
    "list": list,
    "tuple": tuple,
    "complex": complex,
    "bytearray": bytearray,
    "bytes": bytes,
    "str": str,
}


class NotALiteral(ValueError):
    """The text is not a literal, or one whose meaning is open (an ellipsis in it)."""


def string_end(text: str, start: int) -> int | None:
    """Offset after the string literal that begins at ``start``; ``None`` where there is none or it never ends."""
    match = _STRING.match(text, start)
    if not match:
        return None
    quote, at = match.group(1), match.end()
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text.startswith(quote, at):
            return at + len(quote)
        elif len(quote) == 1 and text[at] == "\n":
            return None
        else:
            at += 1
    return None


def balanced_end(text: str, start: int) -> int | None:
    """Offset after the bracket that closes the one at ``start``, strings respected; ``None`` when it stays open."""
    stack: list[str] = []
    at = start
    while at < len(text) and at - start <= MOST_CHARACTERS:
        character = text[at]
        if character in _CLOSERS:
            stack.append(_CLOSERS[character])
            if len(stack) > MOST_DEPTH:
                return None
        elif character in ")]}":
            if not stack or stack.pop() != character:
                return None
            if not stack:
                return at + 1
        elif character == "#":
            line_end = text.find("\n", at)
            if line_end < 0:
                return None
            at = line_end
        elif character in "'\"":
            end = string_end(text, at)
            if end is None:
                return None
            at = end
            continue
        at += 1
    return None


def parse_expression(text: str) -> ast.expr | None:
    """The expression, or ``None`` for anything that is not one (hostile input included)."""
    source = text.strip()
    if not source or len(source) > MOST_CHARACTERS or "\0" in source or _depth(source) > MOST_DEPTH:
        return None
    try:
        return syntax.parse_expression(f"({source}\n)").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    # A long row of unary operators nests as deeply as brackets do.
    run = max((len(match) for match in re.findall(r"[-+~][-+~ ]*", text)), default=0)
    return max(deepest, run)


def evaluate(node: ast.expr) -> object:
    """Value of a literal, including signs, ``a+bj``, ``float('inf')`` and ``set()``; raises ``NotALiteral``."""
    if isinstance(node, ast.Constant):
        if node.value is Ellipsis:
            raise NotALiteral("an ellipsis leaves the value open")
        return node.value
    if isinstance(node, ast.List):
        return [evaluate(item) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(evaluate(item) for item in node.elts)
    try:
        if isinstance(node, ast.Set):
            return {evaluate(item) for item in node.elts}
        if isinstance(node, ast.Dict):
            return _evaluate_dict(node)
        if isinstance(node, ast.UnaryOp):
            return _evaluate_sign(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            return _evaluate_complex(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            constructor = _CONSTRUCTORS.get(node.func.id)
            arguments = [evaluate(item) for item in node.args]
            small = not any(isinstance(item, int) for item in arguments) or node.func.id in (
                "float",
                "complex",
                "str",
            )
            if constructor is not None and small:
                return constructor(*arguments)
    except (TypeError, ValueError, OverflowError) as error:
        raise NotALiteral(str(error)) from error
    raise NotALiteral(type(node).__name__)


def _evaluate_dict(node: ast.Dict) -> dict[object, object]:
    if any(key is None for key in node.keys):
        raise NotALiteral("unpacking")
    return {
        evaluate(key): evaluate(value) for key, value in zip(node.keys, node.values, strict=True) if key is not None
    }


def _evaluate_sign(node: ast.UnaryOp) -> object:
    value = evaluate(node.operand)
    if isinstance(value, int | float | complex) and not isinstance(value, bool):
        if isinstance(node.op, ast.USub):
            return -value
        if isinstance(node.op, ast.UAdd):
            return value
    raise NotALiteral("an operator")


def _evaluate_complex(node: ast.BinOp) -> object:
    left, right = evaluate(node.left), evaluate(node.right)
    if isinstance(left, int | float) and isinstance(right, complex):
        return left + right if isinstance(node.op, ast.Add) else left - right
    raise NotALiteral("arithmetic")


def literal_value(text: str) -> object:
    """Value of ``text`` as a literal; raises ``NotALiteral``."""
    node = parse_expression(text)
    if node is None:
        raise NotALiteral("not an expression")
    try:
        return evaluate(node)
    except RecursionError as error:
        raise NotALiteral("too deep") from error


def is_literal(text: str) -> bool:
    try:
        literal_value(text)
    except NotALiteral:
        return False
    return True


def literal_at(text: str, start: int) -> tuple[str, int] | None:
    """The literal that begins at ``start`` (spelled for Python) and the offset after it; ``None`` where none does.

    ``true``, ``false`` and ``null`` are read as Python's only because nothing else in Python is spelled so.
    """
    if start >= len(text):
        return None
    if text[start] in "([{":
        end = balanced_end(text, start)
    elif _STRING.match(text, start):
        end = string_end(text, start)
    elif match := _CALLED.match(text, start):
        end = balanced_end(text, match.end() - 1)
    elif match := _NAMED.match(text, start) or _NUMBER.match(text, start):
        end = match.end()
    elif match := _FOREIGN.match(text, start):
        return _FOREIGN_VALUES[match.group()], match.end()
    else:
        return None
    if end is None:
        return None
    source = text[start:end]
    if is_literal(source):
        return (source, end) if not _open_parenthesis(source) else None
    return _spelled_for_python(source, end)


def _open_parenthesis(source: str) -> bool:
    """``("Venus")`` may mean a string or a tuple of one: nothing follows from it."""
    if not source.startswith("("):
        return False
    node = parse_expression(source)
    return not isinstance(node, ast.Tuple)


def _spelled_for_python(source: str, end: int) -> tuple[str, int] | None:
    """``[true, null]`` as JSON writes it; refused where a string holds such a word, because then it is a guess."""
    if source[0] not in "[{" or re.search(r"""['"][^'"]*\b(?:true|false|null)\b[^'"]*['"]""", source):
        return None
    spelled = re.sub(r"\b(?:true|false|null)\b", lambda match: _FOREIGN_VALUES[match.group()], source)
    return (spelled, end) if is_literal(spelled) else None


def canonical(value: object) -> str:
    """Source text of a value made of Python's plain types, the same for equal values of equal types.

    Sets are written in a stable order, infinities and NaN as calls. Raises ``NotALiteral`` for any other type.
    """
    if isinstance(value, str | bytes):
        return _quoted(repr(value))
    if value is None or isinstance(value, bool | int):
        return repr(value)
    if isinstance(value, float):
        return repr(value) if value - value == 0 else f'float("{value}")'
    if isinstance(value, complex):
        if value.real - value.real == 0 and value.imag - value.imag == 0:
            return repr(value)
        raise NotALiteral("complex infinity")
    if isinstance(value, list):
        return f"[{', '.join(canonical(item) for item in value)}]"
    if isinstance(value, tuple):
        return f"({', '.join(canonical(item) for item in value)}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{canonical(key)}: {canonical(item)}" for key, item in value.items()) + "}"
    if isinstance(value, set | frozenset):
        inner = ", ".join(sorted(canonical(item) for item in value))
        if isinstance(value, frozenset):
            return f"frozenset({{{inner}}})" if inner else "frozenset()"
        return f"{{{inner}}}" if inner else "set()"
    if isinstance(value, bytearray):
        return f"bytearray({_quoted(repr(bytes(value)))})"
    raise NotALiteral(type(value).__name__)


def _quoted(shown: str) -> str:
    """A string's repr with double quotes where that needs no more escapes, as formatters write it."""
    prefix = "b" if shown.startswith("b") else ""
    body = shown[len(prefix) + 1 : -1]
    if shown[-1] == '"' or '"' in body:
        return shown
    inner = body.replace("\\'", "'")
    return f'{prefix}"{inner}"'
