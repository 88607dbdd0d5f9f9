"""What a function and its module tell of the inputs they expect: hints, constants, regular expressions.

Runs inside the sandbox, with the standard library only.
"""

import importlib
import inspect
import re
import types
import typing

MOST_TEXT = 3000


def hint_of(hint, parameter):
    """The hint, or the type of the default where there is no hint."""
    default = parameter.default
    if hint is parameter.empty and type(default) in (bool, int, float, str, bytes, list, dict, tuple):
        return type(default)
    return hint


def hashable(value):
    try:
        hash(value)
    except TypeError:
        return False
    return True


def signature(function):
    """Parameters with their resolved hints; ``None`` where the function has no readable signature."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    holder = function.__init__ if inspect.isclass(function) else function
    try:
        hints = typing.get_type_hints(holder)
    except Exception:
        hints = {}
    return [(item, hints.get(item.name, _written(item.annotation))) for item in parameters]


def _written(annotation):
    return inspect.Parameter.empty if isinstance(annotation, str) else annotation


def constants(function, module):
    """Strings and numbers that the function's code, and the code inside it, compares and builds with."""
    texts, numbers = [], []

    def visit(value, depth):
        if isinstance(value, types.CodeType) and depth < 6:
            for item in value.co_consts:
                visit(item, depth + 1)
        elif isinstance(value, str) and len(value) <= MOST_TEXT:
            texts.append(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            numbers.append(value)
        elif isinstance(value, (tuple, list)) and depth < 6:
            for item in value:
                visit(item, depth + 1)
        elif isinstance(value, (frozenset, set)) and depth < 6:
            for item in sorted(value, key=repr):
                visit(item, depth + 1)
        elif isinstance(value, dict) and depth < 3:
            for key, item in value.items():
                visit(key, depth + 1)
                visit(item, depth + 1)

    functions = [function] if not inspect.isclass(function) else list(vars(function).values())
    for item in functions:
        item = inspect.unwrap(getattr(item, "__func__", getattr(item, "fget", item) or item))
        visit(getattr(item, "__code__", None), 0)
        for name in getattr(getattr(item, "__code__", None), "co_names", ()):
            used = vars(module).get(name)
            visit(
                getattr(
                    used, "__code__", used if isinstance(used, (str, tuple, list, dict, set, frozenset)) else None
                ),
                1,
            )
    return list(dict.fromkeys(texts))[:200], list(dict.fromkeys(numbers))[:100]


def patterns(module, texts, rng):
    """Strings that match the module's regular expressions, and constants that read like one."""
    known = [
        value for value in vars(module).values() if isinstance(value, re.Pattern) and isinstance(value.pattern, str)
    ]
    sources = [(value.pattern, value.flags) for value in known]
    sources += [
        (text, 0) for text in texts if len(text) < 300 and re.search(r"\\[dwsb]|\[[^\]]+\]|[*+?]\)?\$?$|^\^", text)
    ]
    found = []
    for pattern, flags in sources:
        for _ in range(3):
            text = matching(pattern, flags, rng)
            if text is not None and text not in found:
                found.append(text)
    return found[:150]


def matching(pattern, flags, rng):
    """A string made along a pattern's own structure; it usually matches. ``None`` where the pattern can't be parsed."""
    try:
        parser = importlib.import_module("re._parser")
    except ImportError:
        parser = importlib.import_module("sre_parse")
    groups = {}

    def one(item):
        name, value = str(item[0]), item[1]
        if name == "LITERAL":
            return chr(value)
        if name in ("ANY", "NOT_LITERAL"):
            return rng.choice("abz 09")
        if name == "IN":
            return in_set(value)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, inner = value
            return "".join(many(inner) for _ in range(least + rng.randrange(min(int(most) - least, 3) + 1)))
        if name == "SUBPATTERN":
            groups[value[0]] = many(value[-1])
            return groups[value[0]]
        if name == "BRANCH":
            return many(rng.choice(value[1]))
        if name == "GROUPREF":
            return groups.get(value, "")
        if name == "ATOMIC_GROUP":
            return many(value)
        return ""

    def in_set(items):
        if str(items[0][0]) == "NEGATE":
            return rng.choice("xyz 5-_")
        name, value = items[rng.randrange(len(items))]
        if str(name) == "RANGE":
            return chr(rng.randrange(value[0], min(value[1], value[0] + 60) + 1))
        if str(name) == "CATEGORY":
            return rng.choice(
                {"DIGIT": "0159", "SPACE": " \t", "WORD": "aZ_7"}.get(str(value).rpartition("_")[2], "x-")
            )
        return chr(value)

    def many(items):
        return "".join(one(item) for item in items)

    try:
        return many(parser.parse(pattern, flags & ~re.DEBUG))[:MOST_TEXT]
    except Exception:
        return None
