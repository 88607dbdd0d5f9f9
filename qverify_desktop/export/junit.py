"""JUnit XML: what continuous integration servers read.

An accepted test is a passing case, a suspected defect a failing one, a refused test a skipped one with its reason. There is
no standard beyond use; the elements are those of Ant's ``junitreport``.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from itertools import groupby

from qverify_desktop.domain.results import SENTENCES, JudgedTest, RunResult, SuspectedDefect, TestVerdict
from qverify_desktop.export.plain_text import readable


def junit(result: RunResult) -> bytes:
    """One suite for each test file, in order of the files."""
    defects = {defect.test: defect for defect in result.defects}
    root = ElementTree.Element("testsuites", name="qverify")
    _count(root, list(result.tests))
    ordered = sorted(result.tests, key=lambda judged: judged.test.path)
    for path, group in groupby(ordered, key=lambda judged: judged.test.path):
        tests = list(group)
        suite = ElementTree.SubElement(root, "testsuite", name=readable(path), timestamp=readable(result.started_at))
        _count(suite, tests)
        properties = ElementTree.SubElement(suite, "properties")
        for name, value in (
            ("run", result.run),
            ("tree", result.tree),
            ("verdict", result.verdict.value),
            ("isolation", result.isolation.value),
        ):
            ElementTree.SubElement(properties, "property", name=name, value=readable(value))
        for judged in tests:
            _case(suite, judged, defects.get(judged.test.id))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _count(element: ElementTree.Element, tests: list[JudgedTest]) -> None:
    verdicts = [judged.verdict for judged in tests]
    element.set("tests", str(len(verdicts)))
    element.set("failures", str(verdicts.count(TestVerdict.SUSPECTED)))
    element.set("errors", "0")
    element.set("skipped", str(verdicts.count(TestVerdict.REFUSED)))


def _case(suite: ElementTree.Element, judged: JudgedTest, defect: SuspectedDefect | None) -> None:
    test = judged.test
    classname = readable(test.path.removesuffix(".py").replace("/", "."))
    case = ElementTree.SubElement(suite, "testcase", classname=classname, name=readable(test.name))
    properties = ElementTree.SubElement(case, "properties")
    for name, value in (("label", test.label.value), ("target", test.target), ("reason", judged.reason.value)):
        ElementTree.SubElement(properties, "property", name=name, value=readable(value))
    sentence = readable(f"{SENTENCES[judged.reason]} {judged.detail}".strip())
    if judged.verdict is TestVerdict.REFUSED:
        ElementTree.SubElement(case, "skipped", message=sentence)
    elif judged.verdict is TestVerdict.SUSPECTED:
        failure = ElementTree.SubElement(case, "failure", type="suspected-defect", message=sentence)
        if defect is not None:
            failure.text = readable(
                f"{defect.file}:{defect.line} {defect.symbol}\ncall: {defect.call}\nexpected: {defect.expected}\n"
                f"observed: {defect.observed}\n{defect.evidence.file}:{defect.evidence.line} says:\n{defect.evidence.text}"
                f"{chr(10) + defect.history.sentence if defect.history else ''}"
            )
