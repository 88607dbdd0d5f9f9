"""Entries of the evidence log in words: one sentence per type, made of the entry's own data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qverify_desktop.engine.bus import one_line
from qverify_desktop.evidence.journal import OVERSIZE

Data = Mapping[str, Any]

#: Characters of a sentence that is taken as it is.
LONGEST = 500

_WHY = {"test": "tests", "defect": "a suspected defect"}


def _count(number: Any, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _opened(data: Data) -> str:
    if str(data.get("kind", "")).startswith("key_"):
        return "A record about the signing key begins."
    if "kind" in data:
        about = f" about the run {data['about']}" if data.get("about") else ""
        return f"A record{about} begins: {data['kind']}."
    model = data.get("model", "none")
    words = "without a model" if model == "none" else f"with the model {model}"
    where = ", with reduced isolation" if data.get("isolation") == "reduced" else ""
    if model != "none" and data.get("cloud"):
        where += ", which may be elsewhere" if data["cloud"] == "allowed" else ", on this machine only"
    return f"The run is opened {words}{where}, scope {data.get('scope', 'all')}, seed {data.get('seed', 0)}."


def _snapshot(data: Data) -> str:
    commit = str(data.get("commit", ""))[:12]
    of = f"at commit {commit}" if commit else "of a folder without commits"
    dirty = " and uncommitted changes" if data.get("dirty") else ""
    return f"Snapshot of {_count(data.get('files', 0), 'file')} {of}{dirty}."


def _image(data: Data) -> str:
    differences = len(data.get("differences", ()))
    more = f", {_count(differences, 'difference')} from its recipe" if differences else ""
    return f"Sandbox image {data.get('reference', '')}, {str(data.get('digest', ''))[:19]}{more}."


def _execution(data: Data) -> str:
    ends = [
        word for flag, word in (("timed_out", "timed out"), ("oom_killed", "ran out of memory")) if data.get(flag)
    ]
    end = " and ".join(ends) or f"exit code {data.get('exit_code')}"
    network = "with network" if data.get("network") else "without network"
    seconds = int(data.get("duration_ms", 0)) / 1000
    return f"Container {str(data.get('container', ''))[:12]} ran for {data.get('purpose', '')} {network}: {end} after {seconds:.1f} s."


def _judgement(data: Data) -> str:
    name = str(data.get("test", "")).rpartition("::")[2]
    gain = data.get("gain", {})
    kinds = (("lines", "line", ""), ("branches", "branch", "branches"), ("mutants", "mutant", ""))
    gains = ", ".join(_count(gain[kind], one, many) for kind, one, many in kinds if gain.get(kind))
    why = f"gains {gains}" if gains else str(data.get("reason", "")).replace("_", " ")
    return f"{name} is {data.get('verdict', '')}: {why} ({data.get('label', '')})."


def _mutation(data: Data) -> str:
    return f"{_count(data.get('mutants', 0), 'mutant')} run: {data.get('killed', 0)} killed, {data.get('survived', 0)} survived."


def _verdict(data: Data) -> str:
    before, after = data.get("lines_before", [0, 0]), data.get("lines_after", [0, 0])
    lines = f"lines {before[0]} to {after[0]} of {after[1]}" if after[1] else "no lines measured"
    return f"Verdict {str(data.get('verdict', '')).replace('_', ' ')}: {_count(data.get('accepted', 0), 'test')} kept, {_count(data.get('suspected', 0), 'defect')} suspected, {lines}."


def _earlier(data: Data) -> str:
    """Name of the earlier run that an entry relies on."""
    relied = data.get("relies_on", {})
    return str(relied.get("run", "")) if isinstance(relied, Mapping) else ""


def _answered(data: Data) -> str:
    said = "go on" if data.get("reply") == "go_on" else "finish without models that cost something"
    if "limit_microusd" not in data:
        return f"The person was asked and answered: {said}."
    spent, limit = (int(data.get(key, 0)) / 1_000_000 for key in ("spent_microusd", "limit_microusd"))
    where = f" in the run {data['answered_in']}" if data.get("answered_in") else ""
    return f"Asked with ${spent:,.2f} of the {data.get('budget', '')}'s ${limit:,.2f} spent, the person answered{where}: {said}."


def _decision(data: Data) -> str:
    what = _WHY.get(str(data.get("kind")), "something")
    count = f" ({data.get('count')})" if data.get("kind") == "test" else ""
    return f"A person decided about {what}{count} of the run {data.get('about', '')}: {str(data.get('decision', '')).replace('_', ' ')}."


def _settings(data: Data) -> str:
    """What is a content has no value here."""
    values = data.get("values", {})
    told = [f"{name} {str(value).lower()}" for name, value in sorted(values.items())]
    return f"Settings changed: {', '.join([*told, *sorted(data.get('texts', ()))])}."


def _service(data: Data) -> str:
    """Where a bundle goes, and what is in it."""
    return f"the hosted service {data.get('service', '')} ({data.get('contents', '')}, {data.get('bytes', 0)} bytes)"


def _id(data: Data, which: str) -> str:
    """The four bytes by which people call a verifier key (``name+id+key``)."""
    return str(data.get(which, "")).rpartition("+")[0].rpartition("+")[2][:8]


def _because(data: Data) -> str:
    return f" ({data['reason']})" if data.get("reason") else ""


_WORDS: Mapping[str, Callable[[Data], str]] = {
    "run_opened": _opened,
    "run_closed": lambda d: (
        f"The run is closed: {str(d.get('outcome', '')).replace('_', ' ')}, {_count(d.get('entries', 0), 'entry', 'entries')}."
    ),
    "snapshot": _snapshot,
    "detection": lambda d: (
        f"{str(d.get('language', '')).capitalize()}: {_count(d.get('source_files', 0), 'source file')}, {_count(d.get('test_files', 0), 'test file')}."
    ),
    "image": _image,
    "image_missing": lambda d: f"No sandbox image {d.get('runtime', '')}; {d.get('language', '')} is not analysed.",
    "unread_examples": lambda d: (
        f"{_count(d.get('examples', 0), 'written example')} could not be read in one way only."
    ),
    "plan": lambda d: (
        f"Plan for {d.get('language', '')}: every test {d.get('repetitions', 5)} times, tree {str(d.get('tree', ''))[:12]}."
    ),
    "missing_dependencies": lambda d: (
        f"{_count(len(d.get('requirements', ())), 'dependency', 'dependencies')} missing in the sandbox."
    ),
    "dependencies_installed": lambda d: (
        f"{_count(len(d.get('requirements', ())), 'dependency', 'dependencies')} installed, in a container of their own"
        f"{': ' + _count(d['installed'], 'package') + ' in all' if 'installed' in d else ''}."
    ),
    "baseline": lambda d: str(d.get("sentence", "")),
    "targets": lambda d: (
        f"{d.get('chosen', 0)} of {_count(d.get('in_scope', 0), 'function')} in scope chosen as targets."
    ),
    "promises": lambda d: (
        f"{_count(d.get('found', 0), 'promise')} found in the repository's words; {_count(d.get('tests', 0), 'test')} written."
    ),
    "execution": _execution,
    "judgement": _judgement,
    "mutation": _mutation,
    "suspected_defect": lambda d: (
        f"Suspected defect in {d.get('symbol', '')} ({d.get('file', '')}), {d.get('reproductions', 0)} of 5 times."
    ),
    "defect_history": lambda d: (
        f"History of the defect in {d.get('symbol', '')} ({d.get('file', '')}): {str(d.get('state', '')).replace('_', ' ')}"
        f"{' ' + str(d.get('commit', ''))[:12] if d.get('commit') else ''}, {_count(d.get('tried', 0), 'commit')} tried."
    ),
    "defect_fixed": lambda d: (
        f"The defect in {d.get('symbol', '')} ({d.get('file', '')}) that run {_earlier(d)} suspected is gone:"
        f" its {'test passes' if d.get('by') == 'code' else 'words are not there any more'}."
    ),
    "secrets_masked": lambda d: f"{_count(d.get('secrets', 0), 'secret')} masked in a prompt before it was sent.",
    "behaviour_changed": lambda d: (
        f"A call of {d.get('symbol', '')} ({d.get('file', '')}) is answered otherwise than in the revision that was compared with."
    ),
    "reused": lambda d: f"Nothing has changed since run {_earlier(d)}; all that it found is taken over.",
    "targets_reused": lambda d: (
        f"{d.get('targets', 0)} of {_count(d.get('of', 0), 'function')} taken over from run {_earlier(d)}: nothing that they depend on has changed."
    ),
    "stopped_early": lambda d: (
        f"Stopped early: {_count(d.get('left', 0), 'function')} not looked at, of {d.get('words_only', 0)} only the words."
    ),
    "accepted": lambda d: (
        f"{_count(d.get('tests', 0), 'accepted test')} in {_count(len(d.get('files', ())), 'file')}, run together."
    ),
    "verdict": _verdict,
    "model_probe": lambda d: (
        f"The model {d.get('model', '')} {'answers' if d.get('answers') else 'does not answer'}."
    ),
    "model_prompt": lambda d: (
        f"Prompt for {d.get('target', '')}, round {d.get('round', 0)}, to {d.get('model', '')}."
    ),
    "model_answer": lambda d: (
        f"Answer for {d.get('target', '')} from {d.get('model', '')}: {_count(d.get('completion_tokens', 0), 'token')}."
    ),
    "model_no_answer": lambda d: f"The model {d.get('model', '')} gave no answer for {d.get('target', '')}.",
    "model_prompt_shortened": lambda d: f"The prompt for {d.get('target', '')} was too long and was sent shortened.",
    "expectation_changed": lambda d: (
        f"A test of {d.get('target', '')} expects another value now, by "
        f"{'the words of the repository' if d.get('by') == 'specification' else 'its repair'}."
    ),
    "model_failed": lambda d: f"The model gave no usable answer for {d.get('target', '')}.",
    "person_answered": _answered,
    "key_rotated": lambda d: (
        f"A new key signs the log: {_id(d, 'new')} in the place of {_id(d, 'old')}{_because(d)}."
    ),
    "key_revoked": lambda d: (
        f"The signing key {_id(d, 'old')} is revoked; {_id(d, 'new')} signs the log{_because(d)}."
    ),
    "decision": _decision,
    "export_intended": lambda d: f"About to send the run {d.get('about', '')} to {_service(d)}.",
    "exported": lambda d: (
        f"The run {d.get('about', '')} was sent to {_service(d)}, which found it {d.get('grade', '')} and countersigned."
    ),
    "export_refused": lambda d: (
        f"The run {d.get('about', '')} was not taken by {_service(d)}: {d.get('status', 0)} {str(d.get('problem', '')).replace('-', ' ')}."
    ),
    "hosted_analysis": lambda d: (
        f"The hosted service {d.get('service', '')} was asked to analyse the commit {str(d.get('commit', ''))[:12]}."
    ),
    "image_compared": lambda d: (
        f"The pinned image of {d.get('language', '')} {'is here' if d.get('same') else 'is not here'}: {str(d.get('pinned', ''))[:19]}."
    ),
    "packages_compared": lambda d: (
        f"The packages of {d.get('language', '')} that the run had: "
        f"{_count(d.get('then', 0), 'package') if d.get('known') else 'not named by the bundle'}, "
        f"{'installed here the same' if d.get('same') else _count(d.get('differ', 0), 'difference') + ' here'}."
    ),
    "test_compared": lambda d: (
        f"{str(d.get('test', '')).rpartition('::')[2]} {str(d.get('state', '')).replace('_', ' ')}: passed {d.get('passed', 0)} and failed {d.get('failed', 0)} of {d.get('of', 0)} times."
    ),
    "reproduced": lambda d: (
        f"The run {d.get('about', '')} executed again: {str(d.get('outcome', '')).replace('_', ' ')}; of {_count(d.get('tests', 0), 'test')} {d.get('agrees', 0)} agree, {d.get('differs', 0)} differ, {d.get('not_run', 0)} not run."
    ),
    "saved": lambda d: (
        f"A person saved the run {d.get('about', '')} as {str(d.get('format', '')).replace('-', ' ')} ({d.get('bytes', 0)} bytes)."
    ),
    "settings_changed": _settings,
    "write_intended": lambda d: f"About to write {_count(d.get('files', 0), 'test file')} ({d.get('form', '')}).",
    "written": lambda d: f"Wrote {_count(d.get('files', 0), 'test file')} ({d.get('form', '')}).",
}


def words_of(type: str, data: Data) -> str:
    """A sentence for a person, one printable line; of an unknown type its name. Never raises, whatever the data is."""
    name = one_line(type.replace("_", " "))
    tell = _WORDS.get(type)
    try:
        if OVERSIZE in data:
            return f"{name}: more than an entry holds; what stands here commits to all of it."
        told = tell(data) if tell is not None else name
        return (told if told.isprintable() and len(told) < LONGEST else one_line(told)) or name
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        return name
