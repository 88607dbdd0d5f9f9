"""What comes back of an observation, read strictly: programs and outcomes that follow their grammar, as source.

Literals are evaluated and written anew, names must be identifiers, modules the project's own. A record that departs from
the grammar anywhere is dropped as a whole.
"""

from __future__ import annotations

import builtins
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

from qverify_desktop.domain.project import Target
from qverify_desktop.languages.python.literals import NotALiteral, canonical, literal_value

#: Values that can't be written as literals: (kind of parameter they fit, source, import lines).
SHARED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("type", "int", ()),
    ("call", "len", ()),
    ("call", "str", ()),
    ("call", "sum", ()),
    ("call", "print", ()),
    ("call", "(lambda *args, **kwargs: None)", ()),
    ("call", "(lambda value, *args: value)", ()),
    ("call", "(lambda *args: True)", ()),
    ("call", "(lambda value, *args: f'<{value}>')", ()),
    ("pattern", "re.compile('[a-z]+')", ("import re",)),
    ("pattern", "re.compile('([0-9])')", ("import re",)),
    ("date", "datetime.date(2024, 2, 29)", ("import datetime",)),
    ("date", "datetime.date(1999, 12, 31)", ("import datetime",)),
    ("datetime", "datetime.datetime(2024, 2, 29, 12, 30, 45)", ("import datetime",)),
    ("datetime", "datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)", ("import datetime",)),
    ("time", "datetime.time(23, 59, 59)", ("import datetime",)),
    ("timedelta", "datetime.timedelta(days=1, seconds=30)", ("import datetime",)),
    ("Decimal", "decimal.Decimal('12.50')", ("import decimal",)),
    ("Decimal", "decimal.Decimal('-1')", ("import decimal",)),
    ("Fraction", "fractions.Fraction(3, 4)", ("import fractions",)),
    ("Path", "pathlib.PurePosixPath('folder/file.txt')", ("import pathlib",)),
    ("PurePath", "pathlib.PurePosixPath('folder/file.txt')", ("import pathlib",)),
    ("UUID", "uuid.UUID(int=5)", ("import uuid",)),
    ("StringIO", "io.StringIO('one\\ntwo\\n')", ("import io",)),
    ("TextIOBase", "io.StringIO('one\\ntwo\\n')", ("import io",)),
    ("TextIO", "io.StringIO('one\\ntwo\\n')", ("import io",)),
    ("BytesIO", "io.BytesIO(b'one\\ntwo\\n')", ("import io",)),
    ("Exception", "ValueError('reason')", ()),
    ("AST", "ast.parse('name: int = 3').body[0]", ("import ast",)),
    ("AST", "ast.parse('name = 'text'').body[0]", ("import ast",)),
    ("AST", "ast.parse('def f(a, b=1): return a').body[0]", ("import ast",)),
    ("Random", "random.Random(7)", ("import random",)),
)
#: Special methods as a caller writes them; ``{s}`` is the receiver, ``{0}`` the argument.
OPERATORS: Mapping[str, str] = {
    "__len__": "len({s})",
    "__str__": "str({s})",
    "__repr__": "repr({s})",
    "__bool__": "bool({s})",
    "__int__": "int({s})",
    "__float__": "float({s})",
    "__abs__": "abs({s})",
    "__neg__": "-{s}",
    "__setitem__": "{s}.__setitem__({0}, {1})",
    "__delitem__": "{s}.__delitem__({0})",
    "__iter__": "list({s})",
    "__reversed__": "list(reversed({s}))",
    "__contains__": "{0} in {s}",
    "__getitem__": "{s}[{0}]",
    "__eq__": "{s} == {0}",
    "__ne__": "{s} != {0}",
    "__lt__": "{s} < {0}",
    "__le__": "{s} <= {0}",
    "__gt__": "{s} > {0}",
    "__ge__": "{s} >= {0}",
    "__add__": "{s} + {0}",
    "__sub__": "{s} - {0}",
    "__mul__": "{s} * {0}",
    "__truediv__": "{s} / {0}",
    "__floordiv__": "{s} // {0}",
    "__mod__": "{s} % {0}",
    "__and__": "{s} & {0}",
    "__or__": "{s} | {0}",
    "__xor__": "{s} ^ {0}",
}
_MOST_SOURCE = 4000
#: Names that generated tests use themselves; an import must not take them.
_TAKEN = frozenset(
    (
        "observed",
        "subject",
        "argument",
        "pytest",
        "asyncio",
        "itertools",
        "len",
        "str",
        "list",
        "isinstance",
        "repr",
        "type",
        "bool",
    )
)

Fact = tuple[str, str, str]


class Malformed(ValueError):
    """A record that does not follow the grammar."""


