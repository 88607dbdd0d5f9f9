"""What a terminal shows of a reproduction: how far it is, then each test that does not agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qverify_desktop.terminal.output import note, print_json, print_lines

#: Tests that are told one by one.
MOST = 50
_STAGES = {
    "": "Copying the bundle",
    "verify": "Verifying the bundle",
    "intake": "Reading the source",
    "detect": "Reading the source",
    "image": "Looking for the pinned image",
    "dependencies": "Looking for packages",
    "judge": "Executing",
}


def print_reproduction(document: Mapping[str, Any], as_json: bool) -> None:
    """The answer on standard output."""
    if as_json:
        print_json(document)
    else:
        print_lines(lines_of(document))


def lines_of(document: Mapping[str, Any]) -> list[str]:
    """Grade and sentence, images, what differs, what was not run, notices, what to do next, and the file to hand back."""
    lines = [f"{', '.join(document['grades'])}: {document['sentence']}"]
    lines += [f"  {problem}" for problem in document["problems"]]
    for image in document["images"]:
        if image["sentence"]:
            lines.append(f"  {image['sentence']}")
    for state, title in (("differs", "Differs"), ("not_run", "Not run")):
        found = [test for test in document["tests"] if test["state"] == state]
        for test in found[:MOST]:
            flaky = state == "differs" and not test["steady"]
            lines += [f"{title}{', flaky' if flaky else ''}: {test['id']} ({test['verdict']})"]
            if test["expected"]:
                lines += [f"  test  {test['call']} should give {test['expected']}"]
            if state == "differs":
                lines += [f"  then  {test['was']}", f"  here  {test['now']}"]
            lines += [f"  {test['why']}"]
        if len(found) > MOST:
            lines.append(f"  and {len(found) - MOST} more")
    told = {image["sentence"] for image in document["images"]}
    lines += [f"  {notice}" for notice in document["notices"] if notice not in told]
    if document["meaning"]:
        lines += [f"{document['meaning']} {document['limit']}"]
    lines += [f"Next: {advice}" for advice in document["advice"]]
    record = document["record"]
    if record["bundle"]:
        lines += [f"Signed record  {record['bundle']}", f"Report         {record['report']}"]
    if record["bundle"] and record["verifier_key"]:
        lines += [
            f"Verifier key   {record['verifier_key']}",
            "Give the record back, and this key by another way: verify BUNDLE --reproduction RECORD --reproduction-key KEY",
        ]
    return lines


class ReproductionProgress:
    """One line of progress on standard error, a new one only where the stage changes or a tenth more is done."""

    def __init__(self) -> None:
        self._told = ""

    def tell(self, view: Mapping[str, Any]) -> None:
        done, total = view["done"], view["total"]
        line = _STAGES.get(view["stage"], view["stage"].capitalize())
        if view["stage"] == "judge" and total:
            line = f"{line} ({done * 10 // total * 10} %)"
        if line != self._told:
            self._told = line
            note(f"{line} …")
