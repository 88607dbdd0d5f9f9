"""Renaming every identifier of a case, in its code and its documentation: a detector that reads meaning must not care."""

from __future__ import annotations

import re
from collections.abc import Mapping

import tree_sitter_go
import tree_sitter_java
import tree_sitter_javascript
import tree_sitter_python
import tree_sitter_rust
from tree_sitter import Node

from qverify_desktop.languages.tree.source import Grammar, parse, walk
from tests.benchmarks.detect.corpus import Case, Corpus

_GRAMMARS = {
    ".py": Grammar("Python", tree_sitter_python.language),
    ".js": Grammar("JavaScript", tree_sitter_javascript.language),
    ".go": Grammar("Go", tree_sitter_go.language),
    ".java": Grammar("Java", tree_sitter_java.language),
    ".rs": Grammar("Rust", tree_sitter_rust.language),
}
#: Nodes that bind the identifiers in one of their fields.
_BINDING = {
    "function_definition": "name",
    "function_declaration": "name",
    "method_declaration": "name",
    "function_item": "name",
    "variable_declarator": "name",
    "formal_parameter": "name",
    "parameter_declaration": "name",
    "parameter": "pattern",
    "let_declaration": "pattern",
    "short_var_declaration": "left",
    "range_clause": "left",
    "var_spec": "name",
    "assignment": "left",
    "typed_parameter": "",
    "parameters": "",
    "formal_parameters": "",
    "for_statement": "left",
}
_QUOTED = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`[^`\n]*`")
#: Names with a meaning to compilers or tools.
_KEPT = frozenset({"main", "self", "this", "_", "Solution", "None", "True", "False"})


def renamed(corpus: Corpus) -> Corpus:
    """The corpus with other names; file names and shared files stay."""
    return Corpus(corpus.language, tuple(_case(case) for case in corpus.cases), corpus.shared)


def _case(case: Case) -> Case:
    names: dict[str, str] = {}
    for state in (case.buggy, case.canonical):
        for path, text in state.items():
            for name in sorted(_bound(path, text)):
                names.setdefault(name, _other(name, len(names)))
    return Case(case.name, _texts(case.buggy, names), _texts(case.canonical, names), case.planted)


def _other(name: str, number: int) -> str:
    """A name that says nothing, exported (Go) where the first was."""
    return f"Zq{number}w" if name[:1].isupper() else f"zq{number}w"


def _bound(path: str, text: str) -> set[str]:
    grammar = _GRAMMARS.get(path[path.rfind(".") :])
    if grammar is None:
        return set()
    data, found = text.encode(), set()
    for node in walk(parse(grammar, data)):
        field = _BINDING.get(node.type)
        if field is None:
            continue
        for holder in node.children_by_field_name(field) if field else [node]:
            found |= {_text(data, one) for one in _identifiers(holder)}
    return {name for name in found if name not in _KEPT}


def _identifiers(node: Node) -> list[Node]:
    if node.type == "identifier":
        return [node]
    patterns = ("expression_list", "tuple_pattern", "pattern_list", "parameters", "formal_parameters", "mut_pattern")
    return (
        [c for c in node.named_children if c.type == "identifier"]
        if node.type in (*patterns, "typed_parameter")
        else []
    )


def _text(data: bytes, node: Node) -> str:
    return data[node.start_byte : node.end_byte].decode()


def _texts(files: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    if not names:
        return dict(files)
    # Not what is looked up in something (``x.name``), but what is spread (``...names``).
    words = re.compile(
        rf"(?:(?<![\w.])|(?<=\.\.\.))(?:{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})\b(?!['’]\w)"
    )

    def outside(text: str) -> str:
        return words.sub(lambda match: names[match.group()], text)

    done = {}
    for path, text in files.items():
        parts, at = [], 0
        for quoted in _QUOTED.finditer(text):
            parts += [outside(text[at : quoted.start()]), quoted.group()]
            at = quoted.end()
        done[path] = "".join([*parts, outside(text[at:])])
    return done
