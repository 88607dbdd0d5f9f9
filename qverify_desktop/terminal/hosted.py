"""What a terminal shows of the hosted service: a code, what leaves, the queue, analyses, plan and invoices."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from qverify_desktop.terminal.models import size
from qverify_desktop.terminal.output import QUIET_SECONDS, note, print_json, print_lines

_RESOURCES = {
    "imports": "Bundles",
    "import_bytes": "Size of bundles",
    "analyses": "Analyses",
    "model_cost": "Cost of models",
}


class HostedScreen:
    """Prints a command's answer, as text or as one JSON document; what goes on is told on standard error."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._told: dict[str, tuple[str, float]] = {}

    def note(self, text: str) -> None:
        note(text)

    def print_code(self, view: Mapping[str, Any]) -> None:
        """Address and code, with a QR code where there is a terminal; beside the answer, which comes later."""
        self.note(f"Open {view['address']} on any device and type the code:  {view['code']}")
        if sys.stderr.isatty():
            drawn = _qr(view["whole_address"])
            if drawn:
                print(drawn, file=sys.stderr, flush=True)
        self.note(f"Waiting until {view['until']}. Ctrl+C ends it.")

    def print_status(
        self, status: Mapping[str, Any], told: str = "", account: Mapping[str, Any] | None = None, problem: str = ""
    ) -> None:
        """``account`` is what the service says; where it could not be asked, ``problem`` is why."""
        if self.as_json:
            print_json({**status, "at_the_service": account, "problem": problem})
            return
        if told:
            print_lines([told])
        if not status["configured"]:
            print_lines(
                ["No hosted service is set.", "Set hosted_regions in the settings, or QVERIFY_HOSTED_REGIONS."]
            )
            return
        if status["closed"]:
            print_lines([status["closed"], f"  {status['remedy']}"])
        who = " of ".join(one for one in (status["account"], status["organisation"]) if one)
        lines = [f"Service       {', '.join(status['regions'])}"]
        if status["signed_in"]:
            lines += [
                f"Signed in     {who or 'yes'}, at {status['issuer']}",
                f"Until         {status['sign_in_until'] or 'the issuer ends it'} (access until {status['access_until']}, renewed by itself)",
                f"Kept          {status['place']}",
            ]
            if account is not None:
                of = " of ".join(one for one in (account["account"], account["organisation"]) if one)
                lines.append(
                    f"It says       {of}, access until {account['expires_at']}, for {', '.join(account['scopes'])}"
                )
                lines.append(f"Region        {account['region'] or 'not said'}")
            elif problem:
                lines.append(f"It says       nothing: {problem}")
        else:
            lines.append(
                "Signed in     not known: the key file is locked" if status["locked"] else "Signed in     nobody"
            )
        lines.append(f"Countersigns  {status['key'] or 'with a key that was not seen yet'}")
        if status["waiting"]:
            lines.append(f"Queue         {status['waiting']} not there yet")
        print_lines(lines)

    def print_regions(self, regions: Sequence[Mapping[str, Any]]) -> None:
        """In the order in which they are tried."""
        if self.as_json:
            print_json({"regions": list(regions)})
            return
        for one in regions:
            print_lines(
                [f"{'*' if one['is_current'] else ' '} {one['id'] or '-':<16} {one['host']:<32} {region_state(one)}"]
            )

    def print_bundle(self, view: Mapping[str, Any]) -> None:
        if self.as_json:
            print_json(view)
            return
        print_lines([f"{view['grade']}: {view['meaning']}", *view["notices"], view["checked"]])
        print_lines([f"Run {view['run']}, {view['events']} events, {size(view['bytes'])}, in {view['path']}"])

    def print_leaving(self, leaving: Mapping[str, Any]) -> None:
        """What would leave this machine; on standard error, for the answer comes later."""
        where = leaving["host"] or "the hosted service"
        of = f" ({leaving['organisation']})" if leaving["organisation"] else ""
        self.note(f"Run {leaving['run']}, {leaving['contents']}, {size(leaving['bytes'])}, to {where}{of}:")
        for one in leaving["files"]:
            count = f"{one['files']} files" if one["files"] > 1 else "1 file"
            self.note(f"  {one['name']:<16} {count:>12} {size(one['bytes']):>10}  {one['says']}")
        self.note(leaving["shows"])

    def print_source(self, found: Mapping[str, Any], commit: str) -> None:
        self.note(
            f"The service would clone {found['url'] or found['source']} at {commit or 'a commit that is not named'}."
        )
        if found["notice"]:
            self.note(found["notice"])

    def tell(self, export: Mapping[str, Any]) -> None:
        """A line where the stage changes, and one every few seconds."""
        self._tell(export["export"], export["stage"], f"  {export['run']}: {export_state(export)}")

    def tell_analysis(self, one: Mapping[str, Any]) -> None:
        self._tell(one["id"], f"{one['state']} {one['stage']}", f"  {one['id']}: {analysis_state(one)}")

    def _tell(self, name: str, stage: str, line: str) -> None:
        before, at = self._told.get(name, ("", 0.0))
        if stage and (stage != before or time.monotonic() - at >= QUIET_SECONDS):
            self._told[name] = (stage, time.monotonic())
            self.note(line)

    def print_queued(self, exports: Sequence[Mapping[str, Any]]) -> int:
        self.print_exports(exports)
        return 0

    def print_exports(self, exports: Sequence[Mapping[str, Any]]) -> None:
        if self.as_json:
            print_json({"exports": list(exports)})
            return
        if not exports:
            print_lines(["Nothing is in the queue."])
        for one in exports:
            print_lines([f"{one['export']}  {one['run']}  {one['contents']:<8}  {export_state(one)}"])
            if one["state"] == "done":
                print_lines([f"  {one['checked']}", f"  Kept in {one['checkpoint']}"])
                if one["report"]:
                    print_lines([f"  {one['report']}"])

    def print_analyses(self, analyses: Sequence[Mapping[str, Any]]) -> None:
        if self.as_json:
            print_json({"analyses": list(analyses)})
            return
        if not analyses:
            print_lines(["The hosted service runs no analysis of your organisation."])
        for one in analyses:
            name = one["label"] or one["url"]
            print_lines([f"{one['id']}  hosted  {one['commit'][:12]}  {name}: {analysis_state(one)}"])

    def print_usage(self, usage: Mapping[str, Any]) -> None:
        if self.as_json:
            print_json(usage)
            return
        renewed = f", renews on {usage['renews_at'][:10]}" if usage["renews_at"] else ""
        print_lines(
            [
                f"{usage['organisation']}: plan {usage['plan']}{renewed}",
                f"From {usage['start'][:10]} to {usage['end'][:10]}: {money(usage['cost_micro'], usage['currency'])}",
            ]
        )
        for one in usage["quotas"]:
            used = quantity(one["used"], one["unit"], usage["currency"])
            limit = "no limit" if one["limit"] < 0 else f"of {quantity(one['limit'], one['unit'], usage['currency'])}"
            print_lines([f"  {_RESOURCES.get(one['resource'], one['resource']):<18} {used} {limit}"])
        if usage["invoices"]:
            print_lines(["Invoices:"])
        for one in usage["invoices"]:
            amount = money(one["amount_micro"], one["currency"])
            owed = one["state"] in ("open", "overdue") and one["due_at"]
            due = f", due {one['due_at'][:10]}" if owed else ""
            print_lines([f"  {one['issued_at'][:10]}  {one['number']:<16} {amount:>14}  {one['state']}{due}"])
            if one["url"]:
                print_lines([f"              {one['url']}"])


