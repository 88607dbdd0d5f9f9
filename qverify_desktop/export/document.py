"""The JSON documents of ``analyze --json`` and ``verify --json`` (``docs/analyze.schema.json``, ``docs/verify.schema.json``)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from qverify_desktop.domain.results import (
    EXIT_CODES,
    SENTENCES,
    BehaviourChange,
    DefectHistory,
    JudgedTest,
    Measure,
    RunResult,
    SuspectedDefect,
    TestVerdict,
)


def analyze_document(result: RunResult, bundle: str, report: str, grade: str) -> dict[str, Any]:
    """A finished run as JSON-ready data. ``bundle`` and ``report`` are paths, ``grade`` is the verifier's word on the bundle.

    Fractions are between 0 and 1, ``None`` where nothing could be counted; durations in seconds, money in millionths of a
    US dollar; ``confidence`` is between 0 and 1.
    """
    refused = Counter(test.reason.value for test in result.tests if test.verdict is TestVerdict.REFUSED)
    return {
        "run": result.run,
        "verdict": result.verdict.value,
        "sentence": result.sentence,
        "exit_code": EXIT_CODES[result.verdict],
        "languages": list(result.languages),
        "targets": result.targets,
        "accepted": len(result.accepted),
        "refused": dict(sorted(refused.items())),
        "suspected_defects": [_defect(defect) for defect in result.defects],
        "fixed": [
            {**_defect(one.defect), "run": one.since.run, "by": one.by.value, "sentence": one.sentence}
            for one in result.fixed
        ],
        "changes": [_change(change) for change in result.changes],
        "reused": {"run": result.reused.run if result.reused else None, "targets": result.reused_targets},
        "coverage": {"before": _coverage(result.before), "after": _coverage(result.after)},
        "mutation": {"before": result.before.mutants.value, "after": result.after.mutants.value},
        "counts": {"before": _counts(result.before), "after": _counts(result.after)},
        "tests": [_test(test) for test in result.tests],
        "cost_microusd": result.cost_microusd,
        "duration_s": result.duration_ms / 1000,
        "sandbox_s": result.sandbox_ms / 1000,
        "model_s": result.model_ms / 1000,
        "bundle": bundle,
        "report": report,
        "grade": grade,
        "out": result.request.out or (str(Path(report or bundle).parent) if report or bundle else ""),
        "origin": result.origin,
        "commit": result.commit,
        "tree": result.tree,
        "scope": str(result.request.scope),
        "model": result.request.model,
        "seed": result.request.seed,
        "started_at": result.started_at,
        "image_digest": result.image_digest,
        "isolation": result.isolation.value,
        "baseline": result.baseline,
        "missing": [
            {"module": one.module, "requirement": one.requirement, "needed_by": list(one.needed_by)}
            for one in result.missing
        ],
        "skipped": [{"path": one.path, "reason": one.reason} for one in result.skipped],
        "notices": list(result.notices),
    }


def _defect(defect: SuspectedDefect) -> dict[str, Any]:
    return {
        "file": defect.file,
        "symbol": defect.symbol,
        "line": defect.line,
        "call": defect.call,
        "expected": defect.expected,
        "observed": defect.observed,
        "evidence_text": defect.evidence.text,
        "evidence_file": defect.evidence.file,
        "evidence_line": defect.evidence.line,
        "confidence": defect.confidence / 1000,
        "reproductions": defect.reproductions,
        "test": defect.test,
        "history": _history(defect.history) if defect.history else None,
        "form": defect.form,
        "calibration": (
            {"right": defect.calibration.right, "accused": defect.calibration.accused} if defect.calibration else None
        ),
    }


def _change(change: BehaviourChange) -> dict[str, Any]:
    quote = change.quote
    return {
        "file": change.file,
        "symbol": change.symbol,
        "line": change.line,
        "call": change.call,
        "now": change.now,
        "before": change.before,
        "revision": change.revision,
        "test": change.test,
        "sentence": change.sentence,
        "quote": {"text": quote.text, "file": quote.file, "line": quote.line} if quote else None,
    }


def _history(history: DefectHistory) -> dict[str, Any]:
    commit = history.commit
    return {
        "state": history.state.value,
        "sentence": history.sentence,
        "commit": commit.id if commit else None,
        "date": commit.date if commit else None,
        "subject": commit.subject if commit else None,
        "held": history.held.id if history.held else None,
        "between": history.between,
        "tried": history.tried,
    }


def _test(judged: JudgedTest) -> dict[str, Any]:
    test = judged.test
    return {
        "path": test.path,
        "name": test.name,
        "target": test.target,
        "label": test.label.value,
        "origin": test.origin.value,
        "verdict": judged.verdict.value,
        "reason": judged.reason.value,
        "sentence": SENTENCES[judged.reason],
        "detail": judged.detail,
        "gain": {"lines": judged.gain.lines, "branches": judged.gain.branches, "mutants": judged.gain.mutants},
        "quote": {"text": test.quote.text, "file": test.quote.file, "line": test.quote.line} if test.quote else None,
    }


def _coverage(measure: Measure) -> dict[str, float | None]:
    return {"lines": measure.lines.value, "branches": measure.branches.value}


def _counts(measure: Measure) -> dict[str, dict[str, int]]:
    kinds = {"lines": measure.lines, "branches": measure.branches, "mutants": measure.mutants}
    return {kind: {"part": fraction.part, "whole": fraction.whole} for kind, fraction in kinds.items()}
