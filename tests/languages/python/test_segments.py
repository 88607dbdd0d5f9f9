from __future__ import annotations

from qverify_desktop.languages.python.segments import targets_of
from qverify_desktop.languages.python.source import SourceFile, parse_source

MODULE = '''
import abc
from typing import Protocol, TYPE_CHECKING, overload

@overload
def f(a: int) -> int: ...
def f(a: int = 3, /, b=2, *args: int, c: str, d: "list[int]" = [1, 2], **kw: dict) -> "int | None":  # the header
    """Short.

        Indented.
    """
    # a comment
    if a == 1 and b or not c:
        return 3
    return [x for x in args if x]

async def g(
    x,  # the x
    y: str = "#",
):
    return await x

class A:
    class B:
        @property
        def x(self):
            return 1
        @x.setter
        def x(self, value):
            self.v = value
    @staticmethod
    def s(a, *, b):
        return a
    @classmethod
    def c(cls):
        return cls()
    def __eq__(self, other):
        return True
    def _private(self):
        def nested():
            return 1
        return nested()
    @abc.abstractmethod
    def abstract(self):
        return 1
    def not_there(self):
        raise NotImplementedError("x")
    def empty(self):
        """Only words."""

class P(Protocol):
    def q(self):
        return 1

if TYPE_CHECKING:
    def only_for_types():
        return 1

try:
    from fast import quick
except ImportError:
    def quick():
        return 1

def twice():
    return 1
def twice():
    return 2
'''


def targets(text: str, module: str = "pkg.m"):
    source = parse_source(text.encode(), "pkg/m.py")
    assert isinstance(source, SourceFile)
    return {target.symbol: target for target in targets_of(source, module)}


def test_which_functions_are_targets() -> None:
    found = targets(MODULE)
    assert list(found) == ["f", "g", "A.B.x", "A.s", "A.c", "A.__eq__", "A._private", "quick", "twice"]
    assert {symbol: target.callee for symbol, target in found.items()} == {
        "f": "function", "g": "function", "A.B.x": "property", "A.s": "staticmethod", "A.c": "classmethod",
        "A.__eq__": "method", "A._private": "method", "quick": "function", "twice": "function",
    }  # fmt: skip
    assert MODULE.splitlines()[found["twice"].body_line - 1].strip() == "return 2"


def test_what_is_known_of_a_function() -> None:
    f, g = targets(MODULE)["f"], targets(MODULE)["g"]
    assert [(p.name, p.kind, p.annotation, p.default) for p in f.parameters] == [
        ("a", "positional_only", "int", "3"),
        ("b", "positional_or_keyword", "", "2"),
        ("args", "var_positional", "int", None),
        ("c", "keyword_only", "str", None),
        ("d", "keyword_only", '"list[int]"', "[1, 2]"),
        ("kw", "var_keyword", "dict", None),
    ]
    assert f.returns == '"int | None"'
    assert f.docstring == "Short.\n\nIndented."
    lines = MODULE.splitlines()
    assert lines[f.line - 1].startswith("def f(a: int = 3")
    assert lines[f.body_line - 1].strip() == "if a == 1 and b or not c:"
    assert lines[f.end_line - 1].strip() == "return [x for x in args if x]"
    # 1, the if, and/or, the comprehension's for and if
    assert f.complexity == 6
    assert g.is_async and not f.is_async
    assert g.signature == 'async def g(x, y: str = "#")'
    assert f.id == "pkg/m.py::f"


def test_what_is_public() -> None:
    found = targets(MODULE)
    assert found["f"].public and found["A.__eq__"].public and not found["A._private"].public
    assert not targets(MODULE, "pkg._inner.m")["f"].public
    listed = targets('__all__ = ["A"]\n__all__ += ["g"]\n' + MODULE)
    assert [symbol for symbol, target in listed.items() if target.public] == ["g", "A.B.x", "A.s", "A.c", "A.__eq__"]


def test_only_whole_functions_of_a_file_with_an_unknown_construct() -> None:
    found = targets("def f():\n    return 1\n\ndef g():\n    return (yield)\n")
    assert list(found) == ["f", "g"]
