"""Examples that are code: ``@example`` in doc comments and fenced blocks, read as JavaScript.

A statement with its answer in the comment behind or below it (``add(1, 2); // => 3``) is a promise; what stands before it in the
block is its setup. So an example may hand over functions, objects and variables.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from qverify_desktop.domain.project import Promise, PromiseRelation, Target
from qverify_desktop.languages.examples.forms import RETRACTED
from qverify_desktop.languages.examples.passages import Passage
from qverify_desktop.languages.javascript.access import access_of
from qverify_desktop.languages.javascript.dialects import parse_code
from qverify_desktop.languages.javascript.names import GLOBALS, bound, free_names, used
from qverify_desktop.languages.javascript.speaking import JavaScriptSpeaker
from qverify_desktop.languages.tree.source import TreeSource, walk
from qverify_desktop.languages.values.notation import value_at
from qverify_desktop.languages.values.value import (
    Entries,
    Items,
    Made,
    Nothing,
    Number,
    Text,
    Truth,
    Value,
    Word,
    holds,
)

MOST_LINES = 120
MOST_A_BLOCK = 40

_STATEMENT = "expression_statement"
#: What an example does not compute but has.
_VALUES = frozenset(("arrow_function", "function_expression", "generator_function", "class", "object", "identifier"))
_NAMES = re.compile(r"[A-Za-z_$][\w$]{0,80}(?:\.[A-Za-z_$][\w$]{0,80}){0,5}")
_FENCE = re.compile(r"^\s{0,20}(?:```|~~~)\s?([\w-]{0,20})")
_TAGS = frozenset(("", "js", "javascript", "jsx", "mjs", "cjs", "node", "ts", "typescript", "tsx"))
_EXAMPLE = re.compile(r"^\s{0,20}@example\b(?:\s{0,9}<caption>.{0,300}</caption>)?(.*)$")
_EFFECT = re.compile(
    r"^\s{0,20}(?:[A-Za-z_$][\w$]{0,80}\.){0,4}([A-Za-z_$][\w$]{0,80})\((?:\s{0,9}|[^=>→/]{0,200}[({,\[]\s{0,9})$"
)
_TAG = re.compile(r"^\s{0,20}@[A-Za-z]")
#: A text of a moment that names its distance from UTC, and a date of the author's own time zone.
ZONED = re.compile(r"\d\d:\d\d[\d:.]{0,12}\s?(?:Z|[+-]\d\d:?\d\d)\b")
LOCAL = re.compile(r"\bnew Date\(\s{0,9}\d{1,6}\s{0,9},")
_MARKER = re.compile(
    r"\s{0,9}(?:(?P<arrow>[-=]+>|[→➞⟶⇒]|>>)|(?P<word>(?:(?:it\s+)?(?:should\s+)?returns?|gives?|outputs?|prints?|logs?"
    r"|results?(?:\s+in)?|evaluates\s+to|is)\b\s{0,3}:?|[=]{2,3}))?\s{0,9}",
    re.IGNORECASE,
)
_RAISES = re.compile(
    r"\s{0,9}(?:[-=]+>|[→➞⇒])?\s{0,9}(?:throws?|raises?|uncaught)\b\s{0,3}:?\s{0,3}(?:an?\s+)?(?:new\s+)?([A-Z]\w{0,60}(?:Error|Exception))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Block:
    """Code of a passage: its lines from ``start`` on (index into the passage's lines)."""

    passage: Passage
    start: int
    lines: tuple[str, ...]


def block_promises(
    passages: Iterable[Passage], targets: Sequence[Target]
) -> tuple[list[Promise], set[tuple[str, int]]]:
    """The promises of every block, in their order, and the places (file, line) before which code stands that can't be read."""
    by_name: dict[str, list[Target]] = defaultdict(list)
    for target in targets:
        if access_of(target) is not None:
            by_name[target.symbol.rpartition(".")[2]].append(target)
    promises: list[Promise] = []
    unsure: set[tuple[str, int]] = set()
    for passage in passages:
        for block in blocks_of(passage):
            promises += _promises(block, by_name, unsure)
    return promises, unsure


def blocks_of(passage: Passage) -> Iterator[Block]:
    """``@example`` sections and fenced blocks of JavaScript or TypeScript."""
    lines = passage.lines
    index = 0
    while index < len(lines):
        example, fence = _EXAMPLE.match(lines[index]), _FENCE.match(lines[index])
        if example:
            end = index + 1
            while end < len(lines) and not _TAG.match(lines[end]):
                end += 1
            inside = [example.group(1), *lines[index + 1 : end]]
            # A fence inside of an example is only its frame.
            yield Block(passage, index, tuple("" if _FENCE.match(line) else line for line in inside[:MOST_LINES]))
            index = end
        elif fence:
            end = index + 1
            while end < len(lines) and not _FENCE.match(lines[end]):
                end += 1
            if fence.group(1).lower() in _TAGS:
                yield Block(passage, index + 1, tuple(lines[index + 1 : min(end, index + MOST_LINES)]))
            index = end + 1
        else:
            index += 1


def _promises(block: Block, by_name: dict[str, list[Target]], unsure: set[tuple[str, int]]) -> Iterator[Promise]:
    text = "\n".join(block.lines)
    source = parse_code(text, "example.ts") or parse_code(text, "example.jsx")
    unsure |= {
        (block.passage.file, block.passage.first + block.start + row)
        for row in range(_unsure_from(block, source, by_name), len(block.lines))
    }
    if source is None:
        return
    setup: list[Node] = []
    nodes = source.root.named_children
    count = 0
    for position, node in enumerate(nodes):
        if node.type == "comment":
            continue
        comment = _answer(nodes, position)
        promise = _promise(block, source, node, comment, setup, by_name) if comment is not None else None
        if promise is not None:
            count += 1
            yield promise
        if count >= MOST_A_BLOCK:
            return
        if not (
            _is_import(source, node) or _is_row(node) or (promise is not None and _leaves_nothing(promise, node))
        ):
            setup.append(node)


def _unsure_from(block: Block, source: TreeSource | None, by_name: Mapping[str, object]) -> int:
    """The row behind the first call of one of the project's functions that stands there for its effect alone."""
    if source is None:
        # Not JavaScript as a whole: a call that no answer follows on its line.
        for row, line in enumerate(block.lines):
            match = _EFFECT.match(line)
            if match and match[1] in by_name:
                return row + 1
        return len(block.lines)
    nodes = source.root.named_children
    for position, node in enumerate(nodes):
        called = node.named_children[0] if node.type == _STATEMENT and node.named_child_count else None
        if called is not None and called.type == "call_expression" and _answer(nodes, position) is None:
            name, _ = _called(source, called.child_by_field_name("function"))
            if name in by_name:
                return node.end_point[0] + 1
    return len(block.lines)


def _leaves_nothing(promise: Promise, node: Node) -> bool:
    """Whether nothing that follows can rest on an example: it raises, or it calls with nothing that the block made."""
    return node.type == _STATEMENT and (promise.relation is PromiseRelation.RAISES or not promise.setup)


def _is_row(node: Node) -> bool:
    """``f(1), // 2`` and the next below it: examples with commas between them, which nothing rests on."""
    return any(child.type == "sequence_expression" for child in node.named_children[:1])


def _answer(nodes: Sequence[Node], position: int) -> Node | None:
    """The comment behind a statement on its last line, or alone below it."""
    node = nodes[position]
    following = nodes[position + 1] if position + 1 < len(nodes) else None
    if following is None or following.type != "comment":
        return None
    return following if following.start_point[0] - node.end_point[0] in (0, 1) else None


def _is_import(source: TreeSource, node: Node) -> bool:
    text = source.slice(node)[:500]
    # ``require("range").curry(0, 9)`` is what a function of the module gives.
    made = re.search(r"\brequire\([^()]{0,200}\)(?:\.[\w$]{1,80}){1,3}\(", text)
    return node.type == "import_statement" or (made is None and bool(re.search(r"\brequire\(", text)))


def _promise(
    block: Block,
    source: TreeSource,
    node: Node,
    comment: Node,
    setup: Sequence[Node],
    by_name: dict[str, list[Target]],
) -> Promise | None:
    expression = _expression(node)
    if expression is None or node.has_error:
        return None
    printed = _printed(source, expression)
    inner = printed if printed is not None else expression
    found = _target(block, source, inner, setup, by_name)
    if found is None:
        return None
    target, call = found
    if inner.type in _VALUES or inner.type == "sequence_expression":
        # ``f(1), // 2`` and so on, one below the other: of several values the last counts, and each has words of its own.
        return None
    said = source.slice(comment)
    behind = comment.start_point[0] == node.end_point[0]
    if not said.startswith("//") or "\n" in said:
        return None
    read = _read(said.removeprefix("//"), target, printed=printed is not None, behind=behind)
    if read is None:
        return None
    relation, expected = read
    if ZONED.search(call) and LOCAL.search(expected):
        # True where the author lives.
        return None
    statements = _needed(source, setup, call, target)
    if statements is None:
        return None
    first, last = block.start + node.start_point[0], block.start + comment.end_point[0]
    return Promise(
        target=target.id,
        call=call,
        expected=expected,
        relation=relation,
        words=block.passage.words(first, last),
        file=block.passage.file,
        line=block.passage.first + first,
        form="@example",
        setup=tuple(statements),
    )


def _expression(node: Node) -> Node | None:
    """What a statement computes: of an expression itself, of ``const x = …`` the value."""
    if node.type == "expression_statement" and node.named_child_count:
        inner = node.named_children[0]
        return None if inner.type in ("assignment_expression", "augmented_assignment_expression") else inner
    if node.type in ("lexical_declaration", "variable_declaration"):
        declarators = [child for child in node.named_children if child.type == "variable_declarator"]
        if len(declarators) == 1:
            return declarators[0].child_by_field_name("value")
    return None


def _printed(source: TreeSource, expression: Node) -> Node | None:
    """The single argument of ``console.log``."""
    if expression.type != "call_expression" or source.field(expression, "function") != "console.log":
        return None
    arguments = expression.child_by_field_name("arguments")
    given = [child for child in arguments.named_children if child.type != "comment"] if arguments is not None else []
    return given[0] if len(given) == 1 and given[0].type != "spread_element" else None


def _target(
    block: Block, source: TreeSource, expression: Node, setup: Sequence[Node], by_name: dict[str, list[Target]]
) -> tuple[Target, str] | None:
    """The target that an expression calls, and the expression with its name as a test can say it."""
    own = block.passage.owner
    declared = {name for node in setup for name in bound(source, node)}
    for node in walk(expression):
        if node.type != "call_expression":
            continue
        callee = node.child_by_field_name("function")
        name, qualifier = _called(source, callee)
        if not qualifier and name in GLOBALS:
            # ``isNaN(undefined)`` beside ``_.isNaN(undefined)`` is the language's own.
            continue
        candidates = by_name.get(name, [])
        if qualifier in declared or (not qualifier and name in declared):
            # A method of something that the block made, with the class named in it.
            said = {name for node in setup for name in used(source, node)}
            candidates = [one for one in candidates if one.callee == "method" and one.symbol.split(".")[-2] in said]
            replaced = ""
        elif callee is not None and callee.type in ("identifier", "member_expression"):
            last = qualifier.rpartition(".")[2]
            owned = [one for one in candidates if "." in one.symbol and one.symbol.split(".")[-2] == last]
            homes = {one.file for one in by_name.get(last, ())} if len(last) > 1 else set()
            # ``braces.expand`` hangs on the function ``braces``; what another file calls ``expand`` is something else.
            candidates = owned or [
                one for one in candidates if "." not in one.symbol and (not homes or one.file in homes)
            ]
            replaced = "named"
        else:
            continue
        if own is not None and own in candidates:
            candidates = [own]
        if len(candidates) != 1:
            continue
        target = candidates[0]
        access = access_of(target)
        if access is None or callee is None or target.callee == "property":
            return None
        text = source.slice(expression)
        if replaced:
            start, end = callee.start_byte - expression.start_byte, callee.end_byte - expression.start_byte
            data = source.data[expression.start_byte : expression.end_byte]
            text = (data[:start] + access.expression.encode() + data[end:]).decode("utf-8", "replace")
        return target, text
    return None


def _called(source: TreeSource, callee: Node | None) -> tuple[str, str]:
    """Name and qualifier of what is called."""
    if callee is None:
        return "", ""
    if callee.type == "identifier":
        return source.slice(callee), ""
    if callee.type == "member_expression" and _NAMES.fullmatch(source.field(callee, "object")):
        return source.field(callee, "property"), source.field(callee, "object")
    # A method of what another call gave is not the function of that name.
    return "", ""


def _needed(source: TreeSource, setup: Sequence[Node], call: str, target: Target) -> list[str] | None:
    """The statements before the call; ``None`` where something is named that a test does not know."""
    access = access_of(target)
    known = set(GLOBALS) | ({access.root} if access is not None else set())
    statements: dict[str, frozenset[str]] = {}
    for node in setup:
        if _printed(source, _expression(node) or node) is not None:
            continue
        names = frozenset(bound(source, node))
        # One block may show several scenes, each with its own ``const list = …``: the last one counts, and what was done with
        # the one before it is over.
        statements = {text: named for text, named in statements.items() if not named & names}
        statements[source.slice(node)] = names | frozenset(used(source, node) if node.type == _STATEMENT else ())
        known |= names
    code = "\n".join([*statements, f"({call});"])
    parsed = parse_code(code, "example.ts") or parse_code(code, "example.jsx")
    if parsed is None or free_names(parsed) - known:
        return None
    return list(statements)


def _read(said: str, target: Target, *, printed: bool, behind: bool) -> tuple[PromiseRelation, str] | None:
    """Relation and expectation of an answer's words."""
    raised = _RAISES.match(said)
    if raised:
        name = raised.group(1) or ""
        after = said[raised.end() :].strip()
        return (PromiseRelation.RAISES, name) if name or not after else None
    marker = _MARKER.match(said)
    start = marker.end() if marker else 0
    arrow = bool(marker and marker["arrow"])
    marked = arrow or bool(marker and marker["word"])
    if not behind and not arrow:
        return None
    if RETRACTED.search(re.sub(r"\"[^\"\n]{0,400}\"|'[^'\n]{0,400}'", " ", said[start:])):
        return None
    found = value_at(said, start)
    whole = found is not None and _ends(said[found[1] :], loosely=arrow)
    if found is not None and whole and not isinstance(found[0], Word) and not holds(found[0], Word):
        return _valued(found[0], target, printed)
    rest = said[start:].strip()
    if printed and marked and rest and not holds_structure(rest):
        return PromiseRelation.PRINTS, rest
    return None


def holds_structure(text: str) -> bool:
    """Whether printed words look like a structure that Node.js shows in its own way, or are shortened."""
    return bool(re.search(r"[\[\]{}<>…]|\.\.\.", text))


def _ends(rest: str, *, loosely: bool) -> bool:
    plain = rest.strip()
    return plain in ("", ".", ";") or (loosely and bool(re.match(r"\s{0,9}(?:[;(]|//|-\s|—)", rest)))


def _valued(value: Value, target: Target, printed: bool) -> tuple[PromiseRelation, str] | None:
    # What is printed does not tell a number from its digits.
    if printed and isinstance(value, Number) and value.whole:
        return PromiseRelation.PRINTS, value.text
    if printed and isinstance(value, Truth):
        return PromiseRelation.PRINTS, "true" if value.value else "false"
    if printed and isinstance(value, Nothing):
        return PromiseRelation.PRINTS, value.word
    if isinstance(value, Items | Entries | Made | Number | Text | Truth | Nothing):
        expected = JavaScriptSpeaker().answer(target, value)
        return None if expected is None else (PromiseRelation.EQUALS, expected)
    return None
