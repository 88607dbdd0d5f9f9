"""A test function for each promise; its assertion compares as strictly as the repository's words allow."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

from qverify_desktop.domain.project import Project, Promise, PromiseRelation, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin, Quote
from qverify_desktop.languages import syntax
from qverify_desktop.languages.python.codebase import bound_names
from qverify_desktop.languages.python.literals import NotALiteral, canonical, literal_value, parse_expression
from qverify_desktop.languages.python.placing import test_path

_FORMS: Mapping[str, str] = {
    "doctest": "doctest",
    "==": "equals",
    "=": "equals",
    "->": "gives",
    "→": "gives",
    "=>": "gives",
    "==>": "gives",
    "# =>": "comment",
    "#": "comment",
    "returns": "returns",
    "is": "is",
    ":": "gives",
    "raises": "raises",
    "Input/Output": "input_output",
    "for … the result should be": "sentence",
    "stated": "stated",
    "inverse of": "inverse",
}
#: With at least this many digits a decimal fraction is taken as exact, not as rounded by a person.
_EXACT_DIGITS = 13
_ESCAPED = re.compile(r"\\[xuU][0-9a-fA-F]{2}")
_TEXT_MARK = re.compile(r"(?<![\w'\"])u(?=['\"])")
_FLOAT = re.compile(r"^[+-]?(\d[\d_]*)?\.(\d[\d_]*)?(?:[eE]([+-]?\d+))?$")


def write_promise_tests(
    project: Project, targets: Sequence[Target], promises: Sequence[Promise]
) -> list[GeneratedTest]:
    """One test a promise, label ``specification``, the promise's words as its quote."""
    by_id = {target.id: target for target in targets}
    counts: dict[tuple[str, str], int] = {}
    tests: list[GeneratedTest] = []
    for promise in promises:
        target = by_id.get(promise.target)
        if target is None:
            continue
        path = test_path(project, target, "promises")
        stem = f"test_{identifier(target.symbol)}_{_FORMS.get(promise.form, 'says')}"
        counts[path, stem] = counts.get((path, stem), 0) + 1
        test = _test(promise, target, path, f"{stem}_{counts[path, stem]}", _knows_arrays(project))
        if test is not None:
            tests.append(test)
    return tests


def identifier(symbol: str) -> str:
    """A symbol as a part of a function's name."""
    return re.sub(r"\W|^(?=\d)", "_", symbol.replace(".", "_"), flags=re.ASCII).strip("_") or "value"


def _knows_arrays(project: Project) -> bool:
    """Whether truth values may be NumPy's, which print like Python's and are not the same objects."""
    return any(
        re.match(r"(?i)(?:numpy|pandas|scipy|torch|jax|tensorflow|polars)\b", item) for item in project.dependencies
    )


def _test(promise: Promise, target: Target, path: str, name: str, loose: bool) -> GeneratedTest | None:
    prelude: list[str] = []
    body: list[str] = []
    for statement in promise.setup:
        if _may_stand_above(statement, target.module):
            prelude.append(statement)
        else:
            body.extend(statement.splitlines())
    written = _assertion(promise, loose)
    if written is None:
        return None
    arguments, lines, needs_pytest = written
    if needs_pytest:
        prelude.insert(0, "import pytest")
    if body and promise.relation is PromiseRelation.PRINTS:
        # What the statements before print is not what the call prints.
        body.append("capsys.readouterr()")
    body.extend(lines)
    code = "\n".join([f"def {name}({arguments}):", *(f"    {line}" if line else "" for line in body)])
    intact = _intact(code, body)
    if intact is None:
        return None
    return GeneratedTest(
        path=path,
        name=name,
        code=intact,
        target=target.id,
        label=Label.SPECIFICATION,
        origin=Origin.PROMISE,
        prelude=tuple(dict.fromkeys(prelude)),
        call=promise.call,
        expected=promise.expected,
        quote=Quote(promise.words, promise.file, promise.line),
    )


def _intact(code: str, body: Sequence[str]) -> str | None:
    """The code, unless indenting changed a string that goes over several lines."""
    try:
        inside = syntax.parse(code).body[0]
        flat = syntax.parse("\n".join(body))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(inside, ast.FunctionDef):
        return None
    if [ast.dump(node) for node in inside.body] == [ast.dump(node) for node in flat.body]:
        return code
    header = code.split("\n", 1)[0]
    written = "\n".join(ast.unparse(node) for node in flat.body)
    return "\n".join([header, *(f"    {line}" for line in written.split("\n"))])


def _may_stand_above(statement: str, module: str) -> bool:
    """Whether an import may be shared by the whole file: names of the target's own module, which can't clash."""
    try:
        body = syntax.parse(statement).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    if len(body) != 1 or not isinstance(body[0], ast.ImportFrom) or body[0].module != module:
        return False
    names = bound_names(body[0])
    plain = all(alias.asname is None for alias in body[0].names)
    # pytest would collect an imported name that looks like a test.
    return plain and not any(name.lower().startswith("test") or name in ("observed", "pytest") for name in names)


