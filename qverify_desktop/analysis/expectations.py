"""What the calls of a model's tests must give by the repository's words alone: a question of its own, in which the body is hidden.

Whoever sees the code expects what the code does. So the words are read without it; where they say something, and stand in the
repository as they were quoted, the test speaks for the repository. Only a value that the quoted words themselves name changes
what a test expects, because such a test may accuse.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from qverify_desktop.analysis.context import Context
from qverify_desktop.analysis.ports import Evidence
from qverify_desktop.analysis.prompts import Prompt, render
from qverify_desktop.domain.project import Promise, PromiseRelation, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Quote
from qverify_desktop.languages.base import Language

MOST_CALLS = 12
MOST_CALL = 300
MOST_VALUE = 300
MOST_ANSWER = 100_000


@dataclass(frozen=True)
class Expectation:
    """``value`` is source text, ``quote`` the words that say so."""

    value: str
    quote: Quote


def asked_about(tests: Sequence[GeneratedTest]) -> list[str]:
    """Calls whose result nobody has quoted words for yet, each once."""
    calls = [t.call for t in tests if t.call and t.expected and t.quote is None and len(t.call) <= MOST_CALL]
    return list(dict.fromkeys(" ".join(call.split()) for call in calls))[:MOST_CALLS]


def question(target: Target, context: Context, calls: Sequence[str], title: str) -> Prompt:
    """The prompt. Nothing of the body stands in it: its passages are words, its calls are what tests call."""
    values = {"title": title, "symbol": target.symbol, "calls": list(calls)}
    return render("expect", values, context.specification)


def read_expectations(answer: str, calls: Sequence[str], context: Context) -> dict[str, Expectation]:
    """Values by call, of those whose words stand in the repository; whatever else an answer holds is nothing. Never raises."""
    found: dict[str, Expectation] = {}
    for entry in _entries(answer[:MOST_ANSWER]):
        number, value, words = entry.get("call"), entry.get("value"), entry.get("words")
        if isinstance(value, bool | int | float) and not isinstance(value, str):
            value = json.dumps(value)
        if type(number) is not int or not isinstance(value, str) or not isinstance(words, str):
            continue
        quote = context.quote(words)
        plain = value.strip()
        if 0 < number <= len(calls) and quote is not None and plain.isprintable() and 0 < len(plain) <= MOST_VALUE:
            found.setdefault(calls[number - 1], Expectation(plain, quote))
    return found


def is_broken(answer: str) -> bool:
    """Whether an answer began as JSON of which nothing can be read; one in plain words is an answer, if no useful one."""
    text = answer[:MOST_ANSWER]
    return "{" in text and not any(True for _ in _lists(text)) and not _entries(text)


def _entries(answer: str) -> list[Mapping[str, Any]]:
    """The entries of the first JSON in the answer that has any; of one that was cut off, those that are whole."""
    found = next((entries for entries in _lists(answer) if entries), None)
    if found is None:
        found = [value for value in _values(answer) if isinstance(value, dict) and "call" in value]
    return [entry for entry in found[:MOST_CALLS] if isinstance(entry, dict)]


def _lists(answer: str) -> Iterator[list[Any]]:
    for value in _values(answer):
        entries = value.get("expectations") if isinstance(value, dict) else value
        if isinstance(entries, list):
            yield entries


def _values(answer: str) -> Iterator[Any]:
    """Whatever can be read as JSON from one of the first brackets on."""
    decoder = json.JSONDecoder()
    for match in list(re.finditer(r"[{\[]", answer))[:50]:
        with contextlib.suppress(ValueError, RecursionError):
            yield decoder.raw_decode(answer, match.start())[0]


def apply(
    tests: Sequence[GeneratedTest], found: Mapping[str, Expectation], language: Language, target: Target
) -> tuple[list[GeneratedTest], list[Evidence]]:
    """The tests with what the words say: the label where they agree, another value where the words name it. A change is an
    event of its own."""
    answered, events = [], []
    for test in tests:
        expectation = found.get(" ".join(test.call.split())) if test.quote is None else None
        if expectation is None:
            answered.append(test)
            continue
        if language.same_value(test.expected, expectation.value):
            answered.append(replace(test, label=Label.SPECIFICATION, quote=expectation.quote))
            continue
        changed = with_expected(test, expectation.value, language, target) if _named(expectation) else None
        if changed is None:
            answered.append(test)
            continue
        answered.append(replace(changed, label=Label.SPECIFICATION, quote=expectation.quote))
        events.append(changed_event(test, expectation.value, "specification", expectation.quote.text))
    return answered, events


def changed_event(test: GeneratedTest, value: str, by: str, words: str = "") -> Evidence:
    """A test expects something else now; ``by`` is ``specification`` or ``repair``."""
    blobs = {"call": test.call, "before": test.expected, "after": value} | ({"words": words} if words else {})
    return Evidence(
        "expectation_changed",
        {"target": test.target, "test": test.name, "by": by},
        {key: text.encode("utf-8", "replace") for key, text in blobs.items()},
    )


def _named(expectation: Expectation) -> bool:
    """Whether the words hold the value themselves, so that nobody had to work it out."""
    bare = expectation.value.strip("\"'`")
    return bool(bare) and re.search(rf"(?<!\w){re.escape(bare)}(?!\w)", expectation.quote.text) is not None


def with_expected(test: GeneratedTest, value: str, language: Language, target: Target) -> GeneratedTest | None:
    """The test with another expected value; ``None`` where the language does not read the same call with that value in it."""
    places = list(re.finditer(rf"(?<![\w.\"']){re.escape(test.expected)}(?![\w.\"'])", test.code))
    for place in reversed(places[-3:]):
        code = test.code[: place.start()] + value + test.code[place.end() :]
        changed = replace(test, code=code)
        if language.static_problem(changed) is not None:
            continue
        whole = language.render([changed]).get(test.path, "")
        read = language.split(whole, test.path, target)
        if isinstance(read, list) and len(read) == 1:
            same = language.same_value(read[0].call, test.call) and language.same_value(read[0].expected, value)
            if same:
                return replace(changed, expected=value)
    return None


def with_quote(test: GeneratedTest, promises: Sequence[Promise], language: Language) -> GeneratedTest:
    """Raise the label to ``specification`` where the repository itself gives this very call and this very value."""
    if not test.call or not test.expected:
        return test
    for promise in promises:
        # Statements before the call may give its names another meaning than they have in the test.
        plain = all(line.startswith(("import ", "from ")) for line in promise.setup)
        usable = promise.relation is PromiseRelation.EQUALS and plain
        if (
            usable
            and language.same_value(promise.call, test.call)
            and language.same_value(promise.expected, test.expected)
        ):
            return replace(test, label=Label.SPECIFICATION, quote=Quote(promise.words, promise.file, promise.line))
    return test
