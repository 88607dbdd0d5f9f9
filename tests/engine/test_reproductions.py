"""A reproduction from its beginning to its record, on a machine whose sandbox has no image: what is refused, and what is logged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qverify_desktop.analysis.cases import Case, Ending, case_blob
from qverify_desktop.analysis.ports import Evidence
from qverify_desktop.domain.errors import BadInput, EvidenceUnreadable
from qverify_desktop.domain.execution import ImagePin, RuntimeImage
from qverify_desktop.domain.locations import resources_root
from qverify_desktop.domain.results import AnalysisRequest, JudgedTest, Reason, TestVerdict
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin, Status, TestOutcome
from qverify_desktop.engine import wire
from qverify_desktop.engine.facade import Engine
from qverify_desktop.engine.reproduction_view import document_of, exit_code_of
from qverify_desktop.engine.reproductions import _anew
from qverify_desktop.evidence.disclosed import Disclosed
from qverify_desktop.evidence.verify import verify_bundle
from qverify_desktop.languages import catalogue
from qverify_desktop.repository.intake import Repositories
from tests.engine.house import ScriptedAnalysis, follow, house
from tests.evidence.logs import House, members, packed

PINNED, OWN = "sha256:" + "1" * 64, "sha256:" + "2" * 64
SCHEMA = json.loads((resources_root() / "docs" / "reproduce.schema.json").read_text())


class NoImages:
    """A machine whose engine has an image of its own and never the pinned one; nothing can run on it."""

    def __init__(self) -> None:
        self.asked: list[ImagePin] = []
        self.looking = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def pinned(self, pin: ImagePin) -> tuple[RuntimeImage | None, RuntimeImage | None]:
        self.asked.append(pin)
        self.looking.set()
        await self.go_on.wait()
        return None, RuntimeImage("python", "qverify/python:own", OWN, recipe="c" * 64)


def test_of(name: str, path: str = "tests/qverify/test_qv_pages.py") -> GeneratedTest:
    code = f"def {name}():\n    assert pages(10) == 2\n"
    return GeneratedTest(
        path, name, code, "pages.py::pages", Label.SPECIFICATION, Origin.PROMISE, ("from pages import pages",)
    )


test_of.__test__ = False  # type: ignore[attr-defined]


def judgement(test: GeneratedTest, verdict: TestVerdict = TestVerdict.ACCEPTED) -> Evidence:
    status = Status.PASSED if verdict is TestVerdict.ACCEPTED else Status.FAILED
    outcome = TestOutcome(test.id, status, raised="AssertionError", observed="3")
    blobs = case_blob(JudgedTest(test, verdict, Reason.GAIN), {test.id: outcome})
    data = {"test": test.id, "target": test.target, "verdict": verdict.value}
    return Evidence("judgement", data, blobs)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "pages.py").write_text("def pages(n):\n    return n // 5 + 1\n")
    return folder


@pytest.fixture
async def bundle(tmp_path: Path, source: Path) -> Path:
    """What another installation made of the source."""
    tree = Repositories().take_snapshot(str(source), tmp_path / "look").tree
    analysis = ScriptedAnalysis()
    analysis.evidence = [
        Evidence("snapshot", {"origin": "/home/ada/pages", "commit": "", "tree": tree, "dirty": False}, {}),
        Evidence("image", {"runtime": "python", "digest": PINNED, "reference": "qverify/python:theirs"}, {}),
        Evidence("plan", {"language": "python", "image_digest": PINNED}, {}),
        judgement(test_of("test_kept")),
        judgement(test_of("test_accused"), TestVerdict.SUSPECTED),
    ]
    path = tmp_path / "theirs.qvevidence.zip"
    async with house(tmp_path / "theirs", analysis) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await follow(engine, run)
        await engine.export(run, "evidence", path)
    return path


@pytest.fixture
def sandbox() -> NoImages:
    return NoImages()


@pytest.fixture
async def engine(tmp_path: Path, sandbox: NoImages) -> AsyncIterator[Engine]:
    async with house(tmp_path / "mine", languages=catalogue.languages(60), sandbox=sandbox) as mine:
        yield mine


async def ended(engine: Engine, **asked: Any) -> dict[str, Any]:
    view: dict[str, Any] = await engine.ask("reproduce", **{key: str(value) for key, value in asked.items()})
    async with asyncio.timeout(60):
        while view["state"] == "running":
            view = await engine.ask("reproduction", id=view["id"], after=view["version"])
    jsonschema.validate(document_of(view), SCHEMA)  # type: ignore[arg-type]
    return view


def reason(view: dict[str, Any]) -> str:
    assert view["state"] == "failed" and view["tests"] == []
    error = wire.error_from_json(view["error"])
    assert error.sentence == view["sentence"]
    return str(error)


async def test_a_machine_without_the_image_says_which_and_leaves_a_record(
    engine: Engine, sandbox: NoImages, bundle: Path, source: Path
) -> None:
    view = await ended(engine, bundle=bundle, source=source)
    assert (view["state"], view["outcome"], view["grades"]) == ("finished", "nothing", ["UNANCHORED"])
    assert exit_code_of(view) == 3  # type: ignore[arg-type]
    assert [one.digest for one in sandbox.asked] == [PINNED]
    (image,) = view["images"]
    assert "sha256:111111111111" in image["sentence"] and "sha256:222222222222" in image["sentence"]
    assert [(test["verdict"], test["state"], test["was"]) for test in view["tests"]] == [
        ("accepted", "not_run", "passed 5 of 5"),
        ("suspected", "not_run", "failed 5 of 5, gave 3"),
    ]
    record = Path(view["record"]["bundle"])
    assert verify_bundle(record)["valid"] and Path(view["record"]["report"]).read_bytes().startswith(
        b"<!DOCTYPE html>"
    )
    with Disclosed(record) as disclosed:
        types = [event.type for event in disclosed.events]
        told = next(event.data for event in disclosed.events if event.type == "reproduced")
    assert types[0] == "run_opened" and types[-2:] == ["reproduced", "run_closed"]
    assert (told["outcome"], told["tests"], told["not_run"]) == ("nothing", 2, 2)
    with Disclosed(bundle) as original:
        assert told["of"]["run"] == original.run and told["about"] == original.run


async def test_a_finished_one_is_shown_again_after_a_restart(
    tmp_path: Path, sandbox: NoImages, bundle: Path, source: Path
) -> None:
    home = tmp_path / "again"
    async with house(home, languages=catalogue.languages(60), sandbox=sandbox) as first:
        view = await ended(first, bundle=bundle, source=source)
    async with house(home) as second:
        shown = await second.ask("reproduction", id=view["id"])
        with pytest.raises(BadInput, match="There is no reproduction"):
            await second.ask("reproduction", id="../" + view["id"])
    assert document_of(shown) == document_of(view)  # type: ignore[arg-type]


async def test_another_source_is_refused_in_a_closed_record(engine: Engine, bundle: Path, source: Path) -> None:
    (source / "pages.py").write_text("def pages(n):\n    return -(-n // 5)\n")
    said = reason(await ended(engine, bundle=bundle, source=source))
    assert "The source is not what was analysed" in said and "Nothing was run." in said and "/home/ada/pages" in said
    log = await engine.ask("evidence_log")
    assert [one["type"] for one in log["entries"]][-1] == "run_closed"
    assert "refused" in log["entries"][-1]["words"]


async def test_without_a_source_it_says_what_the_bundle_was_made_of(engine: Engine, bundle: Path) -> None:
    said = reason(await ended(engine, bundle=bundle))
    assert "holds the tests and not the source" in said and "/home/ada/pages" in said
    assert (await engine.ask("evidence_log"))["total"] == 0


async def test_what_is_not_whole_is_never_executed(
    engine: Engine, sandbox: NoImages, bundle: Path, source: Path, tmp_path: Path
) -> None:
    files = members(bundle)
    (name,) = [name for name, content in files.items() if b'"name":"test_accused"' in content]
    files[name] = files[name].replace(b"== 2", b"== 3")
    changed = tmp_path / "changed.qvevidence.zip"
    changed.write_bytes(packed(files))
    view = await ended(engine, bundle=changed, source=source)
    assert (view["state"], view["grade"], view["tests"]) == ("refused", "INVALID", [])
    assert exit_code_of(view) == 1 and "not what the run committed to" in view["problems"][0]  # type: ignore[arg-type]
    assert sandbox.asked == [] and (await engine.ask("evidence_log"))["total"] == 0


async def test_another_key_than_the_trusted_one_is_not_executed(engine: Engine, bundle: Path, source: Path) -> None:
    key = "qverify.local/test+00000000+AAAA"
    assert "public key is malformed" in reason(await ended(engine, bundle=bundle, source=source, public_key=key))


async def test_a_deleted_test_is_told_and_so_is_no_reproduction(
    engine: Engine, bundle: Path, source: Path, tmp_path: Path
) -> None:
    files = members(bundle)
    del files[next(name for name, content in files.items() if b'"name":"test_accused"' in content)]
    shorter = tmp_path / "shorter.qvevidence.zip"
    shorter.write_bytes(packed(files))
    view = await ended(engine, bundle=shorter, source=source)
    assert view["grade"] == "UNANCHORED" and view["not_run"] == 2
    assert "withheld" in next(test["why"] for test in view["tests"] if test["verdict"] == "suspected")


async def test_it_can_be_stopped_and_only_one_goes_on(
    engine: Engine, sandbox: NoImages, bundle: Path, source: Path
) -> None:
    sandbox.go_on.clear()
    view = await engine.ask("reproduce", bundle=str(bundle), source=str(source))
    async with asyncio.timeout(60):
        await sandbox.looking.wait()
    with pytest.raises(BadInput, match="executed again just now"):
        await engine.ask("reproduce", bundle=str(bundle), source=str(source))
    stopped = await engine.ask("reproduction_stop", id=view["id"])
    assert stopped["state"] == "stopped" and exit_code_of(stopped) == 4
    last = (await engine.ask("evidence_log"))["entries"][-1]
    assert last["type"] == "run_closed" and "stopped" in last["words"]


async def test_of_two_that_begin_at_once_one_goes_on(
    engine: Engine, sandbox: NoImages, bundle: Path, source: Path
) -> None:
    sandbox.go_on.clear()
    asked = [engine.ask("reproduce", bundle=str(bundle), source=str(source)) for _ in range(3)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, BadInput)]
    (begun,) = [one for one in answers if not isinstance(one, BaseException)]
    assert len(refused) == 2 and all("executed again just now" in str(one) for one in refused)
    async with asyncio.timeout(60):
        await sandbox.looking.wait()
    assert (await engine.ask("reproduction_stop", id=begun["id"]))["state"] == "stopped"


@pytest.mark.parametrize(
    ("remedy", "told"),
    [
        ("Make room there, then go on with: qverify resume RUN", "Make room there, then execute the bundle again"),
        ("Run `qverify resume d1m8hrbw2p0nww`.", "Execute the bundle again."),
        ("Use Docker.", "Use Docker."),
    ],
)
def test_a_reproduction_is_not_resumed_but_begun_anew(remedy: str, told: str) -> None:
    assert _anew(remedy) == told


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"no archive at all" * 99])
async def test_what_is_no_bundle_is_a_sentence(engine: Engine, tmp_path: Path, source: Path, content: bytes) -> None:
    file = tmp_path / "odd.qvevidence.zip"
    file.write_bytes(content)
    view = await ended(engine, bundle=file, source=source)
    assert str(file) in reason(view) and isinstance(wire.error_from_json(view["error"]), EvidenceUnreadable)


async def test_a_bundle_that_is_not_there_is_refused_at_once(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no bundle"):
        await engine.ask("reproduce", bundle=str(tmp_path / "nowhere"))


async def test_a_test_in_the_place_of_the_source_is_not_executed(tmp_path: Path, source: Path) -> None:
    """Its file would bring the code that it is said to test."""
    from qverify_desktop.analysis.claims import LanguageClaim
    from qverify_desktop.analysis.reproduction import _sorted_out

    snapshot = Repositories().take_snapshot(str(source), tmp_path / "look")
    ending = Ending(Status.PASSED)
    fine, instead = test_of("test_kept"), test_of("test_kept", "pages.py")
    cases = [Case(test, ending) for test in (fine, instead, replace(fine, code="def test_kept(): pass"))]
    pin = ImagePin("python", PINNED)
    left_out, runnable = _sorted_out(
        snapshot, LanguageClaim("python", pin, tuple((TestVerdict.ACCEPTED, case) for case in cases))
    )
    assert [case.test for _, case in runnable] == [fine]
    assert [one.why for one in left_out] == [
        "Its file would replace a file of the source.",
        "The bundle has another test of this name.",
    ]


async def test_what_a_dead_process_left_open_is_closed_at_the_next_start(tmp_path: Path) -> None:
    home, left, kept = tmp_path / "mine", "d" + "0" * 13, "dependencies"
    for name in (left, kept):
        (home / "workspace" / name).mkdir(parents=True)
    logs = House(home)
    logs.open_run(left)
    logs.close()
    for _ in range(2):
        async with house(home) as engine:
            lines = (await engine.ask("evidence_log"))["entries"]
        assert [line["type"] for line in lines] == ["run_opened", "run_closed"]
        assert [path.name for path in (home / "workspace").iterdir()] == [kept]