@dataclass(frozen=True)
class Observation:
    """A program written as source, and its outcome. Facts are (accessor behind the value, kind, source).

    ``lazy``: the error came when the answer, an iterator, was read, not when it was asked for.
    """

    key: str
    statements: tuple[str, ...]
    last: str
    uses: tuple[tuple[str, str], ...]
    lines: tuple[str, ...]
    facts: tuple[Fact, ...] = ()
    state: tuple[Fact, ...] = ()
    changed: tuple[tuple[str, str], ...] = ()
    raised: tuple[str, str] | None = None
    printed: str = ""
    lazy: bool = False

    def agreed(self, other: Observation) -> Observation | None:
        """What both say of the same program."""
        if self.raised != other.raised or self.lazy != other.lazy:
            return None
        return replace(
            self,
            facts=tuple(fact for fact in self.facts if fact in other.facts),
            state=tuple(fact for fact in self.state if fact in other.state),
            changed=tuple(item for item in self.changed if item in other.changed),
            printed=self.printed if self.printed == other.printed else "",
        )


def read_observation(document: Mapping[str, object], target: Target, modules: frozenset[str]) -> Observation | None:
    """The record as an observation, ``None`` where it does not follow the grammar."""
    try:
        return _Reader(target, modules).read(document)
    except (Malformed, NotALiteral, KeyError, TypeError, ValueError, IndexError):
        return None


