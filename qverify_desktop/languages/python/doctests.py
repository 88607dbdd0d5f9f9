"""Interactive examples (``>>>``) as ``doctest`` reads them: sessions, expected values, tracebacks, printed text."""

from __future__ import annotations

import ast
import contextlib
import doctest
import re
from collections.abc import Callable, Sequence

from qverify_desktop.domain.project import PromiseRelation
from qverify_desktop.languages import syntax
from qverify_desktop.languages.python.codebase import bound_names, loaded_names
from qverify_desktop.languages.python.examples import UNSTABLE, Example, find_in
from qverify_desktop.languages.python.literals import is_literal, parse_expression

_PARSER = doctest.DocTestParser()
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_GLUED = re.compile(r"^(\s*(?:>>>|\.\.\.))(?=[^\s>.])")
_REPR = re.compile(r"^(?:<[^\n]+>|[A-Za-z_][\w.]*\(.*\))$", re.DOTALL)
_TRACEBACK = re.compile(r"^(?:\s*\S.*\n)*?([A-Za-z_][\w.]*)(?::\s?(.*))?\Z", re.DOTALL)
#: ``> f(x)``: a prompt that lost its other marks, so what follows is no answer.
_HALF_PROMPT = re.compile(r"^>{1,2} ?[A-Za-z_][\w.]*\(", re.MULTILINE)
_MOST_STATEMENTS = 60


def has_prompt(lines: Sequence[str]) -> bool:
    return any(line.lstrip().startswith(">>>") for line in lines)


def sessions(lines: Sequence[str]) -> list[tuple[int, list[doctest.Example]]]:
    """The text as interactive sessions: (line offset, examples). One session where ``doctest`` can read the whole.

    A text that it refuses (inconsistent indentation somewhere) is read paragraph by paragraph instead, so that one bad
    example does not silence the others.
    """
    # The end of a code fence is no printed answer.
    fixed = ["" if _FENCE.match(line) else _GLUED.sub(r"\1 ", line.expandtabs()) for line in lines]
    if len(fixed) > 1 and fixed[0].startswith(">>>"):
        # A docstring's first line has no indentation of its own.
        following = next((line for line in fixed[1:] if line.strip()), "")
        fixed[0] = " " * (len(following) - len(following.lstrip())) + fixed[0]
    whole = _parse("\n".join(fixed) + "\n")
    if whole is not None:
        return [(0, whole)]
    found, start = [], 0
    for index in [*(i for i, line in enumerate(fixed) if not line.strip()), len(fixed)]:
        chunk = _parse("\n".join(fixed[start:index]) + "\n") if index > start else None
        if chunk:
            found.append((start, chunk))
        start = index + 1
    return found


def _parse(text: str) -> list[doctest.Example] | None:
    try:
        return _PARSER.get_examples(text)
    except (ValueError, IndexError, RecursionError):
        return None


def session_examples(
    lines: Sequence[str], offset: int, session: Sequence[doctest.Example], prints: Callable[[ast.expr], bool | None]
) -> list[Example]:
    """The promises of one session.

    ``prints`` tells of an expression whether it prints its answer (``True``), returns it (``False``), or whether that is
    unknown (``None``), in which case its expectation is left alone.
    """
    found: list[Example] = []
    history: list[str] = []
    stateful = _repeated(session)
    if _counts_elsewhere(stateful, session):
        return []
    showing = _showing(session)
    for position, item in enumerate(session):
        if item.options.get(doctest.SKIP) or position >= _MOST_STATEMENTS:
            history.append(item.source.strip())
            continue
        start = offset + item.lineno
        end = start + item.source.count("\n") - 1 + item.want.count("\n")
        example = _read(item, start, end, lines, prints, showing)
        if example is not None:
            setup = history if stateful else _needed(history, session[:position], example.call, prints)
            found.append(
                Example(
                    example.call, example.expected, example.relation, example.form, start, example.end, tuple(setup)
                )
            )
        if item.exc_msg is None:
            history.append(item.source.strip())
    return found


