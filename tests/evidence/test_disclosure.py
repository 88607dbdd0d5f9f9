"""Bundles that show less than all: what they prove all the same, what they say that they don't show, and attacks on them."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.domain.disclosure import Disclosure
from qverify_desktop.evidence import bundle as bundle_module
from qverify_desktop.evidence.merkle import leaf_hash
from qverify_desktop.evidence.verify import BundleUnreadable, verify_bundle
from tests.evidence.logs import House, event, members, packed, whole_analysis

PARTIAL = (Disclosure.REDACTED, Disclosure.HEADERS)
Files = dict[str, bytes]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "house")
    house.whole_run("r1", steps=1)
    whole_analysis(house, "r2")
    house.open_run("r3")
    yield house
    house.close()


def written(house: House, disclosure: Disclosure, run: str = "r2") -> Path:
    path = house.folder / f"{run}-{disclosure}.zip"
    house.journal.bundle(run, path, disclosure)
    return path


@pytest.mark.parametrize("disclosure", PARTIAL)
def test_the_grade_is_that_of_the_full_bundle_and_what_is_not_shown_is_said(
    disclosure: Disclosure, house: House
) -> None:
    full = verify_bundle(written(house, Disclosure.FULL), public_key=house.journal.verifier_key)
    answer = verify_bundle(written(house, disclosure), public_key=house.journal.verifier_key)
    alike = ("grade", "valid", "problems", "events", "checkpoint", "run", "origin", "size")
    assert {key: answer[key] for key in alike} == {key: full[key] for key in alike}
    assert (full["disclosure"], answer["disclosure"]) == ("full", disclosure.value)
    sentence = {"redacted": "not the contents", "headers": "does not show the events"}[disclosure.value]
    assert [notice for notice in answer["notices"] if sentence in notice]
    assert set(full["notices"]) < set(answer["notices"])


@pytest.mark.parametrize("disclosure", list(Disclosure))
def test_the_same_bytes_at_every_export(disclosure: Disclosure, house: House) -> None:
    first = written(house, disclosure).read_bytes()
    house.whole_run("r4")
    assert written(house, disclosure).read_bytes() == first


def test_a_redacted_bundle_has_every_event_and_no_content(house: House) -> None:
    full, redacted = members(written(house, Disclosure.FULL)), members(written(house, Disclosure.REDACTED))
    gone = full.keys() - redacted.keys()
    assert {name.partition("/")[0] for name in gone} == {"salts.jsonl", "blobs"}
    same = redacted.keys() - {"bundle.json"}
    assert {name: redacted[name] for name in same} == {name: full[name] for name in same}
    everything = b"".join(redacted.values())
    assert b"assert 0" not in everything and b"All is well." not in everything
    assert verify_bundle(written(house, Disclosure.REDACTED))["attestations"] == 2


def test_headers_have_the_opening_and_the_close_and_nothing_of_between(house: House) -> None:
    full, headers = members(written(house, Disclosure.FULL)), members(written(house, Disclosure.HEADERS))
    lines = full["entries.jsonl"].splitlines()
    assert headers["entries.jsonl"].splitlines() == [lines[0], lines[-1]]
    manifest = json.loads(headers["bundle.json"])
    assert manifest["entries"] == [[3, 1], [10, 1]] and manifest["disclosure"] == "headers"
    assert not [name for name in headers if name.startswith(("attest/", "blobs/", "salts"))]
    assert {name for name in headers if name.startswith("proofs/")} == {
        "proofs/3.tlog-proof",
        "proofs/10.tlog-proof",
    }
    everything = b"".join(headers.values())
    for hidden in (b"test_\xc3\xa9", b"judgement", b"snapshot", b"nothing_suspected", b"assert 0"):
        assert hidden not in everything


@pytest.mark.parametrize("disclosure", PARTIAL)
def test_a_bundle_of_an_older_log_can_show_less_too(disclosure: Disclosure, tmp_path: Path) -> None:
    house = House(tmp_path, attestation_key=None)
    house.whole_run("r2", steps=2)
    answer = verify_bundle(written(house, disclosure), public_key=house.journal.verifier_key)
    assert (answer["problems"], answer["events"], answer["disclosure"]) == ([], 4, disclosure.value)
    house.close()


@pytest.mark.parametrize("disclosure", PARTIAL)
def test_a_known_checkpoint_is_compared_all_the_same(disclosure: Disclosure, house: House, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(members(written(house, Disclosure.FULL))["checkpoints/3"])
    assert verify_bundle(written(house, disclosure), known_checkpoint=kept)["grade"] == "UNANCHORED"
    anew = House(tmp_path / "anew")
    anew.whole_run("r1", steps=1, exit_code=1)
    whole_analysis(anew, "r2")
    assert verify_bundle(written(anew, disclosure), known_checkpoint=kept)["grade"] == "DIVERGED"
    anew.close()


def test_a_long_run_has_the_proofs_of_its_ends(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_module, "PROVEN_ENTRIES", 5)
    monkeypatch.setattr("qverify_desktop.evidence.verify.PROVEN_ENTRIES", 5)
    for disclosure in Disclosure:
        path = written(house, disclosure)
        proofs = {name for name in members(path) if name.startswith("proofs/")}
        assert proofs == {"proofs/3.tlog-proof", "proofs/10.tlog-proof"}
        assert verify_bundle(path)["valid"]


def manifest(files: Files, **fields: Any) -> Files:
    changed = {**json.loads(files["bundle.json"]), **fields}
    return {**files, "bundle.json": json.dumps(changed, sort_keys=True, separators=(",", ":")).encode()}


def close_edited(files: Files) -> Files:
    opened, closed = files["entries.jsonl"].splitlines()
    return {
        **files,
        "entries.jsonl": opened + b"\n" + closed.replace(b'"outcome":"done"', b'"outcome":"none"') + b"\n",
    }


def counts(files: Files, entries: int) -> Files:
    opened, closed = files["entries.jsonl"].splitlines()
    entry = json.loads(closed)
    entry["seq"], entry["data"]["entries"] = entries - 1, entries
    forged = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return {**files, "entries.jsonl": opened + b"\n" + forged + b"\n"}


def without_header(files: Files) -> Files:
    return manifest({**files, "headers.jsonl": b""}, headers=[])


HEADER_ATTACKS: dict[str, tuple[Callable[[Files], Files], str]] = {
    "the close edited": (close_edited, "Leaf 10 of the log is not the entry"),
    "fewer entries than the run has": (lambda f: counts(f, 4), "account for all entries|Leaf 10"),
    "more entries than there is room for": (lambda f: counts(f, 90), "counts other entries than there can be"),
    "the opening alone": (
        lambda f: manifest({**f, "entries.jsonl": f["entries.jsonl"].splitlines()[0] + b"\n"}, entries=[[3, 1]]),
        "the opening and the close of the run and nothing else",
    ),
    "another run's name": (lambda f: manifest(f, run="r1"), "the opening and the close of the run and nothing else"),
    "another run left out": (without_header, "do not account for all entries"),
    "said to be redacted": (lambda f: manifest(f, disclosure="redacted"), "does not follow the one before it"),
    "said to be full": (lambda f: manifest(f, disclosure="full"), "does not follow the one before it"),
    "another word": (lambda f: manifest(f, disclosure="some"), "does not say how much"),
    "an attestation beside it": (lambda f: {**f, "attest/run.intoto.jsonl": b"{}\n"}, "no part of a bundle"),
    "a salt beside it": (lambda f: {**f, "salts.jsonl": b""}, "no part of a bundle"),
}


@pytest.mark.parametrize("name", HEADER_ATTACKS)
def test_an_attack_on_headers(name: str, house: House, tmp_path: Path) -> None:
    attack, place = HEADER_ATTACKS[name]
    files = members(written(house, Disclosure.HEADERS))
    (tmp_path / "attacked.zip").write_bytes(packed(attack(files)))
    answer = verify_bundle(tmp_path / "attacked.zip")
    assert (answer["grade"], answer["valid"]) == ("INVALID", False)
    assert any(part in problem for problem in answer["problems"] for part in place.split("|")), answer["problems"]


@pytest.mark.parametrize("disclosure", PARTIAL)
def test_flipped_bytes_of_every_member(disclosure: Disclosure, house: House, tmp_path: Path) -> None:
    files, target = members(written(house, disclosure)), tmp_path / "attacked.zip"
    for name, content in files.items():
        for at in range(0, len(content), 13):
            damaged = bytearray(content)
            damaged[at] ^= 1 << at % 8
            target.write_bytes(packed({**files, name: bytes(damaged)}))
            with suppress(BundleUnreadable):
                assert not verify_bundle(target, public_key=house.journal.verifier_key)["valid"], (name, at)


@pytest.mark.parametrize("name", ["a blob", "salts"])
def test_a_redacted_bundle_that_holds_contents_is_none(name: str, house: House, tmp_path: Path) -> None:
    full, redacted = members(written(house, Disclosure.FULL)), members(written(house, Disclosure.REDACTED))
    added = {n: c for n, c in full.items() if n.startswith("blobs/" if name == "a blob" else "salts")}
    (tmp_path / "b.zip").write_bytes(packed({**redacted, **added}))
    answer = verify_bundle(tmp_path / "b.zip")
    assert answer["grade"] == "INVALID" and "no part of a bundle" in answer["problems"][0]


def test_the_tiles_of_all_levels_are_checked(tmp_path: Path) -> None:
    house = House(tmp_path / "house")
    house.open_run("r2")
    house.journal.record("r2", "many", "00" * 32, [event("x", {"n": n}) for n in range(600)])
    house.close_run("r2")
    files = members(written(house, Disclosure.REDACTED))
    house.close()
    assert {name: len(content) // 32 for name, content in files.items() if name.startswith("tile/")} == {
        "tile/0/000": 256,
        "tile/0/001": 256,
        "tile/0/002.p/90": 90,
        "tile/1/000.p/2": 2,
    }
    upper = files["tile/1/000.p/2"]
    assert upper[:32] != leaf_hash(b"")
    for forged in (upper[::-1], upper[:32], b""):
        (tmp_path / "b.zip").write_bytes(packed({**files, "tile/1/000.p/2": forged}))
        answer = verify_bundle(tmp_path / "b.zip")
        assert answer["problems"] == ["tile/1/000.p/2 does not hold the hashes of the tiles below it."]
    (tmp_path / "b.zip").write_bytes(packed({n: c for n, c in files.items() if n != "tile/1/000.p/2"}))
    assert "tile/1/000.p/2 is missing" in verify_bundle(tmp_path / "b.zip")["problems"][0]
