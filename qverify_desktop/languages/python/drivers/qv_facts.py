"""What can be said of a value so that a test can say it again: literals, lengths, types, public attributes.

Runs inside the sandbox, with the standard library only. A *fact* is ``[path, kind, payload]``; the path is a list of
``["a", name]`` (attribute) and ``["i", source]`` (item) steps from the value.
"""

import ast
import collections
import datetime
import decimal
import enum
import fractions
import inspect
import itertools
import pathlib
import re
import uuid

MOST_SOURCE = 3000
MOST_FACTS = 14
MOST_DEPTH = 3
SHOWN = (
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    fractions.Fraction,
    pathlib.PurePath,
    uuid.UUID,
)
_PLAIN = (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, type(None))
_UNSTABLE = re.compile(r"0x[0-9a-fA-F]{4,}")


def literal(value):
    """Source of a value that consists of plain types only and reads back equal; ``None`` otherwise."""
    if type(value) not in _PLAIN or not _is_plain(value, 0):
        return None
    try:
        source = repr(value)
        if len(source) > MOST_SOURCE:
            return None
        if "frozenset" not in source and ast.literal_eval(source) != value:
            return None
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return _infinite(value)
    return source


def _infinite(value):
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return f"float({str(value)!r})"
    return None


def _is_plain(value, depth):
    if type(value) not in _PLAIN or depth > 12:
        return False
    if isinstance(value, float):
        return value == value and (depth == 0 or abs(value) != float("inf"))
    if isinstance(value, dict):
        return all(_is_plain(key, depth + 1) and _is_plain(item, depth + 1) for key, item in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return len(value) <= 1000 and all(_is_plain(item, depth + 1) for item in value)
    return True


class Read:
    """An iterator that was read, as far as its first 41 items."""

    def __init__(self, iterator):
        self.items = list(itertools.islice(iterator, 41))


class Facts:
    """Collects facts of one value. ``project`` are the names of the project's modules."""

    def __init__(self, project):
        self.project = project
        self.found = []
        self.seen = set()

    def add(self, path, kind, payload):
        if len(self.found) < MOST_FACTS:
            self.found.append([path, kind, payload])

    def walk(self, value, path, depth=0):
        """Add the facts of ``value``, which stands at ``path``."""
        if len(self.found) >= MOST_FACTS:
            return
        source = literal(value)
        kind = type(value)
        if source is not None:
            if not path:
                self.add(path, "type", ["builtins", kind.__name__])
            self.add(path, "value", source)
        elif isinstance(value, float) and value != value:
            self.add(path, "nan", "")
        elif isinstance(value, enum.Enum):
            self.add(path, "is", [kind.__module__, kind.__qualname__ + "." + value.name])
        elif isinstance(value, SHOWN):
            self.add(path, "type", [kind.__module__, kind.__qualname__])
            self.add(path, "str", str(value))
        elif inspect.isclass(value) or inspect.isroutine(value):
            if getattr(value, "__module__", None) in self.project and "<" not in value.__qualname__:
                self.add(path, "is", [value.__module__, value.__qualname__])
        elif kind is Read:
            self._iterator(value.items)
        elif id(value) not in self.seen and depth <= MOST_DEPTH:
            self.seen.add(id(value))
            self._composite(value, path, depth)

    def _iterator(self, items):
        source = literal(items[:40])
        if source is not None:
            self.add([], "list" if len(items) <= 40 else "first", source)
        else:
            self.add([], "count" if len(items) <= 40 else "endless", str(len(items)))

    def _composite(self, value, path, depth):
        kind = type(value)
        self.add(path, "type", [kind.__module__, kind.__qualname__])
        for base in (dict, list, tuple, str, set, int, float):
            if isinstance(value, base) and kind is not base:
                source = literal(base(value))
                if source is not None and value == base(value):
                    self.add(path, "value", source)
                    break
        if isinstance(value, (list, tuple, collections.deque)):
            self.add(path, "len", str(len(value)))
            for index, item in enumerate(itertools.islice(value, 3)):
                self.walk(item, [*path, ["i", str(index)]], depth + 1)
        elif isinstance(value, dict):
            self.add(path, "len", str(len(value)))
            for key, item in itertools.islice(value.items(), 3):
                if isinstance(key, (str, int)) and literal(key):
                    self.walk(item, [*path, ["i", repr(key)]], depth + 1)
        if kind.__module__ in self.project:
            self._attributes(value, path, depth)

    def _attributes(self, value, path, depth):
        for name in public_attributes(value)[:10]:
            try:
                item = getattr(value, name)
            except Exception:
                continue
            if not inspect.ismethod(item) and not inspect.isroutine(item):
                self.walk(item, [*path, ["a", name]], depth + 1)
        if hasattr(type(value), "__len__"):
            try:
                self.add(path, "len", str(len(value)))
            except Exception:
                return
        if type(value).__str__ is not object.__str__:
            text = str(value)
            if len(text) <= 400 and not _UNSTABLE.search(text):
                self.add(path, "str", text)


def public_attributes(value):
    """Names of instance attributes in order of assignment, then properties in order of definition."""
    names = list(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__[:-1]:
        slots = vars(kind).get("__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
        names += [name for name, item in vars(kind).items() if isinstance(item, property)]
    return [name for name in dict.fromkeys(names) if isinstance(name, str) and name.isidentifier() and name[0] != "_"]
