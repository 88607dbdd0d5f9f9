"""Bundles that are meant to wear a verifier out: small on the disk, much to read, with a key of their maker's own. Each is refused or
graded in a time and a memory that grow no faster than what there is to read."""

import base64
import hashlib
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from qverify_desktop.evidence import verify
from qverify_desktop.evidence.merkle import leaf_hash
from qverify_desktop.evidence.signing import Signer
from qverify_desktop.evidence.verify import BundleUnreadable, verify_bundle
from tests.evidence.forger import SIGNER, Forgery, deflated, entry, run_of
from tests.evidence.logs import ORIGIN, OTHER_KEY, packed

#: Seconds that each may take at most, on a machine that does much else beside; the honest ones here take less than two.
PATIENCE = 60


def shown(count: int, data: dict[str, object] | None = None, type: str = "x") -> Forgery:
    """A run of so many events of one type."""
    forged = Forgery("r1")
    for leaf in run_of("r1", ((type, data or {}) for _ in range(count))):
        forged.add(leaf)
    return forged


def many_ranges() -> Forgery:
    """The run's entries alternate with hidden ones of a run that never ends. Took 10 s where 5,000 took 0.7."""
    forged = Forgery("r1")
    forged.add(entry("r0", 0, "", "run_opened", {}), "headers")
    for leaf in run_of("r1", (("x", {}) for _ in range(20_000)), (1, 0)):
        forged.add(leaf)
        forged.leaves.append(bytes(32))
    return forged


def many_keys() -> Forgery:
    """Every line of signatures under every checkpoint against every key: took 43 s, and hours for 10 MB."""
    forged = shown(200)
    raw = [b"\x01" + number.to_bytes(32) for number in range(20_000)]
    ids = [hashlib.sha256(ORIGIN.encode() + b"\n" + one).digest()[:4].hex() for one in raw]
    texts = [f"{ORIGIN}+{id}+{base64.b64encode(one).decode()}" for id, one in zip(ids, raw, strict=True)]
    forged.keys = [str(SIGNER.verifier_key), *texts]
    forged.sizes, forged.below = range(1, 202), f"— {ORIGIN} AAAAAAAA\n" * 60
    return forged


def many_signatures() -> Forgery:
    """The same signature again and again under each checkpoint: each was checked 64 times."""
    forged = shown(500)
    forged.sizes, forged.signers = range(1, 502), lambda size: [SIGNER] * 64
    return forged


def many_brackets() -> Forgery:
    """Entries with many small objects were written again at a megabyte a second."""
    return shown(200, {f"{number:x}": {"commitment": "", "bytes": 0} for number in range(1600)})


