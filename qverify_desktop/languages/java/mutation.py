"""Mutants of a Java method, and the job that runs them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from tree_sitter import Node

from qverify_desktop.domain.execution import Job, Limits
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.testing import Mutant
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.java.drivers import COMMAND, FOLDER, driver_files
from qverify_desktop.languages.java.source import find_method, read_source
from qverify_desktop.languages.java.suite import MEMORY_BYTES, Describe, described, environment, sources_of
from qverify_desktop.languages.mutation_report import described as described_mutants
from qverify_desktop.languages.tree import mutation
from qverify_desktop.languages.tree.source import TreeSource

#: Seconds: to compile and run the tests once, for each mutant, and at most.
START_S, EACH_S, MOST_S = 120, 4, 600
_DEFAULTS = {
    "boolean": "false",
    "integral_type": "0",
    "floating_point_type": "0",
    "boolean_type": "false",
    "void_type": "",
}


def _further(source: TreeSource, node: Node) -> Iterator[mutation.Change]:
    kind = node.type
    if kind == "return_statement" and node.named_child_count:
        value = node.named_children[0]
        default = _default_of(node)
        if default and source.slice(value) not in (default, "null", "0", "false"):
            yield "return", value, default
    elif kind == "throw_statement":
        yield "raise", node, ";" if _may_end_here(node) else "throw new Error();"
    elif kind == "unary_expression" and source.field(node, "operator") == "!":
        operand = node.child_by_field_name("operand")
        if operand is not None:
            yield "negation", node, source.slice(operand)
    elif kind == "update_expression":
        text = source.slice(node)
        swapped = text.replace("++", "--") if "++" in text else text.replace("--", "++")
        yield "arithmetic", node, swapped


def _default_of(node: Node) -> str:
    """A value of the type that the method of a return statement gives."""
    parent = node.parent
    while parent is not None and parent.type not in (
        "method_declaration",
        "lambda_expression",
        "constructor_declaration",
    ):
        parent = parent.parent
    if parent is None or parent.type != "method_declaration":
        return ""
    type_ = parent.child_by_field_name("type")
    return _DEFAULTS.get(type_.type, "null") if type_ is not None else ""


def _may_end_here(node: Node) -> bool:
    """Whether the code behind a statement is reached without it: it is a branch of its own."""
    parent = node.parent
    if parent is not None and parent.type == "block":
        parent = parent.parent
    return parent is not None and parent.type in (
        "if_statement",
        "for_statement",
        "while_statement",
        "enhanced_for_statement",
    )


OPERATORS = mutation.Operators(
    binary=frozenset({"binary_expression", "assignment_expression"}),
    integers=frozenset({"decimal_integer_literal"}),
    floats=frozenset({"decimal_floating_point_literal"}),
    strings=frozenset({"string_literal"}),
    conditions={
        "if_statement": "condition",
        "while_statement": "condition",
        "ternary_expression": "condition",
    },
    simple=frozenset({"identifier", "method_invocation", "field_access", "array_access", "instanceof_expression"}),
    negation="!({})",
    dropped={"expression_statement": "method_invocation"},
    jumps={"break_statement": "continue;", "continue_statement": "break;"},
    inert=frozenset(
        {
            "annotation",
            "marker_annotation",
            "import_declaration",
            "local_class_declaration",
            "type_arguments",
            "modifiers",
        }
    ),
    further=_further,
)


def mutants(snapshot: Snapshot, target: Target, lines: frozenset[int], most: int) -> list[Mutant]:
    """At most ``most`` mutants of the target's body on ``lines``; empty where it is not found."""
    source = read_source(snapshot.root, target.file)
    definition = find_method(source, target) if isinstance(source, TreeSource) else None
    if definition is None or not isinstance(source, TreeSource):
        return []
    return mutation.mutants(source, definition.body, target, lines, most, OPERATORS)


def mutation_job(
    project: Project,
    files: Mapping[str, str],
    mutants: Sequence[Mutant],
    tests: Mapping[str, Sequence[str]],
    describe: Describe = described,
) -> Job:
    """See ``Language.mutation_job``. Tests that fail without a mutant are left out of every answer."""
    timeout = min(MOST_S, START_S + EACH_S * len(mutants))
    named = {test.partition("::")[0] for mutant in mutants for test in tests.get(mutant.id, ())}
    own = sorted(named - set(files))
    request = {
        **sources_of(project),
        "with_tests": bool(own),
        "own": own,
        "generated": [describe(path, files[path]) for path in sorted(files) if path in named],
        "deadline_s": timeout - 30,
        "mutants": described_mutants(mutants, tests),
    }
    overlay = {path: text.encode("utf-8", "surrogatepass") for path, text in files.items()}
    overlay.update(driver_files())
    overlay[f"{FOLDER}/mutants.json"] = json.dumps(request).encode()
    return Job(
        purpose="mutants",
        argv=(*COMMAND, "Mutants"),
        overlay=overlay,
        env=environment(RunVariation()),
        limits=Limits(timeout_s=timeout, memory_bytes=MEMORY_BYTES),
    )
