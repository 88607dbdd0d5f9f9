"""What a command answers: on standard output, as text or as one JSON document."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from qverify_desktop.domain.progress import RunSummary
from qverify_desktop.terminal.lines import (
    counted,
    defect_lines,
    dollars,
    finished_lines,
    key_row,
    preview_lines,
    run_row,
    summary_document,
    usage_row,
)
from qverify_desktop.terminal.output import note, print_json, print_lines
from qverify_desktop.terminal.progress import PlainProgress, Progress


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
        from qverify_desktop.terminal.bar import BarProgress

        with BarProgress() as bar:
            yield bar

    def note(self, text: str) -> None:
        """A line beside the answer."""
        note(text)

    def print_error(self, error: Mapping[str, Any]) -> None:
        self.note(f"qverify: {error['sentence']}")
        if error.get("remedy"):
            self.note(f"         {error['remedy']}")

    def print_document(self, document: Mapping[str, Any]) -> None:
        """A run, finished or not."""
        if self.as_json:
            print_json(document)
        elif "verdict" in document:
            print_lines(finished_lines(document))
        else:
            self.print_status(document)

    def print_status(self, document: Mapping[str, Any]) -> None:
        if self.as_json:
            print_json(document)
        else:
            print_lines([f"{document['run']}: {document['status']}. {document.get('sentence', '')}".strip()])

    def print_runs(self, summaries: Sequence[RunSummary]) -> None:
        if self.as_json:
            print_json({"runs": [summary_document(one) for one in summaries]})
        elif not summaries:
            print_lines(["Nothing was run yet. Begin with: qverify analyze FOLDER"])
        else:
            print_lines(run_row(one) for one in summaries)

    def print_written(self, format: str, path: str) -> None:
        if self.as_json:
            print_json({"format": format, "path": path})
        else:
            print_lines([f"Written: {path}"])

    def print_verifier(self, path: str, digest: str) -> None:
        """The stand-alone verifier was written; ``digest`` is its SHA-256 in hexadecimal."""
        if self.as_json:
            print_json({"path": path, "sha256": digest})
        else:
            print_lines(
                [f"Written: {path}", f"SHA-256: {digest}", "It runs as: python3 -I FILE BUNDLE (needs cryptography)"]
            )

    def print_defects(self, defects: Sequence[Mapping[str, Any]]) -> None:
        """Suspected defects with what was decided about each."""
        if self.as_json:
            print_json({"suspected_defects": list(defects)})
        elif not defects:
            print_lines(["Nothing is suspected."])
        else:
            print_lines(line for one in defects for line in defect_lines(one))

    def print_usage(self, view: Mapping[str, Any]) -> None:
        """Sums of the ledger, and their sum."""
        if self.as_json:
            print_json(view)
        elif not view["rows"]:
            print_lines(["No model was asked yet. Analyses without a model are free and use none."])
        else:
            print_lines(usage_row(row["name"], row) for row in [*view["rows"], view["total"] | {"name": "in all"}])

    def print_trends(self, trends: Sequence[Mapping[str, Any]], *, whole: bool) -> None:
        """Repositories over their runs; ``whole``: every run of each."""
        from qverify_desktop.terminal.trend import history, overview

        if self.as_json:
            print_json({"repositories": list(trends)})
        elif whole:
            for trend in trends:
                print_lines(history(trend))
        else:
            print_lines(overview(trends))

    def print_calls(self, calls: Sequence[Mapping[str, Any]]) -> None:
        """Every call in a line, newest first."""
        if self.as_json:
            print_json({"calls": list(calls)})
        elif not calls:
            print_lines(["No model was asked yet. Analyses without a model are free and use none."])
        else:
            print_lines(
                f"{one['sent_at']}  {one['run']:<12} {one['purpose']:<14} {one['provider']}/{one['model']}  {one['state']}  "
                f"{one['prompt_tokens']:,} + {one['completion_tokens']:,} tokens  {dollars(one['cost_microusd'])}  "
                f"{one['sentence']}".rstrip()
                for one in calls
            )

    def print_keys(self, view: Mapping[str, Any], told: str = "") -> None:
        """Every key that is known, without the key; ``told`` is what a change came to."""
        if self.as_json:
            print_json(view)
            return
        if told:
            print_lines([told])
            return
        if not view["keys"]:
            print_lines(["No key is known here."])
        print_lines(key_row(one) for one in view["keys"])
        if view["file"] == "locked":
            print_lines(["The key file is locked; what it holds is not listed."])

    def print_checkpoint(self, view: Mapping[str, Any], told: Sequence[str]) -> None:
        """The note alone on standard output, so that it can be sent into a file; what is said of it beside that."""
        if self.as_json:
            print_json(view)
            return
        sys.stdout.write(view["note"])
        for line in told:
            self.note(line)

    def print_signing_keys(self, view: Mapping[str, Any], told: str = "") -> None:
        """The keys of the log, the one in use first; ``told`` is what a change came to."""
        if self.as_json:
            print_json(view)
            return
        print_lines([told] if told else [])
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
            print_lines([f"{key['id']}  {state}{reason}{kept}", f"  {key['verifier_key']}"])

    def print_told(self, sentence: str, **facts: Any) -> None:
        """One sentence; with ``--json`` a document of it and the facts."""
        if self.as_json:
            print_json({"sentence": sentence, **facts})
        else:
            print_lines([sentence])

    def print_previews(self, views: Sequence[Mapping[str, Any]], *, names: bool) -> None:
        """Where each prompt would go, what it would cost, what was masked, and all that it says. With ``names`` only the functions
        that a model would be asked about, in their order, and how many they are."""
        first = views[0]
        if self.as_json and names:
            print_json({"targets": first["targets"], "count": first["count"]})
        elif self.as_json:
            print_json(first if len(views) == 1 else {"previews": list(views)})
        elif names:
            print_lines([*first["targets"], counted(first["count"])])
        else:
            for number, view in enumerate(views):
                print_lines([*([""] if number else ()), *preview_lines(view)])

    def print_replay(self, view: Mapping[str, Any]) -> None:
        if self.as_json:
            print_json(view)
        else:
            print_lines([f"{view['run']}: {view['sentence']}", *(f"  {line}" for line in view["differences"])])

    def print_runtimes(self, answers: Sequence[Mapping[str, Any]]) -> None:
        if self.as_json:
            print_json({"runtimes": list(answers)})
            return
        for one in answers:
            digest = str(one.get("digest") or "")
            state = f"ready {digest[7:19]}" if digest else "not built"
            print_lines(
                [f"{one.get('runtime', ''):<12} {state:<22} {one.get('sentence') or one.get('reference', '')}"]
            )
            tools = ", ".join(f"{tool} {version}" for tool, version in one.get("tools", {}).items())
            size = f"{one['size_bytes'] / 1e6:.0f} MB" if one.get("size_bytes") else ""
            told = " · ".join(part for part in (tools, size) if part)
            print_lines(f"             {text}" for text in (*([told] if told else ()), *one.get("differences", ())))

    def print_checks(self, checks: Sequence[Mapping[str, Any]]) -> None:
        if self.as_json:
            print_json({"checks": list(checks)})
            return
        marks = {"ok": "ok      ", "warning": "warning ", "blocking": "BLOCKING"}
        for check in checks:
            print_lines([f"{marks.get(check['state'], check['state'])}  {check['title']}: {check['sentence']}"])
            if check["state"] != "ok" and check.get("remedy"):
                print_lines([f"          {check['remedy']}"])


def print_verification(answer: Mapping[str, Any], lines: Iterable[str], as_json: bool) -> None:
    """The grade of a bundle with everything that is wrong with it; ``lines`` are the stand-alone verifier's."""
    if as_json:
        print_json(answer)
    else:
        print_lines(lines)