def _showing(session: Sequence[doctest.Example]) -> frozenset[str]:
    """Names under which a session calls ``pprint``, which shows a value: ``from pprint import pprint as show``."""
    names = {"pprint", "pprint.pprint", "pprint.pp"}
    for item in session:
        try:
            body = syntax.parse(item.source).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in body:
            if isinstance(node, ast.ImportFrom) and node.module == "pprint":
                names |= {alias.asname or alias.name for alias in node.names if alias.name in ("pprint", "pp")}
    return frozenset(names)


#: A comment of the author's behind what is printed: doctest itself would take it for output.
_REMARK = re.compile(r"\S\s{1,40}#(?:\s|[a-z])")


def _read(
    item: doctest.Example,
    start: int,
    end: int,
    lines: Sequence[str],
    prints: Callable[[ast.expr], bool | None],
    showing: frozenset[str],
) -> Example | None:
    source, want = item.source.strip(), item.want.rstrip("\n")
    node = _single_expression(source)
    if item.exc_msg is not None:
        return _traceback(item, source, start, end)
    if node is None:
        return None
    if not want:
        return _without_want(source, start, end, lines)
    if "..." in want or UNSTABLE.search(want) or _HALF_PROMPT.search(want) or want.lstrip().startswith("#"):
        return None
    call = ast.get_source_segment(source, node) or source
    shown = _shown(node, showing)
    if shown is not None and is_literal(want):
        # The order of keys and the breaks of lines are the printer's, not the function's.
        value = ast.get_source_segment(source, shown) or source
        return Example(value, want.strip(), PromiseRelation.EQUALS, "doctest", start, end)
    if shown is not None or (isinstance(node, ast.Call) and ast.unparse(node.func) == "print"):
        if _REMARK.search(want):
            return None
        text = want.replace("<BLANKLINE>", "")
        return Example(call, text, PromiseRelation.PRINTS, "doctest", start, end)
    printed = prints(node)
    if printed is None:
        return None
    if printed:
        return Example(call, want.replace("<BLANKLINE>", ""), PromiseRelation.PRINTS, "doctest", start, end)
    literal = is_literal(want)
    if literal and want.strip() == "True" and (split := _equality(source, node)):
        return Example(split[0], split[1], PromiseRelation.EQUALS, "==", start, end)
    if literal or _is_repr(want):
        return Example(call, want.strip(), PromiseRelation.EQUALS, "doctest", start, end)
    return None


def _is_repr(want: str) -> bool:
    text = want.strip()
    if not _REPR.match(text) or "\n" in text:
        return False
    return text.startswith("<") or parse_expression(text) is not None


def _single_expression(source: str) -> ast.expr | None:
    try:
        body = syntax.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if len(body) == 1 and isinstance(body[0], ast.Expr):
        return body[0].value
    return None


def _shown(node: ast.expr, showing: frozenset[str]) -> ast.expr | None:
    """The value that ``pprint(value)`` shows."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute) and len(node.args) == 1:
        return node.args[0] if ast.unparse(node.func) in showing else None
    return None


def _equality(source: str, node: ast.expr) -> tuple[str, str] | None:
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq):
        return None
    left = ast.get_source_segment(source, node.left)
    right = ast.get_source_segment(source, node.comparators[0])
    if left and right and is_literal(right) and not is_literal(left):
        return left, right
    return None


def _without_want(source: str, start: int, end: int, lines: Sequence[str]) -> Example | None:
    """``>>> f(x) == y`` and ``>>> f(x)  # returns y``: nothing would be printed, but a person reads a promise."""
    shown = source
    following = end + 1
    if "#" not in source and following < len(lines):
        comment = re.match(r"\s*>>>\s*(#.*)$", lines[following])
        if comment:
            shown, end = f"{source}  {comment.group(1)}", following
    found = find_in(shown)
    if len(found) != 1 or found[0].start != 0 or found[0].relation is not PromiseRelation.EQUALS:
        return None
    example = found[0]
    if example.form not in ("==", "# =>", "#"):
        return None
    return Example(example.call, example.expected, example.relation, example.form, start, end)


