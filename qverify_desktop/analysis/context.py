"""What a prompt says of a target besides its question: passages by rule, each with its place in an order of importance.

One mechanism for all languages: outlines give signatures, names before brackets say who calls whom, the imports of files say
who can. Repository text is hostile: all of it is cut to size here and stands between fences in the prompt.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from qverify_desktop.analysis.callers import called_in, lines_of, names_of
from qverify_desktop.domain.project import Project, Promise, Snapshot, Target
from qverify_desktop.domain.testing import Quote
from qverify_desktop.languages.base import Language
from qverify_desktop.languages.layout import is_foreign

#: Characters of each kind of passage; a token of code has three to four.
MOST_SOURCE = 8_000
MOST_WORDS = 4_000
MOST_SIGNATURES = 2_500
MOST_DOCUMENTS = 2_400
MOST_CALLERS = 1_600
MOST_SAMPLE = 1_500
#: Files of documentation that are read, and paragraphs of one target that are shown.
MOST_FILES = 40
MOST_PARAGRAPHS = 4
#: Targets of a project among which callers and callees are looked for.
MOST_TARGETS = 20_000
#: Functions that are named as called, those that they call among them.
MOST_CALLED = 24
DEPTH = 2
_DOCUMENTS = (".md", ".rst", ".txt", ".adoc")
#: Lines above a definition in which its comment may stand.
_ABOVE = 120
_MARK = re.compile(r"^\s{0,200}(?:///?!?|/\*\*?|\*/?|#|--|>)?\s{0,200}")


@dataclass(frozen=True)
class Passage:
    """One part of a prompt. ``rank`` 0 is never left out, the highest first. ``specification`` marks words that say what is
    promised, and hold nothing of the body."""

    title: str
    text: str
    rank: int
    specification: bool = False


@dataclass(frozen=True)
class Written:
    """Text of the repository as it stands: the file and the line (1-based) on which it begins."""

    file: str
    line: int
    text: str


@dataclass(frozen=True)
class Survey:
    """What is known of a whole project for prompts: its functions, who calls what, which file can, and what is written."""

    targets: tuple[Target, ...] = ()
    calls: Mapping[str, frozenset[str]] = field(default_factory=dict)
    by_name: Mapping[str, tuple[Target, ...]] = field(default_factory=dict)
    depends_on: Mapping[str, Collection[str]] = field(default_factory=dict)
    documents: tuple[Written, ...] = ()

    def called_by(self, target: Target) -> list[Target]:
        """Functions of the project that the target may call, by name."""
        reach = {target.file, *self.depends_on.get(target.file, ())}
        names = sorted(self.calls.get(target.id, frozenset()) & self.by_name.keys())
        return [one for name in names for one in self.by_name[name] if one.id != target.id and one.file in reach]

    def callers(self, target: Target) -> list[Target]:
        """Functions of the project that may call the target, by name."""
        own = set(names_of(target))
        return [
            one
            for one in self.targets
            if one.id != target.id
            and own & self.calls.get(one.id, frozenset())
            and (one.file == target.file or target.file in self.depends_on.get(one.file, ()))
        ]


def survey(snapshot: Snapshot, project: Project, language: Language) -> Survey:
    """Look at the whole project once. Blocking: reads its files."""
    targets = language.targets(snapshot, project)[:MOST_TARGETS]
    lines: dict[str, list[str]] = {}
    calls: dict[str, frozenset[str]] = {}
    by_name: dict[str, list[Target]] = {}
    for target in targets:
        if target.file not in lines:
            lines[target.file] = lines_of(snapshot, target.file)
        calls[target.id] = called_in("\n".join(lines[target.file][target.body_line - 1 : target.end_line]))
        for name in names_of(target):
            by_name.setdefault(name, []).append(target)
    return Survey(
        tuple(targets),
        calls,
        {name: tuple(found) for name, found in by_name.items()},
        language.depends_on(snapshot, project, sorted(lines)),
        tuple(_documents(snapshot)),
    )


def _documents(snapshot: Snapshot) -> list[Written]:
    files = [f for f in snapshot.files if f.lower().endswith(_DOCUMENTS) and not is_foreign(f)]
    files.sort(key=lambda f: (f.count("/"), f))
    found = []
    for file in files[:MOST_FILES]:
        number = 1
        paragraph: list[str] = []
        for number, line in enumerate([*lines_of(snapshot, file), ""], 1):
            if line.strip():
                paragraph.append(line[:400])
            elif paragraph:
                found.append(Written(file, number - len(paragraph), "\n".join(paragraph)))
                paragraph = []
    return found


@dataclass(frozen=True)
class Context:
    """All that prompts may say of a target: passages in the order in which they are shown, the words that may be quoted, and the
    lines of the body by which it would be known."""

    passages: tuple[Passage, ...]
    words: tuple[Written, ...] = ()
    body: frozenset[str] = frozenset()

    @property
    def specification(self) -> tuple[Passage, ...]:
        """What may be shown where the body must stay hidden."""
        return tuple(passage for passage in self.passages if passage.specification)

    def quote(self, words: str) -> Quote | None:
        """Where these words stand in the repository, verbatim but for spaces and the marks of comments; ``None`` for less than
        three words or what is not there. Words of several lines are answered as those lines stand, marks and all."""
        wanted = " ".join(words.split())
        if len(wanted.split()) < 3 or len(wanted) > MOST_WORDS:
            return None
        for written in self.words:
            lines = written.text.split("\n")
            text, starts = "", list[int]()
            for line in lines:
                plain = " ".join(_MARK.sub("", line, count=1).split())
                starts.append(len(text))
                text += f"{plain} " if plain else ""
            at = text.find(wanted)
            if at >= 0:
                first = max(n for n, start in enumerate(starts) if start <= at)
                last = max(n for n, start in enumerate(starts) if start < at + len(wanted))
                stand = wanted if first == last else "\n".join(lines[first : last + 1]).strip()
                return Quote(stand, written.file, written.line + first)
        return None


def gather(
    target: Target,
    known: Survey,
    snapshot: Snapshot,
    project: Project,
    language: Language,
    promises: Sequence[Promise],
    missing: Collection[int],
    path: str,
) -> Context:
    """The context of one target for a test file at ``path``; ``missing`` are its lines that no test runs. Blocking."""
    lines = lines_of(snapshot, target.file)
    body = _told_apart(lines[target.body_line - 1 : target.end_line])
    documents = _paragraphs(target, known.documents)
    words = "\n".join(dict.fromkeys(promise.words for promise in promises))
    called = known.called_by(target)
    found = [
        Passage("Where it stands", target.file, 0),
        Passage("Its signature", target.signature[:1000], 0, True),
        Passage("Its documentation", _without(body, target.docstring)[:MOST_WORDS], 2, True),
        Passage("Examples that the repository gives for it", _without(body, words)[:MOST_WORDS], 1, True),
        Passage(
            "What the repository's documents say of it",
            _whole_lines(_without(body, "\n\n".join(one.text for one in documents)), MOST_DOCUMENTS),
            4,
            True,
        ),
        Passage("Its source", _source(target, snapshot, language, lines, missing), 0),
        Passage(
            "Imports that it uses, as the test file has to write them",
            "\n".join(language.imports_at(snapshot, project, target, path)),
            3,
        ),
        Passage("Functions that it calls, and those that they call", _signatures(called, known), 5),
        Passage("Where it is called", _excerpts(target, known, snapshot), 6),
        Passage(
            "One of the project's own tests, as a sample of style", _sample(target, snapshot, project, language), 7
        ),
    ]
    first = _first_of_comment(lines, target)
    comment = Written(target.file, first, "\n".join(lines[first - 1 : target.body_line - 1]))
    quotable = (comment,) if target.docstring else ()
    given = tuple(Written(promise.file, promise.line, promise.words) for promise in promises)
    return Context(tuple(one for one in found if one.text.strip()), (*quotable, *given, *documents), body)


def _first_of_comment(lines: Sequence[str], target: Target) -> int:
    """The line on which what stands directly above the definition begins; that of the definition where nothing does."""
    first = target.line
    while first > 1 and target.line - first < _ABOVE and lines[first - 2 : first - 1] and lines[first - 2].strip():
        first -= 1
    return first


def _told_apart(body: Sequence[str]) -> frozenset[str]:
    """Lines of a body that are long enough to be known again elsewhere."""
    return frozenset(line.strip() for line in body if len(line.strip()) >= 12)


def _without(body: frozenset[str], text: str) -> str:
    """Words without lines of the body, which a document may show too."""
    return "\n".join(line for line in text.split("\n") if line.strip() not in body)


def _whole_lines(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most].rpartition("\n")[0]


def _paragraphs(target: Target, documents: Sequence[Written]) -> list[Written]:
    """Paragraphs that name the target as code is named."""
    name = re.escape(names_of(target)[0])
    named = re.compile(rf"(?<![\w]){name}\s{{0,3}}\(|`[^`\n]{{0,80}}\b{name}\b")
    return [one for one in documents if named.search(one.text[:4000])][:MOST_PARAGRAPHS]


def _source(
    target: Target, snapshot: Snapshot, language: Language, lines: Sequence[str], missing: Collection[int]
) -> str:
    """The focal source with a ``>`` before each line that no test runs."""
    shown = _whole_lines(language.focal_source(snapshot, target), MOST_SOURCE).rstrip("\n").split("\n")
    own = [line.strip() for line in lines[target.line - 1 : target.end_line]]
    plain = [line.strip() for line in shown]
    at = next((n for n in range(len(plain)) if plain[n : n + len(own)] == own), None)
    if at is None and own:
        # Cut off at its end, or its first line stands behind ``export``: what is there of it counts.
        at = next((n for n in range(len(plain)) if plain[n : n + 3] == own[:3]), None)
    marked = {at + (line - target.line) for line in missing} if at is not None else set()
    return "\n".join(f"> {line}" if number in marked else f"  {line}" for number, line in enumerate(shown))


def _signatures(called: Sequence[Target], known: Survey) -> str:
    """Signatures of what is called, with the first line of its documentation, ``DEPTH`` levels deep."""
    found: dict[str, Target] = {}
    level = list(called)
    for _ in range(DEPTH):
        fresh = [one for one in level if one.id not in found][:MOST_CALLED]
        found |= {one.id: one for one in fresh}
        level = [deeper for one in fresh for deeper in known.called_by(one)]
    lines = []
    for one in list(found.values())[:MOST_CALLED]:
        first = one.docstring.strip().split("\n")[0][:160]
        lines.append(f"{one.file}: {one.signature[:300]}{f'  -- {first}' if first else ''}")
    return _whole_lines("\n".join(lines), MOST_SIGNATURES)


def _excerpts(target: Target, known: Survey, snapshot: Snapshot) -> str:
    """The lines around calls of the target, of at most two callers."""
    own = set(names_of(target))
    parts = []
    for caller in known.callers(target)[:20]:
        lines = lines_of(snapshot, caller.file)[caller.line - 1 : caller.end_line]
        at = next((n for n, line in enumerate(lines) if n and own & called_in(line)), None)
        if at is not None:
            excerpt = "\n".join(line[:200] for line in lines[max(0, at - 3) : at + 4])
            parts.append(f"{caller.file}, in {caller.symbol}:\n{excerpt}")
        if len(parts) == 2:
            break
    return _whole_lines("\n\n".join(parts), MOST_CALLERS)


def _sample(target: Target, snapshot: Snapshot, project: Project, language: Language) -> str:
    """The first test of the test file that lies nearest to the target, by its name and its folder."""
    stem = target.file.rpartition("/")[2].partition(".")[0].lower()
    folder = target.file.rpartition("/")[0]
    near = sorted(
        (file for file in project.test_files if file.endswith(language.endings)),
        key=lambda file: (stem not in file.rpartition("/")[2].lower(), file.rpartition("/")[0] != folder, file),
    )
    for file in near[:3]:
        tests = language.split("\n".join(lines_of(snapshot, file)), file, target)
        for test in tests if isinstance(tests, list) else ():
            text = "\n".join([*test.prelude, "", test.code])
            if len(text) <= MOST_SAMPLE and language.static_problem(test) is None:
                return text
    return ""
