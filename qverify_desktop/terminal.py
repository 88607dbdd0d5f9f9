"""What a terminal shows: answers on standard output, progress on standard error; one JSON document where asked for."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

from qverify_desktop.domain.progress import STAGE_TITLES, EventKind, RunEvent, RunSummary

#: Seconds between two lines of progress where the output is no terminal.
QUIET_SECONDS = 5.0


def clean(text: str) -> str:
    """Text of a repository or a file name without characters that could steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


class Progress(Protocol):
    """Takes a run's events in their order. Nothing is drawn inside ``paused``."""

    def tell(self, event: RunEvent) -> None: ...

    def paused(self) -> AbstractContextManager[None]: ...


class Screen:
    """Prints a command's answer, as text or as one JSON document."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """A bar on a terminal, plain lines elsewhere."""
        if not sys.stderr.isatty():
            yield PlainProgress()
            return
        from qverify_desktop.terminal_bar import BarProgress

        with BarProgress() as bar:
            yield bar

    def note(self, text: str) -> None:
        """A line beside the answer."""
        print(clean(text), file=sys.stderr, flush=True)

    def print_error(self, error: Mapping[str, Any]) -> None:
        self.note(f"qverify: {error['sentence']}")
        if error.get("remedy"):
            self.note(f"         {error['remedy']}")

    def print_document(self, document: Mapping[str, Any]) -> None:
        """A run, finished or not."""
        if self.as_json:
            _print_json(document)
        elif "verdict" in document:
            _print_lines(finished_lines(document))
        else:
            self.print_status(document)

    def print_status(self, document: Mapping[str, Any]) -> None:
        if self.as_json:
            _print_json(document)
        else:
            _print_lines([f"{document['run']}: {document['status']}. {document.get('sentence', '')}".strip()])

    def print_runs(self, summaries: Sequence[RunSummary]) -> None:
        if self.as_json:
            _print_json({"runs": [_summary(one) for one in summaries]})
        elif not summaries:
            _print_lines(["Nothing was run yet. Begin with: qverify analyze FOLDER"])
        else:
            _print_lines(_row(one) for one in summaries)

    def print_written(self, format: str, path: str) -> None:
        if self.as_json:
            _print_json({"format": format, "path": path})
        else:
            _print_lines([f"Written: {path}"])

    def print_usage(self, view: Mapping[str, Any]) -> None:
        """Sums of the ledger, and their sum."""
        if self.as_json:
            _print_json(view)
        elif not view["rows"]:
            _print_lines(["No model was asked yet. Analyses without a model are free and use none."])
        else:
            _print_lines(_usage_row(row["name"], row) for row in [*view["rows"], view["total"] | {"name": "in all"}])

    def print_trends(self, trends: Sequence[Mapping[str, Any]], *, whole: bool) -> None:
        """Repositories over their runs; ``whole``: every run of each."""
        from qverify_desktop.terminal_trend import history, overview

        if self.as_json:
            _print_json({"repositories": list(trends)})
        elif whole:
            for trend in trends:
                _print_lines(history(trend))
        else:
            _print_lines(overview(trends))

    def print_calls(self, calls: Sequence[Mapping[str, Any]]) -> None:
        """Every call in a line, newest first."""
        if self.as_json:
            _print_json({"calls": list(calls)})
        elif not calls:
            _print_lines(["No model was asked yet. Analyses without a model are free and use none."])
        else:
            _print_lines(
                f"{one['sent_at']}  {one['run']:<12} {one['purpose']:<14} {one['provider']}/{one['model']}  {one['state']}  "
                f"{one['prompt_tokens']:,} + {one['completion_tokens']:,} tokens  {_dollars(one['cost_microusd'])}  "
                f"{one['sentence']}".rstrip()
                for one in calls
            )

    def print_keys(self, view: Mapping[str, Any], told: str = "") -> None:
        """Every key that is known, without the key; ``told`` is what a change came to."""
        if self.as_json:
            _print_json(view)
            return
        if told:
            _print_lines([told])
            return
        if not view["keys"]:
            _print_lines(["No key is known here."])
        _print_lines(_key_row(one) for one in view["keys"])
        if view["file"] == "locked":
            _print_lines(["The key file is locked; what it holds is not listed."])

    def print_checkpoint(self, view: Mapping[str, Any], told: Sequence[str]) -> None:
        """The note alone on standard output, so that it can be sent into a file; what is said of it beside that."""
        if self.as_json:
            _print_json(view)
            return
        sys.stdout.write(view["note"])
        for line in told:
            self.note(line)

    def print_signing_keys(self, view: Mapping[str, Any], told: str = "") -> None:
        """The keys of the log, the one in use first; ``told`` is what a change came to."""
        if self.as_json:
            _print_json(view)
            return
        _print_lines([told] if told else [])
        for key in view["keys"]:
            state = "signs the log" if key["state"] == "in_use" else f"{key['state']} on {key['changed_at'][:10]}"
            reason = f" ({key['reason']})" if key["reason"] else ""
            kept = (
                ""
                if key["state"] != "in_use"
                else ", kept in the keyring"
                if key["protected"]
                else ", an unprotected key"
            )
            _print_lines([f"{key['id']}  {state}{reason}{kept}", f"  {key['verifier_key']}"])

    def print_told(self, sentence: str, **facts: Any) -> None:
        """One sentence; with ``--json`` a document of it and the facts."""
        if self.as_json:
            _print_json({"sentence": sentence, **facts})
        else:
            _print_lines([sentence])

    def print_previews(self, views: Sequence[Mapping[str, Any]], *, names: bool) -> None:
        """Where each prompt would go, what it would cost, what was masked, and all that it says. With ``names`` only the functions
        that a model would be asked about, in their order, and how many they are."""
        first = views[0]
        if self.as_json and names:
            _print_json({"targets": first["targets"], "count": first["count"]})
        elif self.as_json:
            _print_json(first if len(views) == 1 else {"previews": list(views)})
        elif names:
            _print_lines([*first["targets"], _counted(first["count"])])
        else:
            for number, view in enumerate(views):
                _print_lines([*([""] if number else ()), *preview_lines(view)])

    def print_replay(self, view: Mapping[str, Any]) -> None:
        if self.as_json:
            _print_json(view)
        else:
            _print_lines([f"{view['run']}: {view['sentence']}", *(f"  {line}" for line in view["differences"])])

    def print_runtimes(self, answers: Sequence[Mapping[str, Any]]) -> None:
        if self.as_json:
            _print_json({"runtimes": list(answers)})
            return
        for one in answers:
            digest = str(one.get("digest") or "")
            state = f"ready {digest[7:19]}" if digest else "not built"
            _print_lines(
                [f"{one.get('runtime', ''):<12} {state:<22} {one.get('sentence') or one.get('reference', '')}"]
            )
            tools = ", ".join(f"{tool} {version}" for tool, version in one.get("tools", {}).items())
            size = f"{one['size_bytes'] / 1e6:.0f} MB" if one.get("size_bytes") else ""
            told = " · ".join(part for part in (tools, size) if part)
            _print_lines(f"             {text}" for text in (*([told] if told else ()), *one.get("differences", ())))

    def print_checks(self, checks: Sequence[Mapping[str, Any]]) -> None:
        if self.as_json:
            _print_json({"checks": list(checks)})
            return
        marks = {"ok": "ok      ", "warning": "warning ", "blocking": "BLOCKING"}
        for check in checks:
            _print_lines([f"{marks.get(check['state'], check['state'])}  {check['title']}: {check['sentence']}"])
            if check["state"] != "ok" and check.get("remedy"):
                _print_lines([f"          {check['remedy']}"])


def print_verification(answer: Mapping[str, Any], lines: Iterator[str], as_json: bool) -> None:
    """The grade of a bundle with everything that is wrong with it; ``lines`` are the stand-alone verifier's."""
    if as_json:
        _print_json(answer)
    else:
        _print_lines(lines)


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


