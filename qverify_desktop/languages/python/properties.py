"""Property tests for functions whose type hints describe plain values, drawn by Hypothesis.

They hold what a hint promises: the answer is of the annotated type, and equal arguments give an equal answer. Where two
functions of a module are named as each other's reverse, they also hold the round trip. A failure may mean no more than an
input that the code never meant to accept, so it is never counted as a defect.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from qverify_desktop.domain.project import Parameter, Project, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin, Quote
from qverify_desktop.languages.python.annotations import Hint, check, drawable, read_hint, strategy
from qverify_desktop.languages.python.placing import test_path
from qverify_desktop.languages.python.promise_tests import identifier

EXAMPLES = 60
#: A header up to this many characters stands on one line; a longer one is shown joined and would be no verbatim quote.
_ONE_LINE = 88
_EFFECTS = re.compile(
    r"(?i)(?:^|_)(?:read|write|open|load|save|send|fetch|get_?env|download|upload|delete|remove|print|log|main|run|exec"
    r"|connect|close|sleep|random|shuffle|uuid|now|today|start|stop|set|reset|register|push|pop|setup|install|input"
    r"|secret|secure|token|prompt|serve|listen|watch|clear|exit|kill|call|request|import|generate)(?:_|$)"
)
_OUTSIDE = re.compile(
    r"(?i)(?:^|_)(?:path|file|filename|dir|directory|folder|url|uri|host|port|command|cmd|sql|code|script)$"
)
_COUNTS = re.compile(
    r"(?i)^(?:n|k|m|i|count|size|length|num|times|repeat|depth|level|exp|exponent|power|width|height|limit)$"
)
_ERROR = re.compile(r"\b([A-Z]\w*(?:Error|Exception))\b")
_REVERSES = (
    ("encode", "decode"),
    ("dumps", "loads"),
    ("serialize", "deserialize"),
    ("escape", "unescape"),
    ("compress", "decompress"),
    ("pack", "unpack"),
    ("quote", "unquote"),
    ("encrypt", "decrypt"),
)
_TAKEN = frozenset(
    ("given", "settings", "seed", "st", "copy", "first", "second", "error", "repr", "isinstance", "all")
)


def write_property_tests(project: Project, targets: Sequence[Target], seed: int) -> list[GeneratedTest]:
    """Type and repeatability for each fitting function, then round trips, in the order of the targets.

    ``seed`` 0 has Hypothesis derive its choices from the test itself; any other is passed on.
    """
    fitting = {target.id: hints for target in targets if (hints := _hints(target)) is not None}
    tests = [_typed(project, target, *fitting[target.id], seed) for target in targets if target.id in fitting]
    by_name = {(target.module, target.symbol): target for target in targets if _is_plain_function(target)}
    for target in targets:
        other = _reverse_of(target, by_name)
        test = _round_trip(project, target, other, seed) if other is not None else None
        if test is not None:
            tests.append(test)
    return tests


def _is_plain_function(target: Target) -> bool:
    head = target.symbol
    plain = target.callee == "function" and "." not in head and not target.is_async and not head.startswith("_")
    return plain and not head.lower().startswith("test") and head not in _TAKEN


def _hints(target: Target) -> tuple[dict[str, Hint], Hint] | None:
    """Hints of the parameters and of the answer, ``None`` where the function is no candidate."""
    if not _is_plain_function(target) or _EFFECTS.search(target.symbol):
        return None
    answer = read_hint(target.returns) if target.returns else None
    named = [item for item in target.parameters if not item.kind.startswith("var_")]
    if answer is None or answer.name == "None" or not named:
        return None
    hints: dict[str, Hint] = {}
    for parameter in named:
        hint = read_hint(parameter.annotation) if parameter.annotation else None
        if hint is None or not drawable(hint) or _OUTSIDE.search(parameter.name):
            return None
        hints[parameter.name] = hint
    return (hints, answer) if not set(hints) & {*_TAKEN, target.symbol} else None


def _typed(project: Project, target: Target, hints: dict[str, Hint], answer: Hint, seed: int) -> GeneratedTest:
    given = ", ".join(f"{name}={strategy(hint, small=bool(_COUNTS.match(name)))}" for name, hint in hints.items())
    copied = any(hint.mutable for hint in hints.values())
    call = f"{target.symbol}({_arguments(target.parameters, hints, copied)})"
    errors = _documented(target)
    same = "repr(second) == repr(first)" if answer.has("float") or answer.name == "Iterable" else "second == first"
    body = [f"first = {call}"]
    if errors:
        names = ", ".join(f'"{name}"' for name in errors)
        body = [
            "try:",
            f"    first = {call}",
            "except Exception as error:",
            f"    if type(error).__name__ not in [{names}]:",
            "        raise",
            "    return",
        ]
    body += [f"second = {call}", f"assert {_unwrapped(check(answer, 'first'))}", f"assert {same}"]
    name = f"test_{identifier(target.symbol)}_property_types"
    return _test(
        project,
        target,
        name,
        given,
        list(hints),
        body,
        seed,
        [f"from {target.module} import {target.symbol}"],
        copied,
    )


def _unwrapped(expression: str) -> str:
    return (
        expression[1:-1]
        if expression.startswith("(") and expression.endswith(")") and expression.count("(") == 1
        else expression
    )


def _arguments(parameters: Sequence[Parameter], hints: Mapping[str, Hint], copied: bool) -> str:
    written = []
    for parameter in parameters:
        if parameter.name in hints:
            value = f"copy.deepcopy({parameter.name})" if copied and hints[parameter.name].mutable else parameter.name
            written.append(f"{parameter.name}={value}" if parameter.kind == "keyword_only" else value)
    return ", ".join(written)


def _documented(target: Target) -> list[str]:
    """Names of the errors that the docstring speaks of."""
    return sorted(set(_ERROR.findall(target.docstring)))[:10]


def _reverse_of(target: Target, by_name: Mapping[tuple[str, str], Target]) -> Target | None:
    words = target.symbol.split("_")
    for there, back in _REVERSES:
        if there in words:
            name = "_".join(back if word == there else word for word in words)
            return by_name.get((target.module, name)) if (target.module, target.symbol) in by_name else None
    if target.symbol.startswith("to_") and (target.module, target.symbol) in by_name:
        return by_name.get((target.module, f"from_{target.symbol[3:]}"))
    return None


def _round_trip(project: Project, there: Target, back: Target, seed: int) -> GeneratedTest | None:
    """``back(there(value)) == value`` for values of the type that ``back`` answers with and ``there`` takes."""
    ways = []
    for target in (there, back):
        required = [item for item in target.parameters if item.default is None and not item.kind.startswith("var_")]
        if len(required) != 1 or required[0].kind == "keyword_only":
            return None
        ways.append(read_hint(required[0].annotation))
    value, coded = read_hint(back.returns), read_hint(there.returns)
    taken, wanted = ways
    if value is None or coded is None or taken is None or wanted is None or not drawable(value):
        return None
    if not _accepts(taken, value) or not _accepts(wanted, coded) or value.has("float"):
        return None
    body = [
        "try:",
        f"    coded = {there.symbol}({'copy.deepcopy(value)' if value.mutable else 'value'})",
        "except (ValueError, OverflowError, TypeError):",
        "    return",
        f"assert {back.symbol}(coded) == value",
    ]
    name = f"test_{identifier(there.symbol)}_property_round_trip"
    imports = [f"from {there.module} import {item.symbol}" for item in (there, back)]
    return _test(project, there, name, f"value={strategy(value)}", ["value"], body, seed, imports, value.mutable)


def _accepts(hint: Hint, other: Hint) -> bool:
    return hint == other or (hint.name == "union" and any(_accepts(part, other) for part in hint.parts))


def _test(
    project: Project,
    target: Target,
    name: str,
    given: str,
    arguments: Sequence[str],
    body: Sequence[str],
    seed: int,
    imports: Sequence[str],
    copied: bool,
) -> GeneratedTest:
    chosen = "derandomize=True, " if seed == 0 else ""
    decorators = [
        f"@settings({chosen}max_examples={EXAMPLES}, deadline=None, database=None, phases=[Phase.generate])",
        f"@given({given})",
    ]
    if seed:
        decorators.insert(0, f"@seed({int(seed)})")
    tools = [
        "from hypothesis import Phase, given, settings" + (", seed" if seed else ""),
        "from hypothesis import strategies as st",
    ]
    verbatim = len(target.signature) <= _ONE_LINE
    return GeneratedTest(
        path=test_path(project, target, "properties"),
        name=name,
        code="\n".join([*decorators, f"def {name}({', '.join(arguments)}):", *(f"    {line}" for line in body)]),
        target=target.id,
        label=Label.SPECIFICATION if verbatim else Label.CHARACTERIZATION,
        origin=Origin.PROPERTY,
        prelude=(*(["import copy"] if copied else []), *tools, *imports),
        quote=Quote(target.signature, target.file, target.line) if verbatim else None,
    )