def many_changes() -> Forgery:
    """Every change of the key was held against every checkpoint. Two keys take turns, as each record says."""
    keys, count = (SIGNER, Signer(ORIGIN, OTHER_KEY, "keyring")), 2000
    forged = Forgery("r1", keys=[str(key.verifier_key) for key in keys])
    for number in range(count):
        old, new = (str(keys[turn % 2].verifier_key) for turn in (number, number + 1))
        opening = entry(
            f"d{number}", 0, "", "run_opened", {"key_change": {"kind": "rotated", "old": old, "new": new}}
        )
        forged.add(opening, "headers")
        forged.add(entry(f"d{number}", 1, leaf_hash(opening).hex(), "run_closed", {"entries": 2}), "headers")
    for leaf in run_of("r1", (), (count, count)):
        forged.add(leaf)
    forged.sizes = range(1, 2 * count + 2)
    # The checkpoint right after a record is signed by both, every other one by the key in use.
    forged.signers = lambda size: (
        keys if size % 2 == 0 and size <= 2 * count else [keys[min(size, 2 * count) // 2 % 2]]
    )
    return forged


SHAPES: dict[str, tuple[Callable[[], Forgery], str]] = {
    "ranges": (many_ranges, "proofs/1.tlog-proof is missing"),
    "keys": (many_keys, "names a key that signed nothing"),
    "signatures": (many_signatures, "proofs/0.tlog-proof is missing"),
    "brackets": (many_brackets, "proofs/0.tlog-proof is missing"),
    "changes": (many_changes, "proofs/4000.tlog-proof is missing"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_time_grows_no_faster_than_what_there_is_to_read(name: str, tmp_path: Path) -> None:
    make, place = SHAPES[name]
    bundle = make().write(tmp_path / "b.zip")
    assert bundle.stat().st_size < 4 << 20
    code = "import sys; sys.path.insert(0, sys.argv[1]); import verify; print(verify.verify_bundle(sys.argv[2])['problems'])"
    command = [sys.executable, "-I", "-c", code, str(Path(verify.__file__).parent), str(bundle)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert place in done.stdout, done


def test_what_is_kept_in_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "MAX_KEPT", 1 << 20)
    names = ({"test": f"{number:x}" * 100, "verdict": "accepted"} for number in range(10_000))
    forged = Forgery("r1")
    for leaf in run_of("r1", (("judgement", data) for data in names)):
        forged.add(leaf)
    for bundle in (
        forged.write(tmp_path / "names.zip"),
        shown(20, {f"{n:x}": {"commitment": "", "bytes": 0} for n in range(800)}).write(tmp_path / "contents.zip"),
    ):
        with pytest.raises(BundleUnreadable, match="more tests and contents than this verifier takes into memory"):
            verify_bundle(bundle)


def test_events_that_no_answer_needs_are_not_kept(tmp_path: Path) -> None:
    """Judgements with much in them were kept whole, with twenty times their text."""
    forged = shown(40, {"a": [[]] * 17_000}, "judgement")
    forged.entries[-1:] = []
    bundle = forged.write(tmp_path / "b.zip")
    tracemalloc.start()
    answer = verify_bundle(bundle)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "does not end with a close" in answer["problems"][0]
    assert peak < 12 << 20, peak


@pytest.mark.parametrize("lines", [65, 10_000])
def test_a_checkpoint_has_so_many_signatures_at_most(lines: int, tmp_path: Path) -> None:
    forged = shown(0)
    forged.below = "— b AAAAAAAA\n" * (lines - 1)
    assert "more than 64 signatures" in verify_bundle(forged.write(tmp_path / "b.zip"))["problems"][0]
    forged.below = "— b AAAAAAAA\n" * 63
    assert "proofs/0" in verify_bundle(forged.write(tmp_path / "b.zip"))["problems"][0]


def test_small_files_that_unpack_to_much(tmp_path: Path) -> None:
    """None is large by itself; all together they are."""
    files = {**shown(0).members(), **{f"proofs/{number}.tlog-proof": bytes(8 << 20) for number in range(10)}}
    (tmp_path / "b.zip").write_bytes(deflated(files))
    answer = verify_bundle(tmp_path / "b.zip")
    assert answer["grade"] == "INVALID" and "would unpack to" in answer["problems"][0]


def test_an_archive_of_very_many_files_is_one_of_ours(tmp_path: Path) -> None:
    """More than 65,535 files need a longer end of the directory (zip64); a log of many runs has as many checkpoints."""
    files = {f"checkpoints/{number}": b"x" for number in range(66_000)}
    whole = packed(files)
    (tmp_path / "b.zip").write_bytes(whole)
    archive = verify.Archive(tmp_path / "b.zip")
    with archive.file:
        archive.check()
        assert not archive.repacked
    end = whole.rindex(b"PK\6\6")
    for at in (end + 12, end + 16, len(whole) - 12):
        damaged = bytearray(whole)
        damaged[at] ^= 1
        (tmp_path / "b.zip").write_bytes(damaged)
        archive = verify.Archive(tmp_path / "b.zip")
        with archive.file, pytest.raises(verify.Broken, match="around its files"):
            archive.check()
