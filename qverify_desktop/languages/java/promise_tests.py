"""A test method for each promise."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from qverify_desktop.domain.project import Project, Promise, PromiseRelation, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin, Quote
from qverify_desktop.languages.java.asserting import assertions
from qverify_desktop.languages.java.declared import declared
from qverify_desktop.languages.java.detection import uses_junit_4
from qverify_desktop.languages.java.placing import test_path
from qverify_desktop.languages.java.writing import method, prelude
from qverify_desktop.languages.tree.rendering import identifier

FORMS: Mapping[str, str] = {
    "prompt": "Shown",
    "==": "Equals",
    "=": "Equals",
    "equals": "Equals",
    "->": "Gives",
    "→": "Gives",
    "=>": "Gives",
    "==>": "Gives",
    ":": "Gives",
    "// =>": "Comment",
    "//": "Comment",
    "returns": "Returns",
    "is": "Is",
    "stated": "Refuses",
    "Input/Output": "InputOutput",
    "for … the result should be": "Sentence",
}


def write_promise_tests(
    project: Project, targets: Sequence[Target], promises: Sequence[Promise]
) -> list[GeneratedTest]:
    """One test a promise, label ``specification``, the promise's words as its quote."""
    by_id = {target.id: target for target in targets}
    counts: dict[tuple[str, str], int] = {}
    junit_4 = uses_junit_4(project)
    tests: list[GeneratedTest] = []
    for promise in promises:
        target = by_id.get(promise.target)
        if target is None:
            continue
        lines = (
            [f"assertThrows({promise.expected}.class, () -> {promise.call});"]
            if promise.relation is PromiseRelation.RAISES
            else assertions(promise.call, promise.expected, declared(target.returns), junit_4=junit_4)
        )
        if lines is None:
            continue
        path = test_path(project, target, "Promises")
        stem = f"{method_name(target)}{FORMS.get(promise.form, 'Says')}"
        number = counts[path, stem] = counts.get((path, stem), 0) + 1
        name = f"{stem}{number}"
        tests.append(
            GeneratedTest(
                path=path,
                name=name,
                code=method(name, lines, junit_4=junit_4, throws=may_throw(target, promise.call)),
                target=target.id,
                label=Label.SPECIFICATION,
                origin=Origin.PROMISE,
                prelude=prelude(target.module, lines, junit_4=junit_4),
                call=promise.call,
                expected=promise.expected,
                quote=Quote(promise.words, promise.file, promise.line),
            )
        )
    return tests


def method_name(target: Target, *, alone: bool = False) -> str:
    """A target's name as the beginning of a test method's; of a nested class with the class in front.

    ``alone`` says that functions need no class, so that the name of every class stands in front.
    """
    *owners, name = target.symbol.partition("(")[0].split(".")
    parts = [identifier(part) for part in (*owners[0 if alone else 1 :], name)]
    return parts[0][:1].lower() + parts[0][1:] + "".join(part[:1].upper() + part[1:] for part in parts[1:])


def may_throw(target: Target, call: str) -> bool:
    """Whether the call may throw what Java wants to be declared."""
    return bool(re.search(r"\bthrows\b", target.signature)) or bool(re.match(r"new [\w.<>]+\((?!\))", call))
