"""Compares what the evidence says of a test with what came of it here. Pure: values in, values out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from qverify_desktop.analysis.cases import Case, Ending, ending_of
from qverify_desktop.analysis.judge import REPETITIONS, Tried
from qverify_desktop.domain.execution import ImagePin, RuntimeImage
from qverify_desktop.domain.project import InstalledPackage
from qverify_desktop.domain.reproduction import Agreement, Compared, ComparedImage, ComparedPackage, Outcome
from qverify_desktop.domain.results import TestVerdict
from qverify_desktop.domain.testing import Status

#: Characters of what a test said that are told.
MOST_TOLD = 600
#: Packages that a sentence names.
MOST_NAMED = 20
_SHORT = 19


def compare(language: str, verdict: TestVerdict, case: Case, tried: Tried) -> Compared:
    """One test after its runs here. It agrees where it came to its end in all of them and ended each time as the evidence says:
    the same status and, of a failure, the same exception and the same observed value."""
    endings = [ending_of(outcome) for outcome in tried.outcomes if outcome.status is not Status.MISSING]
    other = next((one for one in endings if one != case.ending), None)
    now = _told(endings)
    steady = len(set(endings)) < 2
    if other is not None:
        state, why = Agreement.DIFFERS, _difference(case.ending, other)
        why = why if steady else f"It is not steady here: it ends in different ways from run to run. {why}"
    elif tried.collection_error:
        state, now = Agreement.DIFFERS, "could not be loaded"
        why = f"Its file can't be loaded here: {_line(tried.collection_error)}"
    elif not endings:
        state, why = Agreement.NOT_RUN, "The run in the sandbox ended before it was this test's turn."
    elif len(endings) < REPETITIONS:
        state, why = Agreement.NOT_RUN, f"Only {len(endings)} of {REPETITIONS} runs came to their end."
    else:
        state, why = Agreement.AGREES, ""
    return replace(
        not_run(language, verdict, case, why),
        state=state,
        now=now,
        steady=steady,
        passed=sum(one.status is Status.PASSED for one in endings),
        failed=sum(one.status is Status.FAILED for one in endings),
    )


def not_run(language: str, verdict: TestVerdict, case: Case, why: str) -> Compared:
    """A test that was not executed again."""
    was = _told([case.ending] * REPETITIONS)
    test = case.test
    return Compared(
        id=test.id,
        language=language,
        target=test.target,
        verdict=verdict.value,
        state=Agreement.NOT_RUN,
        was=was,
        now="",
        why=why,
        code=test.code,
        call=_line(test.call),
        expected=_line(test.expected),
    )


def compare_image(
    language: str, pin: ImagePin, exact: RuntimeImage | None, here: RuntimeImage | None
) -> ComparedImage:
    """The pinned image beside the one that is used; ``exact`` is the pinned one where this machine has it, ``here`` the
    machine's own of that runtime where it is built."""
    if exact is not None:
        by_layers = exact.digest != pin.digest
        told = "This engine numbers the image otherwise; recipe and layers are the pinned ones." if by_layers else ""
        return ComparedImage(language, pin.runtime, pin.digest, exact.digest, True, told)
    missing = f"The pinned image {pin.digest[:_SHORT]} ({pin.reference or pin.runtime}) is not on this machine."
    remedy = (
        f"Where the run was made type `qverify runtimes save {pin.runtime}.qvr {pin.runtime}`; "
        f"then here `qverify runtimes load {pin.runtime}.qvr`."
    )
    if here is None or not here.digest:
        return ComparedImage(language, pin.runtime, pin.digest, "", False, missing, remedy)
    return ComparedImage(
        language, pin.runtime, pin.digest, here.digest, False, f"{missing} {_other(pin, here)}", remedy
    )


def _other(pin: ImagePin, here: RuntimeImage) -> str:
    """What differs between the pinned image and this machine's own."""
    its = f"Here is {here.digest[:_SHORT]} ({here.reference})"
    if not pin.recipe:
        return f"{its}; the bundle does not record what the pinned one was made of."
    if pin.recipe != here.recipe:
        return f"{its}, made of another recipe ({here.recipe[:12] or 'unknown'} instead of {pin.recipe[:12]})."
    if pin.layers != here.layers:
        return f"{its}, made of the same recipe ({pin.recipe[:12]}) in another build: its layers differ."
    return f"{its}, with the same recipe and layers under another configuration."


def compare_packages(
    language: str, then: Sequence[InstalledPackage], now: Sequence[InstalledPackage]
) -> tuple[ComparedPackage, ...]:
    """Each package that was installed then or here, what differs first. A digest counts where both sides know one."""
    before, here = (_by_name(packages) for packages in (then, now))
    found = [_compared(language, name, before.get(name, ()), here.get(name, ())) for name in sorted({*before, *here})]
    return tuple(sorted(found, key=lambda one: one.same))


def _by_name(packages: Sequence[InstalledPackage]) -> dict[tuple[str, str], list[InstalledPackage]]:
    found: dict[tuple[str, str], list[InstalledPackage]] = {}
    for one in packages:
        found.setdefault((one.ecosystem, one.name), []).append(one)
    return found


