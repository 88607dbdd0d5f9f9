"""Mining: every example that the repository itself writes down, bound to the function it speaks of.

Precision comes first. An example is taken only when it can be read in one way: a call that leads to a known target, with
arguments that stand there in full, and an expected value that is a literal. Where two examples of the same call disagree,
the repository's words contradict each other and neither is taken; so do words that name a domain and an example outside of it.
"""

from __future__ import annotations

import ast
import builtins
import re
import textwrap
from collections.abc import Generator, Iterator, Sequence

from qverify_desktop.domain.project import Project, Promise, PromiseRelation, Snapshot, Target
from qverify_desktop.languages import syntax
from qverify_desktop.languages.examples.domain import all_read, doubted
from qverify_desktop.languages.examples.forms import Unread
from qverify_desktop.languages.examples.forms import examples as written
from qverify_desktop.languages.python.answering import answers_by_printing
from qverify_desktop.languages.python.binding import Binder
from qverify_desktop.languages.python.codebase import Codebase, bound_names, loaded_names
from qverify_desktop.languages.python.doctests import has_prompt, session_examples, sessions
from qverify_desktop.languages.python.examples import RETRACTED, UNSTABLE, Example, find_in
from qverify_desktop.languages.python.literals import NotALiteral, canonical, literal_value, parse_expression
from qverify_desktop.languages.python.named_examples import named_examples
from qverify_desktop.languages.python.passages import Passage, passages
from qverify_desktop.languages.python.spelling import with_quotes
from qverify_desktop.languages.python.stated import stated_examples

_FENCE = re.compile(r"^\s*(```+|~~~+)\s*\{?\.?([\w+-]*)")
_PYTHON_TAGS = frozenset(
    ("", "python", "py", "python3", "pycon", "ipython", "doctest", "text", "txt", "plain", "none")
)
_DIRECTIVE = re.compile(r"^(\s*)\.\. +(?:code-block|code|sourcecode|highlight)::\s*(\S+)")
_WITHDRAWN = re.compile(
    r"(?i)\b(wrong|incorrect(?:ly)?|don'?t|do not|deprecated|before|previously|buggy|bad|old(?: way| behaviou?r)?"
    r"|instead of|not supported|no longer|javascript|ruby|perl)\b"
)
_IMPORT = re.compile(r"^\s*(?:>>>\s*|`)?((?:from\s+[\w.]+\s+import\s+[\w, ]+|import\s+[\w., ]+?))`?\s*(?:#.*)?$")
_HEADING = re.compile(r"^(#{1,6})\s+(.+)$")
_UNDERLINE = re.compile(r"^(={3,}|-{3,}|~{3,}|\^{3,})\s*$")
_ASIDE = re.compile(
    r"(?i)\b(?:change ?log|changes|history|release notes|releases|migrat\w*|upgrad\w*|what'?s new|roadmap|to ?do|planned"
    r"|known (?:issues|bugs|problems)|limitations|deprecat\w*|alternatives|comparison|other (?:languages|libraries))\b"
)
#: Notations whose own reading says what takes them back.
_MEANT = ("doctest", "stated", "inverse of")
_MOST_JOINED = 14
_MOST_STATEMENTS = 40
#: A line of at most this many characters above an example reads as its heading.
_SHORT = 40
_MOST_PROMISES_A_TARGET = 60


def find_promises(snapshot: Snapshot, project: Project, targets: Sequence[Target]) -> list[Promise]:
    """Every written example in docstrings and documentation files, in file and line order, at most 60 a target."""
    codebase = Codebase.read(snapshot, project, targets)
    found: list[Promise] = []
    for passage in passages(snapshot, codebase):
        found.extend(_mine(passage, codebase))
    doubtful = doubted(found, {target.id: target.docstring for target in targets})
    return _consistent([promise for promise in found if promise.target not in doubtful])


def unread_examples(snapshot: Snapshot, project: Project, targets: Sequence[Target]) -> list[tuple[str, int, str]]:
    """See ``Language.unread_examples``."""
    codebase = Codebase.read(snapshot, project, targets)
    names = {target.symbol.rpartition(".")[2] for target in targets}
    found: dict[tuple[str, int, str], None] = {}
    for passage in passages(snapshot, codebase):
        read = {
            promise.line + offset
            for promise in _mine(passage, codebase)
            for offset in range(promise.words.count("\n") + 1)
        }
        for item in written(passage.lines, lambda name: name.rpartition(".")[2] in names):
            line = passage.first + item.start
            open_ = isinstance(item, Unread) or not all_read(item.arguments)
            if open_ and line not in read:
                found.setdefault((passage.file, line, passage.words(item.start, item.end)[:200]))
    return list(found)