def preview_lines(view: Mapping[str, Any]) -> list[str]:
    """A prompt that was not sent, with the messages as they stand."""
    lines = [
        f"{view['target']}, {view['purpose'].replace('_', ' ')} ({view['template']}). Nothing was sent.",
        f"{_counted(view['count'])} Another is shown with --target NAME, all are listed with --targets.",
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


def _counted(count: int) -> str:
    return f"A model would be asked about {count:,} {'function' if count == 1 else 'functions'} in all."


def _destination(one: Mapping[str, Any]) -> str:
    if one["refused"]:
        return f"{one['name']}: not asked. {one['refused']}"
    place = "this machine" if one["local"] else one["host"]
    cost = f"at most {_dollars(one['estimate_microusd'])}" if one["estimate_microusd"] else "free"
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


def _summary(summary: RunSummary) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(summary)


def _row(one: RunSummary) -> str:
    what = one.sentence if one.sentence else one.stage
    return f"{one.run}  {one.started_at}  {one.status.value:<11}  {one.source}  {what}".rstrip()


def _key_row(one: Mapping[str, Any]) -> str:
    ending = f"…{one['ending']}" if one["ending"] else ""
    remark = "" if one["counts"] else "not used: another store goes before it"
    return f"{one['provider'] or 'any':<28} {one['store']:<12} {ending:<6} {remark}".rstrip()


def _usage_row(name: str, row: Mapping[str, Any]) -> str:
    parts = [
        f"{row['calls']:,} calls",
        f"{row['prompt_tokens']:,} + {row['completion_tokens']:,} tokens",
        _dollars(row["cost_microusd"]),
    ]
    parts += [
        f"{row[key]:,} {words}" for key, words in (("failed", "failed"), ("cached", "from the cache")) if row[key]
    ]
    if row["doubtful"]:
        parts.append(f"{row['doubtful']:,} open or in doubt (up to {_dollars(row['doubtful_microusd'])} more)")
    return f"{name:<32} {' · '.join(parts)}"


def _dollars(microusd: int) -> str:
    """To the last millionth, without the zeros after the cents, and without any float."""
    whole, rest = divmod(microusd, 1_000_000)
    digits = f"{rest:06}"
    return f"${whole:,}.{digits[:2]}{digits[2:].rstrip('0')}"


def _print_lines(lines: Iterator[str] | Sequence[str] | Any) -> None:
    for line in lines:
        _write(clean(line))


def _print_json(document: Any) -> None:
    _write(json.dumps(document, indent=2))


def _write(text: str) -> None:
    """Print although the terminal's encoding may lack characters of a file's name."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)


class PlainProgress:
    """One line a stage and, where a stage takes long, one every few seconds."""

    def __init__(self) -> None:
        self._began: dict[str, int] = {}
        self._last = 0.0

    def paused(self) -> AbstractContextManager[None]:
        """Lines are no bar: nothing is drawn between them."""
        return nullcontext()

    def tell(self, event: RunEvent) -> None:
        line = self._line(event)
        if line:
            encoding = sys.stderr.encoding or "utf-8"
            print(clean(line).encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr, flush=True)

    def _line(self, event: RunEvent) -> str:
        title = STAGE_TITLES[event.stage] if event.stage else ""
        if event.kind is EventKind.STATUS and event.status is not None:
            return f"{event.run}: {event.status.value}"
        if event.kind is EventKind.STAGE_STARTED and event.stage:
            self._began[event.stage] = event.at_ms
            return f"  {title} …"
        if event.kind is EventKind.STAGE_FINISHED and event.stage:
            return f"  {title}: {event.text}{_took(event, self._began)}"
        if event.kind is EventKind.LOG:
            return f"    {event.text}"
        now = time.monotonic()
        if event.kind is EventKind.PROGRESS and (now - self._last > QUIET_SECONDS):
            self._last = now
            return f"    {title}: {event.done} of {event.total} {event.text}".rstrip()
        return ""


def _took(event: RunEvent, began: Mapping[str, int]) -> str:
    if event.stage is None or event.stage not in began:
        return ""
    return f" ({(event.at_ms - began[event.stage]) / 1000:.1f} s)"