def _assertion(promise: Promise, loose: bool) -> tuple[str, list[str], bool] | None:
    """Parameters of the test, its lines, and whether it needs ``pytest``."""
    if promise.relation is PromiseRelation.RAISES:
        return "", [f"with pytest.raises({promise.expected}):", *_indented(promise.call)], True
    if promise.relation is PromiseRelation.PRINTS:
        shown = promise.expected.rstrip("\n")
        check = f"assert observed.rstrip() == {canonical(shown.rstrip())}"
        lines = [*promise.call.splitlines(), "observed = capsys.readouterr().out", check]
        return "capsys", lines, False
    lines = _assigned(promise.call)
    try:
        value = literal_value(promise.expected)
        canonical(value)
    except NotALiteral:
        return "", [*lines, *_shown(promise.expected)], False
    if isinstance(value, bool) or value is None:
        operator = "==" if (loose or promise.form == "==") and value is not None else "is"
        if _spelled_loosely(promise):
            return "", [*lines, f"assert bool(observed) is {value!r}"], False
        return "", [*lines, f"assert observed {operator} {value!r}"], False
    expected, approximate = _expected(promise.expected)
    if isinstance(value, float) and value != value:
        return "", [*lines, "assert observed != observed"], False
    return "", [*lines, f"assert observed == {expected}"], approximate


def _spelled_loosely(promise: Promise) -> bool:
    """``returns true`` in prose promises a truth, not the object ``True``."""
    return promise.expected in ("True", "False") and promise.expected not in promise.words


_DATED = re.compile(r"datetime\.(?:timedelta|datetime|date|time)\([^\n]{0,300}\)$")
_DATED_NAME = re.compile(r"\bdatetime\.(?=[a-z]+\()")
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
#: Names that are neither attributes nor keywords of a call.
_NAMES = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w|\s*=)")


def _shown(expected: str) -> list[str]:
    standard = ("OrderedDict(", "Counter(", "deque(", "Decimal(", "Fraction(")
    if expected.startswith(standard):
        return [f"assert observed == {expected}"]
    if _DATED.match(expected) and set(_NAMES.findall(_QUOTED.sub("", expected))) == {"datetime"}:
        # A date is the same however a version of Python shows it: ``timedelta(1, 5)`` and ``timedelta(days=1, seconds=5)``.
        return ["import datetime as dt", f"assert observed == {_DATED_NAME.sub('dt.', expected)}"]
    # The interpreter shows an object by its repr; that is all the words promise. Python 2 showed text with a ``u``.
    text = _TEXT_MARK.sub("", expected)
    # Which quotes a text has in a repr is the interpreter's choice, and what is not ASCII may stand there as an escape
    # (``doctest.OutputChecker`` compares both so).
    texts, shown = [text, _requoted(text)], "repr"
    if not text.isascii() or _ESCAPED.search(text):
        texts, shown = [one.encode("ascii", "backslashreplace").decode() for one in texts], "ascii"
    known = list(dict.fromkeys(texts))
    if len(known) == 1:
        return [f"assert {shown}(observed) == {canonical(known[0])}"]
    return [f"assert {shown}(observed) in ({', '.join(canonical(one) for one in known)})"]


def _requoted(text: str) -> str:
    """An expression with its texts in the interpreter's own quotes; anything else as it is."""
    node = parse_expression(text)
    return text if node is None else ast.unparse(node)


def _assigned(call: str) -> list[str]:
    return f"observed = {call}".split("\n") if "\n" not in call else ["observed = (", *call.split("\n"), ")"]


def _indented(call: str) -> list[str]:
    return [f"    {line}" for line in call.split("\n")]


def _expected(text: str) -> tuple[str, bool]:
    """The expected value as source, floats within what their digits promise.

    A person who writes ``0.33`` may have rounded, and binary fractions rarely equal a short decimal one: so a float with
    fewer digits than a round trip through ``repr`` would show is compared within half a unit of its last digit (two
    decimals or more) or within ``pytest.approx``'s own relative 1e-6. With all its digits it may differ where another
    processor or library rounds a last one.
    """
    node = parse_expression(text)
    if node is None:
        return text, False
    found = False

    def written(part: ast.expr, frozen: bool) -> str:
        nonlocal found
        source = ast.get_source_segment(f"({text.strip()}\n)", part) or ast.unparse(part)
        if isinstance(part, ast.List):
            return f"[{', '.join(written(item, frozen) for item in part.elts)}]"
        if isinstance(part, ast.Tuple):
            return f"({', '.join(written(item, frozen) for item in part.elts)}{',' if len(part.elts) == 1 else ''})"
        if isinstance(part, ast.Dict):
            pairs = zip(part.keys, part.values, strict=True)
            return "{" + ", ".join(f"{canonical(_value(key))}: {written(item, frozen)}" for key, item in pairs) + "}"
        if not frozen and (tolerance := _tolerance(source)) is not None:
            found = True
            return f"pytest.approx({source}{tolerance})"
        return canonical(_value(part))

    return written(node, False), found


def _value(node: ast.expr | None) -> object:
    return literal_value(ast.unparse(node)) if node is not None else None


def _tolerance(source: str) -> str | None:
    match = _FLOAT.match(source.replace(" ", ""))
    if not match:
        return None
    whole, decimals, exponent = (match.group(1) or "").lstrip("0"), match.group(2) or "", int(match.group(3) or 0)
    if len(whole + decimals) >= _EXACT_DIGITS:
        return ", rel=1e-12"
    if len(decimals) >= 2 and decimals.strip("0"):
        return f", abs=5e{exponent - len(decimals) - 1}"
    return ""
