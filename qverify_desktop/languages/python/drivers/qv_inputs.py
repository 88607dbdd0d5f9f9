"""Inputs for observation: argument values from type hints, names, defaults, constants and seeds, and their mutation.

Runs inside the sandbox, with the standard library only. A *recipe* describes a value so that it can be built here and be
written as source elsewhere: ``("l", value)`` a literal, ``("n", module, class, recipes, {name: recipe})`` an instance,
``("r", module, path)`` something that stands in a module, ``("s", index)`` an entry of the shared table, ``("L", recipes)``
a list. Everything is drawn from one seeded generator and from ordered sequences, so that a seed gives the same inputs
whatever the hash seed is.
"""

import collections.abc
import enum
import importlib
import inspect
import re
import types
import typing

import qv_pools
import qv_reading
from qv_reading import MOST_TEXT


def is_text_name(name):
    return bool(
        re.search(r"(?i)text|string|str$|word|line|name|title|doc|source|content|sentence|phrase|html|path|key", name)
    )


class Inputs:
    """Draws and mutates recipes. ``module`` is the target's module object, ``seeds`` what was found in the sources."""

    def __init__(self, rng, module, function, seeds, shared, project, producers):
        self.rng = rng
        self.shared = shared
        self.project = project
        self.producers = producers
        #: Set when a value was drawn that its type hint does not allow.
        self.odd = False
        self.texts, self.numbers = qv_reading.constants(function, module)
        self.seeds = [text for text in seeds.get("texts", []) if isinstance(text, str)][:400]
        self.numbers += [number for number in seeds.get("numbers", []) if isinstance(number, (int, float))][:100]
        self.matching = qv_reading.patterns(module, self.texts, rng)
        self.words = [t for t in self.texts + self.seeds if re.fullmatch(r"[A-Za-z_][\w. -]{0,24}", t)]
        self.tokens = [t for t in self.texts + self.seeds if 0 < len(t) <= 40]

    def draw(self, hint, name, depth=0):
        """A recipe for a parameter. Now and then one of another type, because code often checks."""
        rng = self.rng
        if depth == 0 and rng.random() < 0.06:
            self.odd = self.odd or hint is not inspect.Parameter.empty
            return ("l", rng.choice([None, 0, "", [], {}, 1.5, "x", b"x", True]))
        if hint is None or hint is inspect.Parameter.empty or hint is typing.Any or hint is object:
            return self._guess(name, depth)
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin in (typing.Union, getattr(types, "UnionType", typing.Union)):
            return self.draw(rng.choice(args), name, depth + 1)
        if origin is typing.Annotated:
            return self.draw(args[0], name, depth)
        if origin is typing.Literal:
            return ("l", rng.choice(args))
        if isinstance(hint, typing.TypeVar):
            return self.draw(
                rng.choice(hint.__constraints__) if hint.__constraints__ else hint.__bound__, name, depth
            )
        kind = origin or hint
        simple = self._simple(kind, name)
        if simple is not None:
            return simple
        if inspect.isclass(kind):
            return self._of_class(kind, args, name, depth)
        if kind is collections.abc.Callable:
            return self._shared("call")
        return self._guess(name, depth)

    def _simple(self, kind, name):
        rng = self.rng
        if kind is type(None) or kind is None:
            return ("l", None)
        if kind is bool:
            return ("l", rng.random() < 0.5)
        if kind is int:
            return ("l", self._integer())
        if kind is float:
            return ("l", rng.choice(qv_pools.FLOATS) if rng.random() < 0.6 else float(self._integer()))
        if kind is str:
            return ("l", self.text(name))
        if kind in (bytes, bytearray):
            return ("l", rng.choice(qv_pools.BYTES))
        if kind in (typing.Callable, collections.abc.Callable):
            return self._shared("call")
        return None

    def _of_class(self, kind, args, name, depth):
        rng = self.rng
        inner = [arg for arg in args if arg is not Ellipsis]
        if issubclass(kind, enum.Enum) and self._is_ours(kind) and list(kind):
            member = rng.choice(list(kind))
            return ("r", kind.__module__, kind.__qualname__ + "." + member.name)
        if kind is tuple and inner and Ellipsis not in args:
            return self._joined("T", [self.draw(arg, name, depth + 1) for arg in inner])
        if kind in (dict, collections.abc.Mapping, collections.abc.MutableMapping):
            return ("l", self._dictionary(inner, name, depth))
        if kind in (set, frozenset, collections.abc.Set, collections.abc.MutableSet):
            items = [self.draw(inner[0] if inner else str, name, depth + 1) for _ in range(rng.randrange(4))]
            return ("l", {item[1] for item in items if item[0] == "l" and qv_reading.hashable(item[1])})
        if issubclass(kind, re.Pattern):
            return self._shared("pattern")
        if self._is_ours(kind):
            return self.instance(kind, depth + 1) or ("l", None)
        sequences = (list, tuple, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection)
        if kind in sequences or kind in (collections.abc.Iterator, collections.abc.MutableSequence):
            recipes = [self.draw(inner[0] if inner else None, name, depth + 1) for _ in range(rng.randrange(5))]
            return self._joined("T" if kind is tuple else "L", recipes)
        if kind is type:
            return ("s", 0) if not self.shared else self._shared("type")
        found = self._shared(kind.__name__)
        return found if found is not None else self._guess(name, depth)

    def _joined(self, tag, recipes):
        if all(recipe[0] == "l" for recipe in recipes):
            values = [recipe[1] for recipe in recipes]
            return ("l", tuple(values) if tag == "T" else values)
        return ("L", recipes)

    def _dictionary(self, inner, name, depth):
        result = {}
        for _ in range(self.rng.randrange(4)):
            key = self.draw(inner[0] if inner else str, "key", depth + 1)
            value = self.draw(inner[1] if len(inner) > 1 else None, name, depth + 1)
            if key[0] == "l" and value[0] == "l" and qv_reading.hashable(key[1]):
                result[key[1]] = value[1]
        return result

    def _is_ours(self, kind):
        return kind.__module__ in self.project and "<" not in kind.__qualname__

    def _shared(self, kind):
        fitting = [index for index, (tag, *_) in enumerate(self.shared) if tag == kind]
        return ("s", self.rng.choice(fitting)) if fitting else None

    def instance(self, kind, depth=0):
        """A recipe for an instance of a class of the project, ``None`` where its constructor can't be read."""
        if depth > 3 or inspect.isabstract(kind):
            return None
        if issubclass(kind, enum.Enum):
            return self._of_class(kind, (), "", depth) if list(kind) else None
        made = self.producers.get(kind.__name__, [])
        if made and self.rng.random() < 0.6:
            return self._produced(*self.rng.choice(made), depth)
        arguments = self.arguments(kind, depth + 1)
        return None if arguments is None else ("n", kind.__module__, kind.__qualname__, *arguments)

    def _produced(self, module, symbol, depth):
        """A recipe that calls a function of the project for its answer."""
        try:
            function = importlib.import_module(module)
            for part in symbol.split("."):
                function = getattr(function, part)
        except (ImportError, AttributeError):
            return None
        arguments = self.arguments(function, depth + 1)
        return None if arguments is None else ("n", module, symbol, *arguments)

    def arguments(self, function, depth=0):
        """Positional and named recipes for a call, ``None`` where there is no signature."""
        described = qv_reading.signature(function)
        if described is None:
            return None
        positional, named, by_name = [], {}, False
        for parameter, hint in described:
            if parameter.kind is parameter.VAR_POSITIONAL:
                count = 0 if by_name else self.rng.randrange(3)
                positional += [self.draw(hint, parameter.name, depth) for _ in range(count)]
                continue
            if parameter.kind is parameter.VAR_KEYWORD:
                continue
            if parameter.default is not parameter.empty and self.rng.random() < 0.5:
                if parameter.kind is parameter.POSITIONAL_ONLY:
                    break
                by_name = True
                continue
            recipe = self.draw(qv_reading.hint_of(hint, parameter), parameter.name, depth)
            if by_name or parameter.kind is parameter.KEYWORD_ONLY:
                named[parameter.name] = recipe
            else:
                positional.append(recipe)
        return positional, named

    def _guess(self, name, depth):
        """A value for a parameter without a type: by its name, by what the code compares with, or of any kind."""
        rng = self.rng
        fitting = [values for pattern, values in qv_pools.NAMED if re.search("(?i)" + pattern, name) and values]
        if fitting and rng.random() < 0.5:
            return ("l", rng.choice(rng.choice(fitting)))
        if is_text_name(name) and rng.random() < 0.8:
            return ("l", self.text(name))
        way = rng.randrange(8)
        if way < 3:
            return ("l", self.text(name))
        if way < 5:
            return ("l", self._integer())
        if way == 5:
            return ("l", rng.choice(qv_pools.CONTAINERS))
        if way == 6:
            return ("l", rng.choice([None, True, False, *qv_pools.FLOATS, *qv_pools.BYTES]))
        return ("l", [self._integer() for _ in range(rng.randrange(5))])

    def _integer(self):
        rng = self.rng
        whole = [int(number) for number in self.numbers if abs(number) < 1e9]
        if whole and rng.random() < 0.4:
            return rng.choice(whole) + rng.choice([0, 0, 1, -1])
        return rng.choice(qv_pools.INTEGERS) if rng.random() < 0.8 else rng.randrange(-200, 5000)

    def text(self, name=""):
        """A string: from the code's constants and patterns, from the sources, from the pool, or put together."""
        rng = self.rng
        way = rng.random()
        fitting = [
            value for pattern, values in qv_pools.NAMED if re.search("(?i)" + pattern, name) for value in values
        ]
        fitting = [value for value in fitting if isinstance(value, str)]
        if fitting and way < 0.2:
            return rng.choice(fitting)
        if self.matching and way < 0.35:
            return rng.choice(self.matching)
        if self.texts and way < 0.5:
            return rng.choice(self.texts)
        if self.seeds and way < 0.7:
            return rng.choice(self.seeds)
        if self.words and way < 0.85:
            return self._document()
        if self.tokens and way < 0.92:
            glue = rng.choice(["", " ", "\n", "\n\n", ": ", ", ", "-", "_"])
            return glue.join(rng.choice(self.tokens) for _ in range(rng.randrange(1, 5)))[:MOST_TEXT]
        return rng.choice(qv_pools.TEXTS)

    def _document(self):
        """Lines of the shapes that formats are made of, filled with the code's own words."""
        rng = self.rng
        shapes = rng.sample(qv_pools.SHAPES, 2)
        lines = []
        for _ in range(rng.randrange(1, 7)):
            first, second, third = (rng.choice(self.words) for _ in range(3))
            line = rng.choice(shapes).replace("{u}", rng.choice("-=") * len(first)).replace("{t}", first)
            lines.append(line.replace("{o}", second).replace("{p}", third))
        return "\n".join(lines)[:MOST_TEXT]

    def mutate(self, recipe, name=""):
        """A neighbour of a recipe: another literal near it, or the same shape with one part changed."""
        rng = self.rng
        tag = recipe[0]
        if tag == "l":
            return ("l", self._mutate_value(recipe[1], name, 0))
        if tag in ("L", "T") and recipe[1]:
            items = list(recipe[1])
            at = rng.randrange(len(items))
            items[at] = self.mutate(items[at], name)
            return (tag, items)
        if tag == "n" and (recipe[3] or recipe[4]):
            positional, named = self.mutate_arguments(recipe[3], recipe[4])
            return ("n", recipe[1], recipe[2], positional, named)
        return recipe

    def mutate_arguments(self, positional, named):
        positional, named = list(positional), dict(named)
        at = self.rng.randrange(max(1, len(positional) + len(named)))
        if at < len(positional):
            positional[at] = self.mutate(positional[at])
        elif named:
            name = list(named)[at - len(positional)]
            named[name] = self.mutate(named[name], name)
        return positional, named

    def _mutate_value(self, value, name, depth):
        rng = self.rng
        if value is None:
            return None
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return rng.choice([value + 1, value - 1, -value, value * 2, value // 2, value * 10, self._integer()])
        if isinstance(value, float):
            return rng.choice([value + 0.5, -value, value * 2, float(int(value)) if value == value else 0.0])
        if isinstance(value, str):
            return self._mutate_text(value)
        if isinstance(value, (list, tuple)) and depth < 4:
            items = list(value)
            way = rng.randrange(5)
            if way == 0 and items:
                del items[rng.randrange(len(items))]
            elif way == 1 and items:
                items.insert(rng.randrange(len(items) + 1), rng.choice(items))
            elif way == 2:
                items += [self._mutate_value(rng.choice(items), name, depth + 1)] if items else []
            elif way == 3:
                items.reverse()
            elif items:
                at = rng.randrange(len(items))
                items[at] = self._mutate_value(items[at], name, depth + 1)
            return type(value)(items) if type(value) in (list, tuple) else items
        if isinstance(value, dict) and depth < 4:
            items = dict(value)
            if items and rng.random() < 0.6:
                key = rng.choice(list(items))
                items[key] = self._mutate_value(items[key], name, depth + 1)
            elif items and all(isinstance(key, str) for key in items):
                items[rng.choice(self.tokens) if self.tokens else "a"] = rng.choice(list(items.values()))
            return items
        return self.draw(None, name)[1] if depth == 0 else value

    def _mutate_text(self, text):
        rng = self.rng
        way = rng.randrange(13 if self.words else 11)
        at = rng.randrange(len(text) + 1)
        other = rng.choice(self.tokens) if self.tokens and rng.random() < 0.7 else rng.choice(qv_pools.TEXTS)
        lines = text.split("\n")
        if way == 0:
            result = text[:at] + rng.choice(" _-.,:;'\"()[]{}<>/\\\n\t#@%&*+=!?0aA1é") + text[at:]
        elif way == 1:
            result = text[:at] + text[at + rng.randrange(1, 4) :]
        elif way == 2:
            result = text[:at] + other + text[at:]
        elif way == 3:
            result = text + rng.choice(["", " ", "\n", "\n\n", "\n    "]) + other
        elif way == 4:
            result = other + rng.choice(["", " ", "\n", "\n\n"]) + text
        elif way == 5:
            result = rng.choice([text.upper(), text.lower(), text.title(), text.swapcase(), text[::-1], text.strip()])
        elif way == 6:
            end = min(len(text), at + rng.randrange(1, 12))
            result = text[:at] + text[at:end] * 2 + text[end:]
        elif way == 7 and len(lines) > 1:
            chosen = rng.randrange(len(lines))
            lines[chosen] = rng.choice(
                ["", "    ", "  ", lines[chosen] + ":", "    " + lines[chosen], lines[chosen].strip()]
            )
            result = "\n".join(lines)
        elif way == 8:
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(["", "    ", ":"]) + other + rng.choice(["", ":"]))
            result = "\n".join(lines)
        elif way == 9 and len(lines) > 1:
            del lines[rng.randrange(len(lines))]
            result = "\n".join(lines)
        elif way > 10:
            result = "\n".join([self._document(), text] if rng.random() < 0.3 else [text, self._document()])
        else:
            result = text.replace(rng.choice([" ", "a", "e", ".", "-", "_", ":"]), rng.choice(["", " ", "_", "1"]), 1)
        return result[:MOST_TEXT]
