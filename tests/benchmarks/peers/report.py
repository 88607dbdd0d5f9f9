"""The figures as pages: ``docs/measurements/peers.md`` whole, the README's table short."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.peers.subjects import SUBJECTS

TITLES = {"ours": "QVerify, no model", "pynguin": "Pynguin 0.48", "ghostwriter": "Hypothesis' ghostwriter"}
BEGIN, END = "<!-- peers: made by make bench-peers -->", "<!-- /peers -->"

Document = Mapping[str, Any]


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"


def page(found: Sequence[Document]) -> str:
    """The whole page."""
    lines = [
        "# Beside other test generators",
        "",
        "Made by `make bench-peers` (`tests/benchmarks/peers`): source distributions from which their own tests were removed. Ours is",
        "`qverify analyze --model none --seed 0`, all of it: snapshot, generation, five runs of every candidate, mutants, evidence.",
        "Pynguin 0.48 (DynaMOSA, seed 0) and `hypothesis write` run in containers of the same Python with the same two cores, two",
        "modules at a time. Pynguin is given the seconds that ours took, two thirds of them for its search and one for its",
        "assertions, and is stopped at one and a half times as many. All tests are measured by the same coverage run and the same mutants, at most ten for each function, reached or not.",
        "",
        f"Machine: {os.cpu_count()} cores shared with other work, {platform.system()} {platform.release()}.",
        "",
        "## From nothing",
        "",
        "| project | tool | seconds | lines | branches | mutants noticed | tests that pass | accusations |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for document in found:
        for tool, figures in document["tools"].items():
            lines.append(
                f"| {document['requirement'].replace('==', ' ')} | {TITLES[tool]} | {figures['seconds']:.0f} "
                f"| {percent(*figures['lines'])} | {percent(*figures['branches'])} | {percent(*figures['mutants'])} "
                f"| {figures['passed']} | {len(figures['accused'])} |"
            )
    lines += [
        "",
        "An accusation is one of ours' suspected defects, or a peer's test that fails on the untouched project.",
        "",
        "Pynguin with the budget that it took when it was first measured on this machine, before this benchmark was written:",
        "",
        "| project | seconds | lines | branches |",
        "|---|---|---|---|",
    ]
    for subject in SUBJECTS:
        if subject.pynguin:
            reached, branched, seconds = subject.pynguin
            lines.append(f"| {subject.name} | {seconds} | {reached} % | {branched} % |")
    lines += ["", *_planted(found), *_accusations(found), *_problems(found)]
    return "\n".join(lines).rstrip() + "\n"


def _planted(found: Sequence[Document]) -> list[str]:
    documents = [document for document in found if "planted" in document]
    total = sum(len(document["planted"]["plantings"]) for document in documents)
    lines = [
        f"## {total} planted contradictions",
        "",
        "Each is one small change after which an example in the project's documentation no longer holds; that it held before and",
        "does not hold after is evaluated, not assumed. The tool gets the planted project. Caught: ours lists the function as a",
        "suspected defect; a peer's test fails on the planted code and passes on the untouched. Frozen: a test passes on the",
        "planted code and fails on the untouched, so it would defend the bug.",
        "",
        "| project | planted | " + " | ".join(f"{title}: caught, frozen" for title in TITLES.values()) + " |",
        "|---|---|" + "---|" * len(TITLES),
    ]
    for document in documents:
        planted = document["planted"]
        cells = [
            f"{len(planted['tools'][tool]['caught'])}, {len(planted['tools'][tool]['frozen'])}" for tool in TITLES
        ]
        name = document["requirement"].partition("==")[0]
        lines.append(f"| {name} | {len(planted['plantings'])} | {' | '.join(cells)} |")
    sums = [
        ", ".join(
            str(sum(len(document["planted"]["tools"][tool][kind]) for document in documents))
            for kind in ("caught", "frozen")
        )
        for tool in TITLES
    ]
    lines += [f"| **all** | **{total}** | {' | '.join(f'**{cell}**' for cell in sums)} |", ""]
    spoken = sum(len(document["planted"]["tools"]["ours"]["frozen_specification"]) for document in documents)
    lines += [
        f"Ours froze {spoken} in under the label `specification`; the others carry the label `characterization`.",
        "",
        "| project | function | example | says | ours | Pynguin | ghostwriter |",
        "|---|---|---|---|---|---|---|",
    ]
    for document in documents:
        for planting in document["planted"]["plantings"]:
            cells = [_fate(document["planted"]["tools"][tool], planting["symbol"]) for tool in TITLES]
            example, says = (planting[key].replace("|", "\\|") for key in ("example", "says"))
            lines.append(
                f"| {planting['project']} | `{planting['symbol']}` | `{example}` | `{says}` | {' | '.join(cells)} |"
            )
    others = [
        f"- {document['requirement'].partition('==')[0]}: {told}"
        for document in documents
        for told in document["planted"]["tools"]["ours"]["others"]
    ]
    lines += [
        "",
        "What ours suspects on the planted projects besides (mostly functions that call a changed one):",
        "",
    ]
    return [*lines, *(others or ["- nothing"]), ""]


def _fate(figures: Document, symbol: str) -> str:
    words = [word for word in ("caught", "frozen") if symbol in figures[word]]
    return " and ".join(words) or "missed"


def _accusations(found: Sequence[Document]) -> list[str]:
    lines = ["## Accusations on untouched projects", ""]
    for tool, title in TITLES.items():
        counts = [len(document["tools"][tool]["accused"]) for document in found if tool in document["tools"]]
        lines.append(f"- {title}: {sum(counts)} in {sum(map(bool, counts))} of {len(counts)} projects")
    lines += ["", "Ours, which are read one by one in `adjudication.md`:", ""]
    for document in found:
        for told in document["tools"]["ours"]["accused"]:
            lines.append(f"- {document['requirement'].partition('==')[0]}: {told}")
    return [*lines, ""]


def _problems(found: Sequence[Document]) -> list[str]:
    lines = [
        f"- {document['requirement'].partition('==')[0]}, {TITLES[tool]}: {' '.join(figures['problem'].split())[:300].replace('/work/', '')}"
        for document in found
        for tool, figures in document["tools"].items()
        if figures["problem"]
    ]
    return ["## What did not run", "", *lines] if lines else []


def write_table(readme: Path, found: Sequence[Document]) -> None:
    """Put the short table between the README's two marks; a README without them is left as it is."""
    text = readme.read_text("utf-8")
    rows = ["| from nothing: lines, branches, mutants | " + " | ".join(TITLES.values()) + " |", "|---|---|---|---|"]
    for document in found:
        cells = [
            " / ".join(
                f"{100 * part / whole:.0f}" if whole else "–"
                for part, whole in (figures[k] for k in ("lines", "branches", "mutants"))
            )
            for figures in (document["tools"][tool] for tool in TITLES)
        ]
        rows.append(f"| {document['requirement'].partition('==')[0]} (%) | {' | '.join(cells)} |")
    planted = [document["planted"] for document in found if "planted" in document]
    total = sum(len(one["plantings"]) for one in planted)
    caught = [str(sum(len(one["tools"][tool]["caught"]) for one in planted)) for tool in TITLES]
    rows.append(f"| of {total} planted contradictions caught | {' | '.join(caught)} |")
    accused = [str(sum(len(document["tools"][tool]["accused"]) for document in found)) for tool in TITLES]
    rows.append(f"| accusations on the untouched projects | {' | '.join(accused)} |")
    table = "\n".join([BEGIN, *rows, END])
    readme.write_text(
        re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: table, text, flags=re.DOTALL), "utf-8"
    )
