"""A run result as an honest repository gives it, and one whose every text is hostile."""

from __future__ import annotations

from qverify_desktop.domain.project import Commit, MissingDependency, Scope, SkippedPath
from qverify_desktop.domain.results import (
    AnalysisRequest,
    Calibration,
    DefectHistory,
    EarlierRun,
    FixedBy,
    FixedDefect,
    Fraction,
    Gain,
    JudgedTest,
    Measure,
    Past,
    Reason,
    RunResult,
    SuspectedDefect,
    TestVerdict,
    Verdict,
)
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin, Quote

PATH = "tests/qverify/test_qv_ranges.py"
HOSTILE = "</pre><script>alert(1)</script>\"'`|=cmd()&{{7*7}}\u202e\x00\x1b[31m\ud800]]>\n# x"


def judged(name: str, verdict: TestVerdict, reason: Reason, detail: str = "", path: str = PATH) -> JudgedTest:
    quote = Quote(">>> page_count(10, 5)\n2", "shelf/ranges.py", 13) if verdict is not TestVerdict.REFUSED else None
    label = Label.SPECIFICATION if quote else Label.CHARACTERIZATION
    test = GeneratedTest(
        path, name, f"def {name}(): ...", "shelf/ranges.py::page_count", label, Origin.PROMISE, quote=quote
    )
    return JudgedTest(test, verdict, reason, detail, Gain(3, 1, 2) if verdict is TestVerdict.ACCEPTED else Gain())


def defect(test: str) -> SuspectedDefect:
    words = Quote(">>> page_count(10, 5)\n2", "shelf/ranges.py", 13)
    past = DefectHistory(
        Past.BROKEN_SINCE, Commit("6" * 40, "2026-01-01T10:00:00Z", "Round up"), Commit("7" * 40), 0, 4
    )
    return SuspectedDefect(
        "shelf/ranges.py",
        "page_count",
        8,
        "page_count(10, 5)",
        "2",
        "3",
        words,
        test,
        5,
        950,
        past,
        "doctest",
        Calibration(63, 71),
    )


def result() -> RunResult:
    tests = (
        judged("test_kept", TestVerdict.ACCEPTED, Reason.GAIN),
        judged("test_again", TestVerdict.REFUSED, Reason.NO_GAIN),
        judged("test_other", TestVerdict.REFUSED, Reason.NO_GAIN, "It repeats test_kept."),
        judged("test_flaky", TestVerdict.REFUSED, Reason.FLAKY, path="tests/qverify/test_qv_text.py"),
        judged("test_words", TestVerdict.SUSPECTED, Reason.CONTRADICTS_WORDS),
    )
    return RunResult(
        run="r-1",
        request=AnalysisRequest("/home/me/shelf", Scope("changed", ref="main"), seed=7),
        verdict=Verdict.DEFECTS_SUSPECTED,
        sentence="1 suspected defect, in page_count. 1 of 5 tests were kept; line coverage 50 % to 90 %.",
        origin="/home/me/shelf",
        commit="1" * 40,
        tree="2" * 40,
        languages=("python",),
        image_digest="sha256:" + "3" * 64,
        baseline="7 of 7 passed",
        targets=12,
        tests=tests,
        defects=(defect(tests[4].test.id),),
        fixed=(FixedDefect(defect(tests[4].test.id), EarlierRun("r-0", 17, "5" * 64), FixedBy.CODE),),
        before=Measure(Fraction(50, 100), Fraction(0, 0), Fraction(1, 8)),
        after=Measure(Fraction(90, 100), Fraction(0, 0), Fraction(6, 8)),
        missing=(MissingDependency("yaml", "pyyaml", ("shelf/io.py",)),),
        skipped=(SkippedPath("big.bin", "It has 51 MiB; files over 50 MiB are left out."),),
        notices=("One file could not be parsed.",),
        cost_microusd=1500,
        duration_ms=61_500,
        sandbox_ms=60_000,
        started_at="2026-01-02T03:04:05Z",
        files={PATH: "def test_kept():\n    assert page_count(11, 5) == 3\n"},
    )


def hostile() -> RunResult:
    """Everything that may come from a repository or a model holds markup, control characters and formulas."""
    bad = HOSTILE
    quote = Quote(bad, bad, 1)
    tests = tuple(
        JudgedTest(
            GeneratedTest(
                f"=t{bad}", f"{bad}{verdict.value}", bad, bad, Label.SPECIFICATION, Origin.MODEL, quote=quote
            ),
            verdict,
            Reason.GAIN if verdict is TestVerdict.ACCEPTED else Reason.FAILS,
            bad,
        )
        for verdict in TestVerdict
    )
    past = DefectHistory(Past.NEVER_HELD, Commit(bad, bad, bad), None, 0, 3)
    defect = SuspectedDefect(bad, bad, 0, bad, bad, bad, quote, tests[2].test.id, 5, 500, past)
    return RunResult(
        run="r-2",
        request=AnalysisRequest(bad, Scope("files", glob=bad), model=bad),
        verdict=Verdict.DEFECTS_SUSPECTED,
        sentence=bad,
        origin=bad,
        commit=bad,
        tree="2" * 40,
        languages=(bad,),
        baseline=bad,
        tests=tests,
        defects=(defect,),
        fixed=(FixedDefect(defect, EarlierRun(bad, 1, bad), FixedBy.WORDS),),
        missing=(MissingDependency(bad, bad, (bad,)),),
        skipped=(SkippedPath(bad, bad),),
        notices=(bad,),
        started_at=bad,
        files={f"=t{bad}": bad},
    )


def empty() -> RunResult:
    return RunResult("r-3", AnalysisRequest("x"), Verdict.INCONCLUSIVE, "Inconclusive: nothing.", "x", None, "4" * 40)
