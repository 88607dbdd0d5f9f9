"""What a bundle claims that can be executed again: source, images, tests with their endings. All of it is read as hostile text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from qverify_desktop.analysis import dependencies
from qverify_desktop.analysis.cases import CASE, Case, read_case
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.execution import ImagePin, Isolation
from qverify_desktop.domain.project import InstalledPackage
from qverify_desktop.domain.results import TestVerdict
from qverify_desktop.domain.testing import Status
from qverify_desktop.languages.installed import read_written

#: Tests that are taken from one bundle, bytes of all of them, and languages.
MOST_TESTS = 100_000
MOST_BYTES = 256 << 20
MOST_LANGUAGES = 20
#: Requirements of a language that are taken.
MOST_REQUIREMENTS = 500
_TREE = re.compile(r"[0-9a-f]{40}")
_RUN = re.compile(r"[a-z0-9]{1,40}")
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,30}")


class Event(Protocol):
    """``evidence.disclosed.DisclosedEvent``."""

    @property
    def type(self) -> str: ...

    @property
    def data(self) -> Mapping[str, Any]: ...


class Bundle(Protocol):
    """``evidence.disclosed.Disclosed``, as far as it is asked here."""

    @property
    def events(self) -> Sequence[Any]: ...

    def content(self, event: Any, key: str) -> bytes | None: ...


@dataclass(frozen=True)
class Unusable:
    """A test that the evidence names and that can't be executed again; ``why`` is a sentence."""

    id: str
    target: str
    verdict: TestVerdict
    why: str


@dataclass(frozen=True)
class InstalledClaim:
    """What was installed for the tests of a language: what was asked for, and the packages that came of it, ``None`` where the
    bundle does not say."""

    requirements: tuple[str, ...]
    packages: tuple[InstalledPackage, ...] | None = None


@dataclass(frozen=True)
class LanguageClaim:
    """The tests of one language, the image in which they ran, and what was installed beside it (``None``: nothing was)."""

    language: str
    pin: ImagePin
    cases: tuple[tuple[TestVerdict, Case], ...]
    unusable: tuple[Unusable, ...] = ()
    installed: InstalledClaim | None = None


@dataclass(frozen=True)
class Claims:
    """``origin`` is where the run's source lay, for a person to read; ``patch`` its uncommitted changes (without secrets) where
    ``dirty`` and disclosed. ``tree`` is the git tree object id of what was analysed."""

    application: str
    origin: str
    commit: str
    tree: str
    dirty: bool
    patch: bytes
    isolation: Isolation
    languages: tuple[LanguageClaim, ...]

    @property
    def tests(self) -> int:
        return sum(len(one.cases) + len(one.unusable) for one in self.languages)


def read_claims(bundle: Bundle) -> Claims:
    """Raises ``BadInput`` for a bundle that does not hold what executing it again needs; the sentence says what it lacks."""
    by_type: dict[str, list[Any]] = {}
    for event in bundle.events:
        by_type.setdefault(event.type, []).append(event)
    opened, snapshot = (_first(by_type, type) for type in ("run_opened", "snapshot"))
    if "reused" in by_type:
        earlier = by_type["reused"][0].data.get("relies_on")
        name = _text(earlier, "run") if isinstance(earlier, Mapping) else ""
        of = f" {name}" if _RUN.fullmatch(name) else ""
        raise BadInput(
            f"This run took all its findings over from the earlier run{of}, so its bundle has no tests of its own. Nothing was run.",
            "Ask for the bundle of that run, or for one that was analysed with --fresh.",
        )
    tree = _text(snapshot.data, "tree") if snapshot is not None else ""
    if opened is None or snapshot is None or not _TREE.fullmatch(tree):
        raise BadInput(
            "The bundle does not disclose what was analysed (it has no event `snapshot` of an analysis). Nothing was run.",
            "Ask for the full bundle of an analysis: qverify export RUN --format evidence",
        )
    commit = _text(snapshot.data, "commit")
    return Claims(
        application=_text(opened.data, "application")[:40],
        origin=_origin(bundle, snapshot),
        commit=commit if _TREE.fullmatch(commit) else "",
        tree=tree,
        dirty=snapshot.data.get("dirty") is True,
        patch=bundle.content(snapshot, "dirty_patch") or b"",
        isolation=Isolation.REDUCED if opened.data.get("isolation") == "reduced" else Isolation.CONTAINER,
        languages=tuple(_languages(bundle, by_type)),
    )


