"""Suspected defects as a window shows them: ranked, with a program that shows each, and what a person decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from qverify_desktop.domain.result_views import DefectView
from qverify_desktop.domain.results import RunResult, SuspectedDefect
from qverify_desktop.export.issue import issue, reproducer
from qverify_desktop.languages.base import Language
from qverify_desktop.storage.decisions import Decision


def identity(view: DefectView) -> tuple[str, str, str]:
    """What makes two suspected defects of different runs the same one."""
    return view["file"], view["symbol"], view["call"]


def defect_id(defect: SuspectedDefect) -> str:
    """Stable name within a run and across runs of the same code."""
    return defect.id


def views(result: RunResult, decisions: Mapping[str, Decision], languages: Sequence[Language]) -> list[DefectView]:
    """All suspected defects of a run, most confident first."""
    ranked = sorted(result.defects, key=lambda defect: (-defect.confidence, defect.file, defect.line))
    tests = {judged.test.id: judged.test for judged in result.tests}
    folder = Path(result.request.source)
    made: list[DefectView] = []
    for defect in ranked:
        test = tests.get(defect.test)
        id_ = defect_id(defect)
        decided = decisions.get(id_, Decision(""))
        code = reproducer(test)
        language = next((one for one in languages if defect.file.endswith(one.endings)), None)
        name = language.name if language else (result.languages or ("",))[0]
        command = language.command(test) if language and test else ""
        there = folder.joinpath(*defect.file.split("/"))
        made.append(
            {
                "id": id_,
                "file": defect.file,
                "symbol": defect.symbol,
                "line": defect.line,
                "call": defect.call,
                "expected": defect.expected,
                "observed": defect.observed,
                "words": defect.evidence.text,
                "words_file": defect.evidence.file,
                "words_line": defect.evidence.line,
                "reproductions": defect.reproductions,
                "confidence": defect.confidence,
                "reproducer": code,
                "command": command,
                "history": defect.history.sentence if defect.history else "",
                "calibration": defect.calibration.sentence if defect.calibration else "",
                "issue": issue(defect, code, command, name),
                "language": name,
                "decision": decided.decision,
                "note": decided.note,
                "file_on_disk": str(there) if _is_there(folder, there) else "",
            }
        )
    return made


def _is_there(folder: Path, file: Path) -> bool:
    """Whether the user's folder still has the file, inside itself (no link out of it)."""
    try:
        return folder.is_absolute() and file.is_file() and file.resolve().is_relative_to(folder.resolve())
    except OSError:
        return False