def export_state(one: Mapping[str, Any]) -> str:
    """An export in a few words."""
    counted = f"{size(one['done'])} of {size(one['total'])}" if one["total"] else ""
    if one["state"] == "done":
        return f"there since {one['ended_at']}, {one['grade']} ({size(one['total'])})"
    if one["state"] == "running":
        said = one["sentence"] if one["stage"] in ("waiting", "checking") else ""
        again = f"next try {one['next_at']}" if one["next_at"] else ""
        return " ".join(part for part in (one["stage"], counted, said, again) if part)
    arrived = f" ({counted})" if counted and one["done"] else ""
    said = " ".join(part for part in (one["sentence"], one["remedy"]) if part)
    return f"{one['state']}{arrived}: {said}" if said else f"{one['state']}{arrived}"


def region_state(one: Mapping[str, Any]) -> str:
    """A region in a few words."""
    if one["refusal"]:
        return f"never used. {one['refusal']}"
    known = "set" if one["is_set"] else "named by the service, tried after those that are set"
    parts = [one["title"], known, "" if one["accepts"] else "takes nothing new now"]
    return ", ".join(part for part in parts if part)


def analysis_state(one: Mapping[str, Any]) -> str:
    """An analysis of the service in a few words."""
    if one["state"] == "done":
        before, after = one["coverage_before"] / 10, one["coverage_after"] / 10
        found = f"{one['tests']} tests kept, {one['suspected_defects']} defects suspected"
        return f"done: {found}, lines {before:.1f} % to {after:.1f} %, {money(one['cost_micro'], one['currency'])} {one['report_url']}".rstrip()
    if one["state"] == "failed":
        return f"failed. {one['problem']}"
    count = f"{one['done']} of {one['total']}" if one["total"] else ""
    return " ".join(part for part in (one["state"], one["stage"].replace("_", " "), count) if part)


def money(micro: int, currency: str) -> str:
    """Millionths of a unit, to hundredths of it."""
    return f"{micro / 1_000_000:,.2f} {currency}".rstrip()


def quantity(amount: int, unit: str, currency: str) -> str:
    if unit == "bytes":
        return size(amount)
    if unit == "micro":
        return money(amount, currency)
    return f"{amount:,} s" if unit == "seconds" else f"{amount:,}"


def _qr(text: str) -> str:
    """A QR code of half blocks; empty where the library is missing or the text too long."""
    try:
        import segno

        drawn = io.StringIO()
        segno.make(text, micro=False, error="l").terminal(out=drawn, compact=True)
    except (ImportError, ValueError, OSError):
        return ""
    return drawn.getvalue()
