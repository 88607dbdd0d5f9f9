"""Does a record that somebody handed back show that a bundle was executed again on their machine, and agreed?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qverify_desktop.domain.reproduction import Outcome
from qverify_desktop.evidence.disclosed import Disclosed
from qverify_desktop.evidence.verify import verify_bundle

#: Type of the event that says what a reproduction came to.
REPRODUCED = "reproduced"


def read_reproduction(bundle: Path) -> dict[str, Any] | None:
    """What a verified bundle says of a reproduction, ``None`` where it is no record of one: ``about`` (the run), ``origin`` of that run's
    log, ``checkpoint_sha256`` of its closing checkpoint, ``outcome`` and the counts. Raises ``EvidenceUnreadable``."""
    with Disclosed(bundle) as disclosed:
        found = [event.data for event in disclosed.events if event.type == REPRODUCED]
        by = disclosed.run
    if not found:
        return None
    of = found[-1].get("of")
    of = of if isinstance(of, Mapping) else {}
    counts = {key: _count(found[-1].get(key)) for key in ("tests", "agrees", "differs", "not_run")}
    return {
        "record": _line(by),
        "about": _line(of.get("run")),
        "origin": _line(of.get("origin")),
        "checkpoint_sha256": _line(of.get("checkpoint_sha256")),
        "outcome": _line(found[-1].get("outcome")),
        **counts,
    }


def sentence_of(told: Mapping[str, Any]) -> str:
    """A record of a reproduction for a person."""
    words = told["outcome"].replace("_", " ")
    return (
        f"This is the record of a reproduction of the run {told['about']}: {words}; of {told['tests']} tests "
        f"{told['agrees']} agree, {told['differs']} differ, {told['not_run']} not run."
    )


def handed_back(answer: Mapping[str, Any], record: Path, public_key: str = "") -> dict[str, Any]:
    """What ``record`` adds to a verifier's ``answer`` on the bundle that was executed: ``holds`` and a ``sentence``, with what the
    record says. ``public_key`` is the verifier key of whoever executed it. Raises what ``verify_bundle`` raises."""
    checked = verify_bundle(record, public_key=public_key)
    if not checked["valid"]:
        return _no(f"The record of the reproduction is {checked['grade']}: {' '.join(checked['problems'][:1])}")
    told = read_reproduction(record)
    if told is None:
        return _no("The record that was given is a bundle, but no record of a reproduction.")
    digest = hashlib.sha256(str(answer["checkpoint"]).encode()).hexdigest()
    if told["checkpoint_sha256"] != digest or told["about"] != answer["run"]:
        return _no(f"The record is of another bundle, of the run {told['about']}.", told)
    if told["outcome"] != Outcome.REPRODUCED or told["agrees"] != told["tests"] or not told["tests"]:
        return _no(sentence_of(told), told)
    whose = (
        "by the key that you gave"
        if public_key
        else "by a key that comes from the record itself: give --reproduction-key"
    )
    sentence = f"All of its {told['tests']} tests were executed again and agreed, as record {told['record']} says, signed {whose}."
    return {**told, "holds": True, "sentence": sentence}


def _no(sentence: str, told: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {**(told or {}), "holds": False, "sentence": sentence}


def _line(text: Any) -> str:
    return "".join(char for char in text if char.isprintable())[:200] if isinstance(text, str) else ""


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