def _mine(passage: Passage, codebase: Codebase) -> Iterator[Promise]:
    binder = Binder(codebase, passage, _shown_imports(passage))
    used: set[int] = set()
    examples: list[Example] = []
    if has_prompt(passage.lines):
        examples.extend(_interactive(passage, codebase, binder, used))
    examples.extend(named_examples(passage))
    examples.extend(stated_examples(passage, lambda name: codebase.target_of(passage.module, name)))
    examples.extend(_written(passage, used))
    elsewhere = _sections_aside(passage)
    module = codebase.modules.get(passage.module)
    examples = with_quotes(examples, passage.owner, {*dir(builtins), *(module.names if module else ())})
    for example in sorted(examples, key=lambda item: (item.start, item.end)):
        if example.start in elsewhere or _taken_back(passage, example):
            continue
        promise = binder.promise(example)
        if promise is not None:
            yield promise


def _interactive(passage: Passage, codebase: Codebase, binder: Binder, used: set[int]) -> Iterator[Example]:
    def prints(node: ast.expr) -> bool | None:
        if not isinstance(node, ast.Call):
            return False
        target = binder.callee(node)
        return answers_by_printing(codebase, target) if target is not None else False

    for offset, session in sessions(passage.lines):
        for item in session:
            count = item.source.count("\n") + item.want.count("\n")
            used.update(range(offset + item.lineno, offset + item.lineno + count))
        yield from session_examples(passage.lines, offset, session, prints)


def _written(passage: Passage, used: set[int]) -> Iterator[Example]:
    """Examples outside interactive sessions: code blocks as sequences of statements, everything else line by line."""
    index = 0
    lines = passage.lines
    while index < len(lines):
        fence = _FENCE.match(lines[index])
        if fence:
            end = _fence_end(lines, index, fence.group(1))
            if fence.group(2).lower() in _PYTHON_TAGS:
                yield from _block(lines, index + 1, end, used)
            index = end + 1
            continue
        directive = _DIRECTIVE.match(lines[index])
        if directive and directive.group(2).lower() not in _PYTHON_TAGS:
            index = _indented_end(lines, index, len(directive.group(1)))
            continue
        if directive or lines[index].rstrip().endswith(":"):
            end = _indented_end(lines, index, len(lines[index]) - len(lines[index].lstrip()))
            if _is_program(lines[index + 1 : end]):
                yield from _block(lines, index + 1, end, used)
                index = end
                continue
        index = yield from _line(lines, index, used)


def _fence_end(lines: Sequence[str], start: int, mark: str) -> int:
    for index in range(start + 1, len(lines)):
        if lines[index].strip().startswith(mark[:3]) and not lines[index].strip().strip(mark[0]):
            return index
    return len(lines)


def _indented_end(lines: Sequence[str], start: int, indent: int) -> int:
    index = start + 1
    while index < len(lines) and (
        not lines[index].strip() or len(lines[index]) - len(lines[index].lstrip()) > indent
    ):
        index += 1
    return index


def _is_program(lines: Sequence[str]) -> bool:
    """Whether indented lines are statements that build on each other, not lines of prose or of single examples."""
    try:
        body = syntax.parse(textwrap.dedent("\n".join(lines))).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(node, ast.Assign | ast.Import | ast.ImportFrom | ast.With) for node in body)


def _block(lines: Sequence[str], start: int, end: int, used: set[int]) -> Iterator[Example]:
    text = lines[start:end]
    indent = min((len(line) - len(line.lstrip()) for line in text if line.strip()), default=0)
    source = "\n".join(line[indent:] for line in text)
    try:
        body = syntax.parse(source).body if not used & set(range(start, end)) else []
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        body = []
    if not body:
        index = start
        while index < end:
            index = yield from _line(lines[:end], index, used)
        return
    setup: list[str] = []
    known: set[str] = set()
    for position, node in enumerate(body):
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        segment = "\n".join(source.split("\n")[first : last + 1])
        following = source.split("\n")[last + 1].strip() if start + last + 1 < end else ""
        if following.startswith("#") and "#" not in segment:
            shown, reach = f"{segment}  {following}", last + 1
        else:
            shown, reach = segment, last
        found = find_in(shown)
        if len(found) == 1 and isinstance(node, ast.Expr | ast.Assign | ast.Assert):
            item = found[0]
            yield Example(
                item.call, item.expected, item.relation, item.form, start + first, start + reach, tuple(setup)
            )
        touched = any(name in loaded_names(node) for name in known)
        if isinstance(node, ast.Assert) or (found and isinstance(node, ast.Expr) and not touched):
            continue
        if position < _MOST_STATEMENTS:
            setup.append(ast.unparse(node))
            known |= bound_names(node) if not isinstance(node, ast.Import | ast.ImportFrom) else set()


def _line(lines: Sequence[str], index: int, used: set[int]) -> Generator[Example, None, int]:
    """Examples of one line, joined with those that follow where its brackets stay open; answers the next index."""
    if index in used:
        return index + 1
    text, reach = lines[index], index
    found = find_in(text)
    if not found and "(" in text:
        text, reach = _joined(lines, index, used)
        found = find_in(text) if reach > index else []
    for item in found:
        start = index + text[: item.start].count("\n")
        end = index + text[: item.end].count("\n")
        yield Example(item.call, item.expected, item.relation, item.form, start, end)
    return reach + 1 if found else index + 1