def _origin(bundle: Bundle, snapshot: Any) -> str:
    """Where the source was: a content since it may name a person, which may be withheld; a text in older bundles."""
    shown = bundle.content(snapshot, "origin")
    told = _text(snapshot.data, "origin") if shown is None else shown.decode("utf-8", "replace")
    return told[:500] or "a source that is not named"


def _languages(bundle: Bundle, by_type: Mapping[str, list[Any]]) -> list[LanguageClaim]:
    """Each judgement, and what was installed for it, belongs to the language whose step recorded it: the one of the plan before it."""
    pins = {pin.digest: pin for event in by_type.get("image", ()) if (pin := _pin(event.data)) is not None}
    found: dict[str, tuple[ImagePin, list[tuple[TestVerdict, Case]], list[Unusable]]] = {}
    installed: dict[str, InstalledClaim] = {}
    now = ""
    without = withheld = count = size = 0
    for event in bundle.events:
        if event.type == "plan":
            now = _text(event.data, "language")
            pin = pins.get(_text(event.data, "image_digest"))
            if not _WORD.fullmatch(now) or pin is None or len(found) >= MOST_LANGUAGES:
                now = ""
            else:
                found.setdefault(now, (pin, [], []))
        if event.type == dependencies.INSTALLED and now in found:
            installed[now] = _installed(bundle, event)
        verdict = _text(event.data, "verdict")
        if event.type != "judgement" or now not in found or verdict not in ("accepted", "suspected"):
            continue
        count += 1
        _, cases, unusable = found[now]
        test, target = _text(event.data, "test"), _text(event.data, "target")
        without += CASE not in event.data
        document = bundle.content(event, CASE)
        size += len(document or b"")
        withheld += document is None
        if count > MOST_TESTS or size > MOST_BYTES:
            raise BadInput(
                f"The bundle holds more than {MOST_TESTS} tests or {MOST_BYTES >> 20} MiB of them. Nothing was run."
            )
        case = read_case(document, test) if document is not None else _WITHHELD
        if isinstance(case, str):
            unusable.append(Unusable(test, target, TestVerdict(verdict), case))
        elif (case.ending.status is Status.PASSED) != (verdict == "accepted"):
            unusable.append(Unusable(test, target, TestVerdict(verdict), "The verdict is not what its ending gives."))
        else:
            cases.append((TestVerdict(verdict), case))
    if count and without == count:
        raise BadInput(
            "The bundle was made by a version of QVerify that did not yet record the whole tests, so they can't be executed again. "
            "It verifies all the same.",
            "Analyse the source again with this version and compare, or ask for a newer bundle.",
        )
    if count and withheld == count:
        raise BadInput(
            "The bundle withholds the contents of all its tests (a redacted one does), so nothing can be executed again. "
            "It verifies all the same.",
            "Ask for the full bundle: qverify export RUN --format evidence",
        )
    return [
        LanguageClaim(name, pin, tuple(cases), tuple(bad), installed.get(name))
        for name, (pin, cases, bad) in found.items()
    ]


_WITHHELD = "Its content was withheld from the bundle, or deleted."


def _installed(bundle: Bundle, event: Any) -> InstalledClaim:
    """Requirements are shown and asked for, so only printable ones count."""
    wanted = [one for one in _list(event.data.get("requirements")) if isinstance(one, str)][:MOST_REQUIREMENTS]
    content = bundle.content(event, dependencies.PACKAGES) if dependencies.PACKAGES in event.data else None
    return InstalledClaim(
        tuple(one[:200] for one in wanted if one.isprintable()),
        read_written(content) if content is not None else None,
    )


def _pin(data: Mapping[str, Any]) -> ImagePin | None:
    runtime, digest = _text(data, "runtime"), _text(data, "digest")
    if not _WORD.fullmatch(runtime) or not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        return None
    recipe, layers = _text(data, "recipe"), _text(data, "layers")
    hexadecimal = re.compile(r"[0-9a-f]{64}")
    return ImagePin(
        runtime,
        digest,
        _text(data, "reference")[:200],
        recipe if hexadecimal.fullmatch(recipe) else "",
        layers if hexadecimal.fullmatch(layers) else "",
    )


def _first(by_type: Mapping[str, list[Any]], type: str) -> Any | None:
    return by_type[type][0] if by_type.get(type) else None


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