class _Reader:
    def __init__(self, target: Target, modules: frozenset[str]) -> None:
        self._target = target
        self._modules = modules
        self._uses: list[tuple[str, str]] = []
        self._lines: list[str] = []
        self._arguments: list[str] = []

    def read(self, document: Mapping[str, object]) -> Observation:
        receiver, steps = _pair(document["program"])
        outcome = _mapping(document["outcome"])
        statements: list[str] = []
        built = self._recipe(receiver) if receiver is not None else ""
        listed = _items(steps, 6)
        changed = self._changed(outcome.get("changed", []))
        written = [
            self._step(step, changed if position == len(listed) - 1 else {}) for position, step in enumerate(listed)
        ]
        if built and written:
            statements.append(f"subject = {built}")
        for kind, text in written[:-1]:
            statements.append("with subject:\n    pass" if kind == "with" else text)
        statements.extend(self._arguments)
        last = written[-1][1] if written else built
        facts, state = self._facts(outcome.get("facts", [])), self._facts(outcome.get("state", []))
        raised = self._raised(outcome.get("raised"))
        return Observation(
            key=json.dumps(document["program"], sort_keys=True),
            statements=tuple(statements),
            last=last,
            uses=tuple(dict.fromkeys(self._uses)),
            lines=tuple(dict.fromkeys(self._lines)),
            facts=facts,
            state=state,
            changed=tuple((name, source) for name, source in changed.values()),
            raised=raised,
            lazy=outcome.get("lazy") is True,
            printed=_text(outcome.get("out", ""), 4000),
        )

    def _changed(self, document: object) -> dict[int, tuple[str, str]]:
        """Arguments that the last step changes in place: position to the name they get, and what they are afterwards."""
        changed: dict[int, tuple[str, str]] = {}
        for item in _items(document, 8):
            position, after = _items(item, 2)
            name = "argument" if not changed else f"argument_{len(changed) + 1}"
            changed[_number(position)] = (name, self._literal(after))
        return changed

    def _step(self, document: object, changed: Mapping[int, tuple[str, str]]) -> tuple[str, str]:
        kind, name, positional, named = _items(document, 4)
        arguments = [self._recipe(item) for item in _items(positional, 20)]
        for position, (variable, _) in changed.items():
            self._arguments.append(f"{variable} = {arguments[position]}")
            arguments[position] = variable
        options = [f"{_name(key)}={self._recipe(item)}" for key, item in _mapping(named).items()]
        inside = ", ".join([*arguments, *options])
        if kind == "call":
            if name != self._target.symbol:
                raise Malformed("another function")
            self._use(self._target.module, self._target.symbol)
            text = f"{self._target.symbol}({inside})"
            return "call", f"asyncio.run({text})" if self._asynchronous() else text
        if kind == "method":
            text = f"subject({inside})" if name == "__call__" else f"subject.{_name(name)}({inside})"
            return (
                "method",
                f"asyncio.run({text})"
                if self._asynchronous() and name == self._target.symbol.rpartition(".")[2]
                else text,
            )
        if kind == "get":
            return "get", f"subject.{_name(name)}"
        if kind == "with":
            return "with", "with subject:\n    pass"
        if kind == "op" and isinstance(name, str) and name in OPERATORS:
            text = OPERATORS[name].replace("{s}", "subject")
            for position, argument in enumerate(arguments[:2]):
                text = text.replace(f"{{{position}}}", argument)
            return "op", text
        raise Malformed("kind of step")

    def _asynchronous(self) -> bool:
        if self._target.is_async:
            self._lines.append("import asyncio")
        return self._target.is_async

    def _recipe(self, document: object, depth: int = 0) -> str:
        parts = _items(document, 5)
        if depth > 8 or not parts:
            raise Malformed("depth")
        tag = parts[0]
        if tag == "l":
            return self._literal(parts[1])
        if tag in ("L", "T"):
            inner = [self._recipe(item, depth + 1) for item in _items(parts[1], 50)]
            if tag == "L":
                return f"[{', '.join(inner)}]"
            return f"({', '.join(inner)}{',' if len(inner) == 1 else ''})"
        if tag == "s":
            _, text, lines = SHARED[_number(parts[1])]
            self._lines.extend(lines)
            return text
        if tag == "r":
            return self._use(parts[1], parts[2])
        if tag == "n":
            path = self._use(parts[1], parts[2])
            arguments = [self._recipe(item, depth + 1) for item in _items(parts[3], 20)]
            options = [f"{_name(key)}={self._recipe(item, depth + 1)}" for key, item in _mapping(parts[4]).items()]
            return f"{path}({', '.join([*arguments, *options])})"
        raise Malformed("kind of recipe")

    def _use(self, module: object, path: object) -> str:
        if not isinstance(module, str) or module not in self._modules or not isinstance(path, str):
            raise Malformed("a module that is not the project's")
        head = _head(path)
        if head in _TAKEN:
            raise Malformed("a name that tests need")
        self._uses.append((module, head))
        return path

    def _literal(self, document: object) -> str:
        return canonical(literal_value(_text(document, _MOST_SOURCE)))

    def _facts(self, document: object) -> tuple[Fact, ...]:
        return tuple(self._fact(item) for item in _items(document, 20))

    def _fact(self, document: object) -> Fact:
        path, kind, payload = _items(document, 3)
        accessor = ""
        for step in _items(path, 8):
            what, value = _items(step, 2)
            accessor += f".{_name(value)}" if what == "a" else f"[{self._literal(value)}]"
        if kind == "value" or kind in ("list", "first"):
            return accessor, str(kind), self._literal(payload)
        if kind == "nan":
            return accessor, "nan", ""
        if kind == "is":
            module, name = _items(payload, 2)
            return accessor, "is", self._use(module, name)
        if kind == "type":
            return accessor, "type", self._type(payload)
        if kind in ("len", "count"):
            return accessor, str(kind), str(_number(int(_text(payload, 20))))
        if kind == "str":
            return accessor, "str", canonical(_text(payload, 1000))
        if kind == "endless":
            return accessor, "endless", ""
        raise Malformed("kind of fact")

    def _type(self, payload: object) -> str:
        module, name = _items(payload, 2)
        if module == "builtins" and isinstance(getattr(builtins, str(name), None), type):
            return str(name)
        if isinstance(module, str) and module in self._modules and isinstance(name, str) and "<" not in name:
            return self._use(module, name)
        return ""

    def _raised(self, document: object) -> tuple[str, str] | None:
        if document is None:
            return None
        module, name = _items(document, 2)
        path = _text(name, 200)
        head = _head(path)
        if module == "builtins":
            if not isinstance(getattr(builtins, path, None), type):
                raise Malformed("an exception")
            return "", path
        if not isinstance(module, str) or not all(part.isidentifier() for part in module.split(".")):
            raise Malformed("a module")
        if module not in self._modules and module.partition(".")[0] not in sys.stdlib_module_names:
            raise Malformed("an exception of another package")
        self._uses.append((module, head))
        return module, path


def _pair(document: object) -> tuple[object, object]:
    first, second = _items(document, 2)
    return first, second


def _items(document: object, most: int) -> list[object]:
    if not isinstance(document, list) or len(document) > most:
        raise Malformed("a list")
    return document


def _mapping(document: object) -> dict[str, object]:
    if not isinstance(document, dict) or len(document) > 40:
        raise Malformed("an object")
    return document


def _text(document: object, most: int) -> str:
    if not isinstance(document, str) or len(document) > most:
        raise Malformed("a text")
    return document


def _number(document: object) -> int:
    if not isinstance(document, int) or isinstance(document, bool) or not 0 <= document <= 1_000_000:
        raise Malformed("a number")
    return document


def _head(path: str) -> str:
    """First part of a dotted path, all of whose parts must be identifiers."""
    parts = [_name(part) for part in path.split(".")]
    return parts[0]


def _name(document: object) -> str:
    if not isinstance(document, str) or not document.isidentifier() or len(document) > 200:
        raise Malformed("a name")
    return document
