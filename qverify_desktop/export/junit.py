"""JUnit XML: what continuous integration servers read.

An accepted test is a passing case, a suspected defect a failing one, a refused test a skipped one with its reason. There is
no standard beyond use; the elements and attributes are those of the schema that Jenkins' xUnit plugin checks with (``junit-10.xsd``),
which knows properties of suites only: what is known of a case beside its verdict is its output.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from itertools import groupby

from qverify_desktop.domain.results import SENTENCES, JudgedTest, RunResult, SuspectedDefect, TestVerdict
from qverify_desktop.export.plain_text import one_line, readable


def junit(result: RunResult) -> bytes:
    """One suite for each test file, in order of the files."""
    defects = {defect.test: defect for defect in result.defects}
    root = ElementTree.Element("testsuites", name="qverify")
    verdicts = [judged.verdict for judged in result.tests]
    root.set("tests", str(len(verdicts)))
    root.set("failures", str(verdicts.count(TestVerdict.SUSPECTED)))
    root.set("errors", "0")
    ordered = sorted(result.tests, key=lambda judged: judged.test.path)
    for path, group in groupby(ordered, key=lambda judged: judged.test.path):
        tests = list(group)
        suite = ElementTree.SubElement(root, "testsuite", name=readable(path), timestamp=readable(result.started_at))
        verdicts = [judged.verdict for judged in tests]
        suite.set("tests", str(len(verdicts)))
        suite.set("failures", str(verdicts.count(TestVerdict.SUSPECTED)))
        suite.set("errors", "0")
        suite.set("skipped", str(verdicts.count(TestVerdict.REFUSED)))
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


def _case(suite: ElementTree.Element, judged: JudgedTest, defect: SuspectedDefect | None) -> None:
    test = judged.test
    # Jenkins takes what follows the last point for the class and the rest for its package, in any language.
    folder, _, file = test.path.rpartition("/")
    stem = file.rpartition(".")[0] or file
    classname = readable(".".join(part for part in (folder.replace("/", "."), stem.replace(".", "_")) if part))
    case = ElementTree.SubElement(suite, "testcase", classname=classname, name=readable(test.name))
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
    facts = (("label", test.label.value), ("target", test.target), ("reason", judged.reason.value))
    output = ElementTree.SubElement(case, "system-out")
    output.text = "".join(f"{name}: {one_line(value)}\n" for name, value in facts)
