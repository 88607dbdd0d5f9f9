"""From passages to promises: which function an example speaks of, and its call and answer in the language's own syntax."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from qverify_desktop.domain.project import Promise, PromiseRelation, Target
from qverify_desktop.languages.examples.domain import doubted, leaves_domain, unquoted, with_quotes
from qverify_desktop.languages.examples.forms import Unread, Written, examples
from qverify_desktop.languages.examples.named import named_examples
from qverify_desktop.languages.examples.passages import Passage
from qverify_desktop.languages.examples.refusals import refusals
from qverify_desktop.languages.values.value import Value

MOST_A_TARGET = 60


class Speaker(Protocol):
    """How a language writes what an example says. ``None``: it can't, or not in one way only."""

    def call(self, target: Target, arguments: Sequence[Value]) -> str | None:
        """The call as source text, arguments rendered for the parameters' declared types."""

    def answer(self, target: Target, expected: Value) -> str | None:
        """The expected value as source text, rendered for the declared result."""

    def error(self, target: Target, name: str) -> str | None:
        """An error's name as a test can say it; ``None`` where it can't, or where the language has no such errors."""


@dataclass(frozen=True)
class Mined:
    """``unread`` are examples that look meant and can't be read: (file, line, words)."""

    promises: tuple[Promise, ...] = ()
    unread: tuple[tuple[str, int, str], ...] = ()


def mine(passages: Iterable[Passage], targets: Sequence[Target], speaker: Speaker) -> Mined:
    """Every example of the passages, bound to its target, in their order; at most ``MOST_A_TARGET`` each.

    Where two examples of one call disagree, or an example leaves the domain that its words name, the repository's words
    contradict each other and none of them is taken.
    """
    by_name: dict[str, list[Target]] = defaultdict(list)
    for target in targets:
        by_name[plain_symbol(target).rpartition(".")[2]].append(target)
    found: list[Promise] = []
    unread: list[tuple[str, int, str]] = []
    doubtful: set[str] = set()
    for passage in passages:
        items = list(_read(passage, by_name))
        calls = [one.arguments for one in items if isinstance(one, Written) and one.name is not None]
        words = unquoted(passage.owner, calls) if passage.owner is not None else frozenset()
        found += _refused(passage, speaker)
        for item in items:
            promise = (
                _promise(passage, item, by_name, speaker, doubtful, words) if isinstance(item, Written) else None
            )
            if promise is not None:
                found.append(promise)
            else:
                unread.append((passage.file, passage.first + item.start, passage.words(item.start, item.end)[:200]))
    doubtful |= doubted(found, {target.id: target.docstring for target in targets})
    meant = [promise for promise in found if promise.target not in doubtful]
    return Mined(tuple(_consistent(meant)), tuple(dict.fromkeys(unread)))


def _refused(passage: Passage, speaker: Speaker) -> Iterator[Promise]:
    """What the comment of a function says that it refuses."""
    owner = passage.owner
    for one in refusals(passage.lines, owner) if owner is not None else ():
        assert owner is not None
        call, error = speaker.call(owner, (one.argument,)), speaker.error(owner, one.error)
        if call is not None and error is not None:
            yield Promise(
                target=owner.id,
                call=call,
                expected=error,
                relation=PromiseRelation.RAISES,
                words=passage.words(one.start, one.end),
                file=passage.file,
                line=passage.first + one.start,
                form="stated",
            )


def plain_symbol(target: Target) -> str:
    """A target's symbol without the types that tell overloads apart (``Text.pad(String, int)``)."""
    return target.symbol.partition("(")[0]


def _read(passage: Passage, by_name: dict[str, list[Target]]) -> Iterator[Written | Unread]:
    def known(name: str) -> bool:
        return name.replace("::", ".").rpartition(".")[2] in by_name

    yield from examples(passage.lines, known)
    if passage.owner is not None:
        required = [p.name for p in passage.owner.parameters if p.default is None]
        yield from named_examples(passage.lines, required)


def _promise(
    passage: Passage,
    item: Written,
    by_name: dict[str, list[Target]],
    speaker: Speaker,
    doubtful: set[str],
    words: frozenset[int],
) -> Promise | None:
    target = _target(passage, item, by_name)
    if target is None:
        return None
    arguments = item.arguments
    if item.named:
        order = {parameter.name: position for position, parameter in enumerate(target.parameters)}
        arguments = tuple(value for _, value in sorted(item.named, key=lambda pair: order[pair[0]]))
    if leaves_domain(target.docstring, arguments):
        doubtful.add(target.id)
    call = speaker.call(target, with_quotes(arguments, words if target is passage.owner else ()))
    expected = speaker.answer(target, item.expected)
    if call is None or expected is None:
        return None
    return Promise(
        target=target.id,
        call=call,
        expected=expected,
        relation=PromiseRelation.EQUALS,
        words=passage.words(item.start, item.end),
        file=passage.file,
        line=passage.first + item.start,
        form=item.form,
    )


def _target(passage: Passage, item: Written, by_name: dict[str, list[Target]]) -> Target | None:
    """The function that an example speaks of: the comment's own where the name is its, otherwise the only one of that name."""
    if item.name is None:
        return passage.owner
    name = item.name.replace("::", ".").split(".")
    own = passage.owner
    # ``{@link FTPFile#isValid()} will return {@code false}`` in another comment: of which file, its method tells.
    nothing = not item.arguments and not item.named
    candidates = [one for one in by_name[name[-1]] if one == own or one.callee != "method" or not nothing]
    if own is not None:
        if own in candidates and (len(name) == 1 or plain_symbol(own).endswith(".".join(name[-2:]))):
            return own
        beside = [target for target in candidates if target.file == own.file]
        candidates = beside or candidates
    if len(name) > 1:
        # ``braces.expand`` where ``braces`` is a function: what hangs on it is not what another file calls ``expand``.
        homes = {target.file for target in by_name.get(name[-2], ())} if len(name[-2]) > 1 else set()
        candidates = [
            target
            for target in candidates
            if plain_symbol(target) == ".".join(name[-2:]) or target.module.split("/")[-1].split(".")[-1] == name[-2]
        ] or [
            target
            for target in candidates
            if "." not in plain_symbol(target) and own is None and (not homes or target.file in homes)
        ]
    return candidates[0] if len(candidates) == 1 else None


def _consistent(promises: Sequence[Promise]) -> list[Promise]:
    answers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for promise in promises:
        answers[promise.target, promise.call].add(promise.expected)
    kept: dict[tuple[str, str], Promise] = {}
    counts: dict[str, int] = defaultdict(int)
    for promise in promises:
        key = (promise.target, promise.call)
        if len(answers[key]) == 1 and key not in kept and counts[promise.target] < MOST_A_TARGET:
            kept[key] = promise
            counts[promise.target] += 1
    return list(kept.values())