def _compared(
    language: str,
    key: tuple[str, str],
    then: Sequence[InstalledPackage],
    now: Sequence[InstalledPackage],
) -> ComparedPackage:
    was, here = ([*dict.fromkeys(one.version for one in side)] for side in (then, now))
    name, then_words, now_words = key[1], ", ".join(was), ", ".join(here)
    sentence = ""
    if not was:
        sentence = f"{name} was not installed then, {now_words} is here."
    elif not here:
        sentence = f"{name} {then_words} was installed then and is not here."
    elif set(was) != set(here):
        sentence = f"{name} {then_words} then, {now_words} here."
    else:
        for version in was:
            digests, others = ({one.digest for one in side if one.version == version} for side in (then, now))
            if "" not in digests | others and digests != others:
                sentence = f"{name} {version} is another file here: {_some(digests)} then, {_some(others)} here."
    return ComparedPackage(language, name, then_words, now_words, not sentence, sentence)


def _some(digests: set[str]) -> str:
    return ", ".join(one[:_SHORT] for one in sorted(digests)[:3])


def named(packages: Sequence[InstalledPackage]) -> str:
    """The first of some packages with their versions, for a sentence."""
    words = [f"{one.name} {one.version}" for one in packages[:MOST_NAMED]]
    more = len(packages) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")


def outcome_of(tests: Sequence[Compared], images: Sequence[ComparedImage], packages_same: bool = True) -> Outcome:
    """What the whole comes to. ``packages_same`` says that what was installed then is known and is the same here."""
    states = Counter(test.state for test in tests)
    if states[Agreement.DIFFERS]:
        return Outcome.DIFFERS
    if not states[Agreement.AGREES]:
        return Outcome.NOTHING
    if states[Agreement.NOT_RUN]:
        return Outcome.PARTLY
    same = packages_same and all(image.same for image in images)
    return Outcome.REPRODUCED if same else Outcome.OTHER_ENVIRONMENT


def advice_of(
    tests: Sequence[Compared], images: Sequence[ComparedImage], packages: Sequence[str] = ()
) -> tuple[str, ...]:
    """What to do next where it is no reproduction, the likeliest cause first; nothing where it is one. ``packages`` is what to do for
    those."""
    differing = [test for test in tests if test.state is Agreement.DIFFERS]
    unsteady = sum(not test.steady for test in differing)
    changed = len(differing) - unsteady
    advice = [f"First get the pinned image. {image.remedy}" for image in images if image.remedy]
    advice += packages
    if unsteady:
        advice.append(
            f"{_tests(unsteady)} from run to run here: flaky, which speaks of time, order or chance in the test or its target. "
            "Execute it again; one that stays so should be rewritten or left out by whoever made the bundle."
        )
    if changed and not advice:
        advice.append(
            "Source, image and packages are the run's, so what differs is this machine or the evidence. Hand the signed record back to "
            "whoever made the bundle, and have a third machine execute it."
        )
    return tuple(dict.fromkeys(advice))


def _tests(count: int) -> str:
    return "1 test ends otherwise" if count == 1 else f"{count} tests end otherwise"


def sentence_of(outcome: Outcome, tests: Sequence[Compared]) -> str:
    """The numbers for a person."""
    states = Counter(test.state for test in tests)
    total = "1 test" if len(tests) == 1 else f"{len(tests)} tests"
    if not tests:
        return "The bundle names no accepted test and no suspected defect, so there is nothing to execute again."
    if outcome is Outcome.REPRODUCED:
        suspected = sum(test.verdict == TestVerdict.SUSPECTED for test in tests)
        defects = {0: "", 1: ", the suspected defect among them"}.get(
            suspected, f", {suspected} suspected defects among them"
        )
        return f"{total} executed again {REPETITIONS} times each{defects}: all end as the evidence says."
    words = ((Agreement.AGREES, "agrees", "agree"), (Agreement.DIFFERS, "differs", "differ"))
    parts = [f"{n} {one if n == 1 else many}" for state, one, many in words if (n := states[state])]
    parts += [f"{states[Agreement.NOT_RUN]} not run"] if states[Agreement.NOT_RUN] else []
    return f"Of {total}: {', '.join(parts)}."


def _told(endings: Sequence[Ending]) -> str:
    """``passed 5 of 5`` or ``failed 5 of 5, gave 3``, the most frequent ending first."""
    parts = []
    for ending, count in Counter(endings).most_common():
        what = ending.observed or ending.raised
        gave = f", gave {_line(what)}" if ending.status is not Status.PASSED and what else ""
        parts.append(f"{ending.status.value} {count} of {REPETITIONS}{gave}")
    return "; ".join(parts)


def _difference(was: Ending, now: Ending) -> str:
    if was.status is not now.status:
        said = now.observed or now.raised
        return f"It {was.status.value} then and {now.status.value} here{': ' + _line(said) if said else ''}."
    if was.raised != now.raised:
        return (
            f"It failed with {_line(was.raised) or 'no exception'} then and with {_line(now.raised) or 'none'} here."
        )
    return f"It gave {_line(was.observed) or 'nothing'} then and {_line(now.observed) or 'nothing'} here."


def _line(text: str) -> str:
    return " ".join(text.split())[:MOST_TOLD]