def _traceback(item: doctest.Example, source: str, start: int, end: int) -> Example | None:
    match = _TRACEBACK.match((item.exc_msg or "").rstrip("\n"))
    if not match or _single_expression(source) is None:
        return None
    name = match.group(1).rpartition(".")[2]
    return Example(source, name, PromiseRelation.RAISES, "doctest", start, end) if name else None


def _repeated(session: Sequence[doctest.Example]) -> list[ast.expr]:
    """Expressions that are shown with different answers: every earlier line counts for them."""
    answers: dict[str, str] = {}
    repeated = []
    for item in session:
        source = item.source.strip()
        node = _single_expression(source) if item.want else None
        if node is not None and answers.setdefault(source, item.want) != item.want:
            repeated.append(node)
    return repeated


def _counts_elsewhere(repeated: Sequence[ast.expr], session: Sequence[doctest.Example]) -> bool:
    """Whether what changes the answers lies outside the session, where other tests change it too: ``next_id()``."""
    bound: set[str] = set()
    for item in session:
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            tree = syntax.parse(item.source)
            bound |= set() if _only_imports(tree) else bound_names(tree)
    return any(not loaded_names(node) & bound for node in repeated)


def _needed(
    history: Sequence[str],
    session: Sequence[doctest.Example],
    call: str,
    prints: Callable[[ast.expr], bool | None],
) -> list[str]:
    """Earlier statements that an example rests on: those that bind, or touch, a name that it needs.

    An earlier expression whose answer is shown, and that shares no name with this one, is another example; an earlier
    expression with no answer is kept, because it was written for its effect.
    """
    shown = {item.source.strip() for item in session if item.want}
    trees: list[tuple[str, ast.Module]] = []
    for source in history:
        try:
            trees.append((source, syntax.parse(source)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return list(history)
    bound = {name for _, tree in trees for name in bound_names(tree)}
    node = parse_expression(call)
    needed = _linked((loaded_names(node) if node is not None else set()) & bound, [tree for _, tree in trees])
    kept: list[str] = []
    for source, tree in reversed(trees):
        if _only_looks(tree):
            continue
        names = bound_names(tree) | loaded_names(tree)
        effect = source not in shown and (_configures(tree) or _has_effect(source, node, prints))
        if names & needed or effect:
            kept.append(source)
            needed |= loaded_names(tree) & bound
    return kept[::-1]


def _linked(names: set[str], trees: Sequence[ast.Module]) -> set[str]:
    """``names``, those bound beside them, and those made from them: what is done with one may show in the others.

    ``add = log.append`` holds ``log``; ``first, rest = split(text)`` may read the same iterator; a class knows its bases.
    """
    linked = set(names)
    for tree in trees:
        bound = bound_names(tree)
        if bound and (bound | loaded_names(tree)) & linked and not _only_imports(tree):
            linked |= bound
    return linked


def _only_imports(tree: ast.Module) -> bool:
    return all(isinstance(node, ast.Import | ast.ImportFrom) for node in tree.body)


def _configures(tree: ast.Module) -> bool:
    """``mp.dps = 25``: sets something up for all that follows, whatever names that has."""
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return any(isinstance(target, ast.Attribute | ast.Subscript) for target in targets)


def _only_looks(tree: ast.Module) -> bool:
    """``>>> value.attribute``: shows something and changes nothing. ``cache[key]`` may make an entry, or the newest one."""
    looks = len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr)
    return looks and not any(
        isinstance(node, ast.Call | ast.Await | ast.NamedExpr | ast.Subscript) for node in ast.walk(tree)
    )


def _has_effect(source: str, call: ast.expr | None, prints: Callable[[ast.expr], bool | None]) -> bool:
    """Whether an expression with no answer shown was written for its effect.

    A bare comparison, a call with its answer in a comment, and another call of the same returning function are examples.
    """
    node = _single_expression(source)
    if node is None or isinstance(node, ast.Compare) or find_in(source):
        return False
    if isinstance(node, ast.Call) and isinstance(call, ast.Call) and isinstance(node.func, ast.Name):
        return ast.dump(node.func) != ast.dump(call.func) or prints(node) is not False
    return True
