"""Answers as lines of text, before they are printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qverify_desktop.domain.progress import RunSummary


def finished_lines(document: Mapping[str, Any]) -> list[str]:
    """A finished run in a few lines: verdict, defects, figures, files."""
    lines = [str(document.get("sentence") or document["verdict"]), ""]
    if document.get("isolation") == "reduced":
        lines += ["Reduced isolation: bubblewrap, without a container engine.", ""]
    for defect in document.get("suspected_defects", ()):
        lines += [
            f"Suspected defect in {defect['file']}, {defect['symbol']}:",
            f"  {defect['call']} gives {defect['observed']}, expected {defect['expected']}",
            *(f"  | {words}" for words in str(defect["evidence_text"]).splitlines()),
            *([f"  {defect['history']['sentence']}"] if defect.get("history") else []),
            "",
        ]
    for one in document.get("fixed", ()):
        lines += [f"{one['file']}, {one['symbol']}, {one['call']}:", f"  {one['sentence']}", ""]
    for one in document.get("changes", ()):
        lines += [f"{one['file']}, {one['symbol']} answers otherwise:", f"  {one['sentence']}", ""]
    refused = document.get("refused", {})
    lines.append(f"Tests      {document['accepted']} accepted, {sum(refused.values())} refused")
    lines += [f"             {count} {reason.replace('_', ' ')}" for reason, count in sorted(refused.items())]
    coverage, mutation = document["coverage"], document["mutation"]
    lines.append(f"Lines      {_change(coverage, 'lines')}    Branches {_change(coverage, 'branches')}")
    lines.append(f"Mutants    {_mutants(mutation)}")
    lines += [f"Notice     {notice}" for notice in document.get("notices", ())]
    lines.append(f"Report     {document['report']}")
    lines.append(f"Evidence   {document['bundle']} ({document['grade']})")
    return lines


def defect_lines(one: Mapping[str, Any]) -> list[str]:
    """A suspected defect: its id and what was decided, what it is, and the words that it contradicts."""
    decision = one["decision"] or "not decided"
    note = f": {one['note']}" if one["note"] else ""
    return [
        f"{one['id']}  {decision}{note}",
        f"  {one['file']}:{one['line']}, {one['symbol']}: {one['call']} gives {one['observed']}, expected {one['expected']}",
        *(f"  | {words}" for words in str(one["words"]).splitlines()),
        *([f"  {one['history']}"] if one["history"] else []),
    ]


def preview_lines(view: Mapping[str, Any]) -> list[str]:
    """A prompt that was not sent, with the messages as they stand."""
    lines = [
        f"{view['target']}, {view['purpose'].replace('_', ' ')} ({view['template']}). Nothing was sent.",
        f"{counted(view['count'])} Another is shown with --target NAME, all are listed with --targets.",
        "",
    ]
    for number, one in enumerate(view["destinations"], 1):
        lines.append(f"{number}. {_destination(one)}")
    if not view["destinations"]:
        lines.append("Nobody would be asked: no end points are set in models.toml.")
    elsewhere = any(not one["local"] and not one["refused"] for one in view["destinations"])
    if not view["cloud"] and elsewhere:
        lines.append("Before prompts of this repository leave this machine you are asked (--cloud or --local-only).")
    if not view["measured"]:
        lines.append("No run has measured these files yet, so every line of the function counts as untested.")
    masked = [f"  message {one['message'] + 1}, line {one['line']}: {one['rule']}" for one in view["masked"]]
    lines += [f"Masked     {len(masked)} {'secret' if len(masked) == 1 else 'secrets'}", *masked]
    for number, message in enumerate(view["messages"], 1):
        lines += ["", f"----- message {number}, {message['role']} -----", message["content"]]
    return lines


def counted(count: int) -> str:
    return f"A model would be asked about {count:,} {'function' if count == 1 else 'functions'} in all."


def _destination(one: Mapping[str, Any]) -> str:
    if one["refused"]:
        return f"{one['name']}: not asked. {one['refused']}"
    place = "this machine" if one["local"] else one["host"]
    cost = f"at most {dollars(one['estimate_microusd'])}" if one["estimate_microusd"] else "free"
    guess = "" if one["price_known"] else ", by a cautious guess: its price is not known"
    cut = "; it would get less, because its context is shorter" if one["shortened"] else ""
    return (
        f"{one['provider']}/{one['model']} at {place}: about {one['prompt_tokens']:,} tokens, "
        f"at most {one['max_tokens']:,} of answer, {cost}{guess}{cut}"
    )


def _mutants(mutation: Mapping[str, Any]) -> str:
    before, after = mutation["before"], mutation["after"]
    if isinstance(before, Mapping):
        return _change(mutation, next(iter(before), "mutants"))
    return f"{_percent(before)} → {_percent(after)}"


def _change(measure: Mapping[str, Any], what: str) -> str:
    return f"{_percent(measure['before'].get(what))} → {_percent(measure['after'].get(what))}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def summary_document(summary: RunSummary) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(summary)


def run_row(one: RunSummary) -> str:
    what = one.sentence if one.sentence else one.stage
    return f"{one.run}  {one.started_at}  {one.status.value:<11}  {one.source}  {what}".rstrip()


def key_row(one: Mapping[str, Any]) -> str:
    ending = f"…{one['ending']}" if one["ending"] else ""
    remark = "" if one["counts"] else "not used: another store goes before it"
    return f"{one['provider'] or 'any':<28} {one['store']:<12} {ending:<6} {remark}".rstrip()


def usage_row(name: str, row: Mapping[str, Any]) -> str:
    parts = [
        f"{row['calls']:,} calls",
        f"{row['prompt_tokens']:,} + {row['completion_tokens']:,} tokens",
        dollars(row["cost_microusd"]),
    ]
    parts += [
        f"{row[key]:,} {words}" for key, words in (("failed", "failed"), ("cached", "from the cache")) if row[key]
    ]
    if row["doubtful"]:
        parts.append(f"{row['doubtful']:,} open or in doubt (up to {dollars(row['doubtful_microusd'])} more)")
    return f"{name:<32} {' · '.join(parts)}"


def dollars(microusd: int) -> str:
    """To the last millionth, without the zeros after the cents, and without any float."""
    whole, rest = divmod(microusd, 1_000_000)
    digits = f"{rest:06}"
    return f"${whole:,}.{digits[:2]}{digits[2:].rstrip('0')}"
