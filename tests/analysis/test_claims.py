"""What a bundle claims is read as hostile text: nothing in it raises anything but a sentence, and no path climbs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qverify_desktop.analysis.cases import CASE, Case, Ending, case_blob, read_case
from qverify_desktop.analysis.claims import Claims, InstalledClaim, read_claims
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.project import InstalledPackage
from qverify_desktop.domain.results import JudgedTest, Reason, TestVerdict
from qverify_desktop.domain.testing import GeneratedTest, Status
from qverify_desktop.languages.installed import written
from tests.analysis.values import generated, outcome

TREE, COMMIT = "ab" * 20, "cd" * 20
DIGEST = "sha256:" + "1" * 64
KEPT = generated("test_pages")


@dataclass(frozen=True)
class Told:
    """An event with its contents."""

    type: str
    data: Mapping[str, Any]
    contents: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Bundle:
    events: tuple[Told, ...]

    def content(self, event: Told, key: str) -> bytes | None:
        return event.contents.get(key)


def judged(test: GeneratedTest, verdict: TestVerdict = TestVerdict.ACCEPTED, **more: Any) -> Told:
    status = Status.PASSED if verdict is TestVerdict.ACCEPTED else Status.FAILED
    one = JudgedTest(test, verdict, Reason.GAIN)
    blobs = case_blob(one, {test.id: outcome(test, status, raised="AssertionError", observed="3")})
    data = {"test": test.id, "target": test.target, "verdict": verdict.value, **{key: {} for key in blobs}, **more}
    return Told("judgement", data, blobs)


IMAGE = {
    "runtime": "python",
    "digest": DIGEST,
    "reference": "qverify/python:1",
    "recipe": "a" * 64,
    "layers": "b" * 64,
}
PLAN = {"language": "python", "image_digest": DIGEST}
SNAPSHOT = {"origin": "/home/ada/shelf", "commit": COMMIT, "tree": TREE, "dirty": True}


def claims(*judgements: Told, snapshot: Mapping[str, Any] = SNAPSHOT, image: Mapping[str, Any] = IMAGE) -> Claims:
    events = (
        Told("run_opened", {"application": "1.0.0", "isolation": "container"}),
        Told("snapshot", snapshot, {"dirty_patch": b"diff"}),
        Told("image", image),
        Told("plan", PLAN),
        *judgements,
        Told("run_closed", {}),
    )
    return read_claims(Bundle(events))


def test_where_the_source_was_is_a_content_and_was_a_text() -> None:
    hidden = {**SNAPSHOT, "origin": {"commitment": "0" * 64, "bytes": 15}}
    events = (
        Told("run_opened", {}),
        Told("snapshot", hidden, {"origin": b"/home/ada/shelf"}),
        Told("run_closed", {}),
    )
    assert read_claims(Bundle(events)).origin == "/home/ada/shelf"
    assert claims(snapshot=hidden).origin == "a source that is not named"
    assert claims(snapshot=SNAPSHOT).origin == "/home/ada/shelf"


def test_tests_come_back_whole_with_their_endings() -> None:
    accused = generated("test_accused")
    found = claims(judged(KEPT), judged(accused, TestVerdict.SUSPECTED))
    assert (found.tree, found.commit, found.patch, found.tests) == (TREE, COMMIT, b"diff", 2)
    (language,) = found.languages
    assert (language.language, language.pin.digest, language.pin.layers) == ("python", DIGEST, "b" * 64)
    assert language.cases == (
        (TestVerdict.ACCEPTED, Case(KEPT, Ending(Status.PASSED))),
        (TestVerdict.SUSPECTED, Case(accused, Ending(Status.FAILED, "AssertionError", "3"))),
    )


def test_refused_tests_claim_nothing() -> None:
    refused = JudgedTest(KEPT, TestVerdict.REFUSED, Reason.FLAKY)
    assert case_blob(refused, {KEPT.id: outcome(KEPT, Status.PASSED)}) == {}


def test_an_older_bundle_says_what_it_lacks() -> None:
    old = Told("judgement", {"test": KEPT.id, "target": "", "verdict": "accepted"})
    with pytest.raises(BadInput, match="did not yet record the whole tests"):
        claims(old)


def test_a_withheld_test_is_told_and_the_others_stay() -> None:
    withheld = replace(judged(generated("test_withheld")), contents={})
    (language,) = claims(judged(KEPT), withheld).languages
    assert len(language.cases) == 1 and "withheld" in language.unusable[0].why


def test_a_redacted_bundle_says_that_it_withholds_the_tests() -> None:
    with pytest.raises(BadInput, match="withholds the contents of all its tests"):
        claims(replace(judged(KEPT), contents={}))


def test_a_run_that_took_everything_over_names_the_other() -> None:
    with pytest.raises(BadInput, match="earlier run r1abc, so"):
        read_claims(Bundle((Told("run_opened", {}), Told("reused", {"relies_on": {"run": "r1abc"}}))))


@pytest.mark.parametrize("snapshot", [{}, {"tree": "../.."}, {"tree": 7}, {"tree": "AB" * 20}])
def test_a_bundle_without_a_tree_is_refused(snapshot: Mapping[str, Any]) -> None:
    with pytest.raises(BadInput, match="does not disclose what was analysed"):
        claims(judged(KEPT), snapshot=snapshot)


@pytest.mark.parametrize("change", [{"digest": "alpine:latest"}, {"runtime": "../x"}, {"digest": DIGEST + "\n"}])
def test_an_image_by_anything_else_than_its_digest_is_no_image(change: Mapping[str, Any]) -> None:
    assert claims(judged(KEPT), image={**IMAGE, **change}).languages == ()


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../out.py",
        "a/../../b.py",
        "",
        ".git/hooks/x",
        "a\\..\\b.py",
        "a//b.py",
        "./a.py",
        "a\n.py",
        "x" * 500,
    ],
)
def test_a_path_that_leaves_the_source_is_refused(path: str) -> None:
    test = replace(KEPT, path=path)
    (language,) = claims(judged(test)).languages
    assert language.cases == () and "no place below the source" in language.unusable[0].why


def test_the_case_must_be_of_the_test_that_was_judged() -> None:
    other = judged(KEPT)
    (language,) = claims(replace(other, data={**other.data, "test": "tests/x.py::test_y"})).languages
    assert "another test under this name" in language.unusable[0].why


def test_a_verdict_that_contradicts_its_ending_is_refused() -> None:
    failing = judged(KEPT, TestVerdict.SUSPECTED)
    (language,) = claims(replace(failing, data={**failing.data, "verdict": "accepted"})).languages
    assert language.cases == () and "not what its ending gives" in language.unusable[0].why


UNHURRIED = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(["test", "target", "verdict", "tree", "commit", "language", "digest", "requirements", CASE])


@UNHURRIED
@given(st.binary(max_size=200))
def test_any_bytes_as_a_case_are_a_sentence(document: bytes) -> None:
    assert isinstance(read_case(document, KEPT.id), str)


def test_what_was_installed_belongs_to_the_plan_before_it() -> None:
    packages = (InstalledPackage("python", "requests", "2.31.0", "sha256:" + "1" * 64),)
    data = {"requirements": ["requests", 3, "a\x1bb"], "packages": {}}
    installed = Told("dependencies_installed", data, {"packages": written(packages)})
    events = [Told("run_opened", {}), Told("snapshot", SNAPSHOT), Told("image", IMAGE), installed, Told("plan", PLAN)]
    (before,) = read_claims(Bundle((*events, judged(KEPT)))).languages
    assert before.installed is None
    (claim,) = read_claims(Bundle((*events, installed, judged(KEPT)))).languages
    assert claim.installed == InstalledClaim(("requests",), packages)
    for unknown in (replace(installed, contents={}), replace(installed, contents={"packages": b"[[1]]"})):
        (claim,) = read_claims(Bundle((*events, unknown, judged(KEPT)))).languages
        assert claim.installed == InstalledClaim(("requests",), None)


@UNHURRIED
@given(st.dictionaries(st.sampled_from(["test", "ending", "path", "code"]), JSON))
def test_any_json_as_a_case_is_a_sentence(document: dict[str, Any]) -> None:
    assert isinstance(read_case(json.dumps(document).encode(), KEPT.id), str)


@UNHURRIED
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["run_opened", "snapshot", "image", "plan", "judgement", "reused", "dependencies_installed"]
            ),
            st.dictionaries(FIELDS, JSON, max_size=5),
        ),
        max_size=8,
    )
)
def test_any_events_are_claims_or_a_sentence(events: list[tuple[str, dict[str, Any]]]) -> None:
    told = tuple(Told(type, data, {CASE: b"{}"}) for type, data in events)
    try:
        assert isinstance(read_claims(Bundle(told)), Claims)
    except BadInput as refused:
        assert refused.sentence