def _joined(lines: Sequence[str], index: int, used: set[int]) -> tuple[str, int]:
    following = lines[index + 1].strip() if index + 1 < len(lines) else ""
    if following.startswith("#") and "#" not in lines[index] and lines[index].rstrip().endswith(")"):
        text = f"{lines[index].rstrip()}  {following}"
        if any(item.form == "# =>" for item in find_in(text)):
            return f"{lines[index].rstrip()}  {following}", index + 1
    text = lines[index]
    for reach in range(index + 1, min(index + _MOST_JOINED, len(lines))):
        if not _open(text) or reach in used or not lines[reach].strip():
            return text, reach - 1
        text = f"{text}\n{lines[reach]}"
    return text, index


def _open(text: str) -> bool:
    return sum(map(text.count, "([{")) > sum(map(text.count, ")]}"))


def _shown_imports(passage: Passage) -> dict[str, str]:
    """Names that the passage imports before a reader's eyes, each with an import line of its own."""
    shown: dict[str, str] = {}
    for line in passage.lines:
        match = _IMPORT.match(line)
        if not match:
            continue
        try:
            statement = syntax.parse(match.group(1)).body[0]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        if isinstance(statement, ast.ImportFrom) and not statement.level:
            for alias in statement.names:
                renamed = f" as {alias.asname}" if alias.asname else ""
                if alias.name != "*":
                    line_of = f"from {statement.module} import {alias.name}{renamed}"
                    shown.setdefault(alias.asname or alias.name, line_of)
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                renamed = f" as {alias.asname}" if alias.asname else ""
                shown.setdefault(alias.asname or alias.name.partition(".")[0], f"import {alias.name}{renamed}")
    return shown


def _sections_aside(passage: Passage) -> frozenset[int]:
    """Lines of a documentation file below headings that speak of other versions, of plans, or of other programs."""
    if passage.module:
        return frozenset()
    lines, aside = passage.lines, set()
    depth, fenced = 0, False
    for index, line in enumerate(lines):
        fenced = fenced != bool(_FENCE.match(line))
        level, title = 0, line
        if not fenced and (match := _HEADING.match(line)):
            level, title = len(match.group(1)), match.group(2)
        elif not fenced and line.strip() and index + 1 < len(lines) and _UNDERLINE.match(lines[index + 1]):
            level = 2
        if level and (not depth or level <= depth):
            depth = level if _ASIDE.search(title) else 0
        if depth:
            aside.add(index)
    return frozenset(aside)


def _taken_back(passage: Passage, example: Example) -> bool:
    """Whether the words around an example say that it is wrong, old, uncertain, or of another language."""
    own = "\n".join(passage.lines[example.start : example.end + 1])
    remark = own.replace(example.call, " ").replace(example.expected, " ")
    if UNSTABLE.search(own) or (example.form not in _MEANT and RETRACTED.search(remark)):
        return True
    index = example.start - 1
    while index >= 0 and (not passage.lines[index].strip() or _FENCE.match(passage.lines[index])):
        index -= 1
    if index < 0 or passage.lines[index].lstrip().startswith((">>>", "...")):
        return False
    before = passage.lines[index].strip()
    introduces = before.endswith(":") or before.startswith("#") or len(before) <= _SHORT
    return bool(introduces and not find_in(before) and _WITHDRAWN.search(before))


def _consistent(promises: Sequence[Promise]) -> list[Promise]:
    """Without repetitions, without calls that are promised two different answers, at most so many a target."""
    answers: dict[tuple[str, str, tuple[str, ...]], set[str]] = {}
    for promise in promises:
        answers.setdefault(_key(promise), set()).add(_answer(promise))
    chosen: dict[tuple[str, str, tuple[str, ...]], Promise] = {}
    for promise in promises:
        first = chosen.setdefault(_key(promise), promise)
        if promise.form == "doctest" and first.form != "doctest":
            # Of two notations of the same example the one with the stricter meaning stands for both.
            chosen[_key(promise)] = promise
    kept: list[Promise] = []
    counts: dict[str, int] = {}
    for key, promise in chosen.items():
        count = counts.get(promise.target, 0)
        if len(answers[key]) == 1 and count < _MOST_PROMISES_A_TARGET:
            counts[promise.target] = count + 1
            kept.append(promise)
    return kept


def _key(promise: Promise) -> tuple[str, str, tuple[str, ...]]:
    node = parse_expression(promise.call)
    statements = tuple(line for line in promise.setup if not line.startswith(("from ", "import ")))
    return (promise.target, ast.dump(node) if node is not None else promise.call, statements)


def _answer(promise: Promise) -> str:
    if promise.relation is not PromiseRelation.EQUALS:
        return f"{promise.relation}:{promise.expected}"
    try:
        return canonical(literal_value(promise.expected))
    except NotALiteral:
        return promise.expected
