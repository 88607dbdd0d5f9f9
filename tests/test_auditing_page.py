"""docs/auditing.md is executed as it stands, over a bundle with a real git tree, time stamp and cosignature; and over tampered ones."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from qverify_desktop.domain.connections import Gate
from qverify_desktop.domain.disclosure import Disclosure
from qverify_desktop.evidence.time_stamp import stamp
from qverify_desktop.evidence.witness import cosign, witness_key
from qverify_desktop.storage.anchors import TIME_STAMP, WITNESS, AnchorStore, Wanted
from tests.evidence.authority import Authority, reply_by_openssl, served
from tests.evidence.logs import ORIGIN, OTHER_KEY, House, members, packed, whole_analysis
from tests.evidence.test_witness import LOG_KEY
from tests.evidence.witness_server import WitnessServer

PAGE = Path(__file__).parents[1] / "docs" / "auditing.md"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of the page: the heading above it, its language and its text."""

    heading: str
    language: str
    text: str


def blocks() -> list[Block]:
    page = PAGE.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(page):
        heading = re.findall(r"^##+ (.+)$", page[: match.start()], re.MULTILINE)[-1]
        found.append(Block(heading, match[1], match[2]))
    return found


@dataclass(frozen=True)
class Auditor:
    """A folder with what an auditor has: the bundle, the script of the page, and by another way all the rest."""

    folder: Path
    given: dict[str, str]

    def run(self, *texts: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(texts)],
            cwd=self.folder,
            env={**self.given, "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def page(self) -> "subprocess.CompletedProcess[str]":
        """All commands of the page, one after the other."""
        return self.run(*(block.text for block in blocks() if block.language == "sh"))

    def section(self, heading: str) -> "subprocess.CompletedProcess[str]":
        return self.run(*(block.text for block in blocks() if block.language == "sh" and block.heading == heading))

    def swap(self, changed: dict[str, bytes]) -> None:
        """Unpack the bundle with other contents; an empty one takes the file away."""
        files = {**members(Path(self.given["BUNDLE"])), **changed}
        target = self.folder / "changed.zip"
        target.write_bytes(packed({name: content for name, content in files.items() if content}))
        done = self.run("rm -rf bundle", f"python3 -m zipfile -e {target.name} bundle")
        assert done.returncode == 0, done.stderr

    def by_hand(self, *more: str) -> "subprocess.CompletedProcess[str]":
        return self.run(" ".join(("python3 -I by_hand.py bundle", *more)))


@pytest.fixture
def auditor(tmp_path: Path) -> Auditor:
    folder = tmp_path / "an auditor's folder"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python3").symlink_to(sys.executable)
    (script,) = (block.text for block in blocks() if block.language == "python")
    (folder / "by_hand.py").write_text(script, encoding="utf-8")
    commit, tree = repository(folder / "source")
    authority, witness = (
        Authority.make(),
        WitnessServer("witness.test/one", tmp_path / "witness", {ORIGIN: [LOG_KEY]}),
    )
    root = authority.write(tmp_path / "authority")
    house = House(tmp_path / "home", wanted=[Wanted(TIME_STAMP), Wanted(WITNESS, witness.verifier_key)])
    # More than 256 entries before it, so that there is a whole tile beside the partial one.
    house.whole_run("r1", steps=260)
    (folder / "kept").write_bytes(members(house.bundle("r1"))["checkpoint"])
    whole_analysis(house, "r2", verdict="defects_suspected", commit=commit, tree=tree)
    confirm(house, authority, witness, tmp_path / "authority")
    given = {
        "BUNDLE": str(house.bundle("r2")),
        "KEY": house.journal.verifier_key,
        "KEPT": "kept",
        "SOURCE": "source",
        "TSA": str(root),
        "WITNESS": witness.verifier_key,
    }
    for disclosure in (Disclosure.REDACTED, Disclosure.HEADERS):
        house.journal.bundle("r2", folder / f"{disclosure.value}.zip", disclosure)
    house.close()
    return Auditor(folder, given)


def repository(folder: Path) -> tuple[str, str]:
    """A git repository of one commit; answers the commit and its tree."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    folder.mkdir()
    (folder / "größe.py").write_text("answer = 42\n")
    git("init", "-q")
    git("add", "-A")
    git("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "One")
    return git("rev-parse", "HEAD"), git("rev-parse", "HEAD^{tree}")


def confirm(house: House, authority: Authority, witness: WitnessServer, folder: Path) -> None:
    """Have the newest checkpoint time-stamped and cosigned, each over HTTP."""
    store = AnchorStore(house.database)
    note = members(house.bundle("r2"))["checkpoint"]
    newest = max(row.size for row in store.waiting())
    rows = {row.kind: row for row in store.waiting() if row.size == newest}
    with served(lambda query: (200, "application/timestamp-reply", reply_by_openssl(folder, query))) as (url, _):
        stamped = stamp(note, url, [authority.root], Gate())
    with witness.running() as (url, _):
        key = witness_key(witness.verifier_key)
        cosigned = cosign(note.decode(), key, url, 0, house.journal.growth, Gate())
    for kind, came in ((TIME_STAMP, stamped), (WITNESS, cosigned)):
        store.hold(rows[kind], came.content, came.by, came.made_at)


def test_every_command_of_the_page(auditor: Auditor) -> None:
    done = auditor.page()
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Signature Verified Successfully") == 4, "checkpoint, two attestations, cosignature"
    assert "Verification: OK" in done.stdout + done.stderr
    assert f"{auditor.given['KEY'].split('+')[1]}\n" * 2 in done.stdout, "the hash of the key, twice"
    assert "has this tree." in done.stdout and "Time stamp:" in done.stdout
    for words in (
        f"{members(Path(auditor.given['BUNDLE']))['salts.jsonl'].count(b'sha256')} contents are what",
        "'accepted': 2, 'refused': 1, 'suspected': 1",
        "test-result/v0.1",
        "attestation/run/v1",
    ):
        assert words in done.stdout, words


@pytest.mark.parametrize("disclosure", [Disclosure.REDACTED, Disclosure.HEADERS])
def test_less_is_shown_and_the_tree_is_the_same(auditor: Auditor, disclosure: Disclosure) -> None:
    done = auditor.run(f"python3 -m zipfile -e {disclosure.value}.zip bundle", "python3 -I by_hand.py bundle $KEPT")
    assert done.returncode == 0, done.stderr
    assert "0 contents" in done.stdout and ("suspected" in done.stdout) == (disclosure is Disclosure.REDACTED)


def test_what_was_changed_is_named(auditor: Auditor) -> None:
    files = members(Path(auditor.given["BUNDLE"]))
    lines = files["entries.jsonl"].splitlines(keepends=True)
    blob = next(name for name in files if name.startswith("blobs/"))
    proof = next(name for name in files if name.startswith("proofs/"))
    header = files["headers.jsonl"]
    cases: list[tuple[dict[str, bytes], str]] = [
        (
            {"entries.jsonl": files["entries.jsonl"].replace(b'"accepted":2', b'"accepted":3')},
            "is not what the log has",
        ),
        ({"entries.jsonl": b"".join([*lines[:2], *lines[3:]])}, "another number of lines"),
        ({"entries.jsonl": b"".join([lines[1], lines[0], *lines[2:]])}, "is not what the log has"),
        ({"headers.jsonl": header.replace(b'"run_opened"', b'"run_0pened"', 1)}, "is not what the log has"),
        ({blob: files[blob] + b" "}, "AssertionError"),
        ({"salts.jsonl": files["salts.jsonl"].replace(b'"salt":"', b'"salt":"00', 1)}, "AssertionError"),
        ({proof: files[proof].replace(b"index 26", b"index 25")}, "AssertionError"),
        ({"tile/0/000": files["tile/0/000"][:-1] + b"\x00"}, "another history"),
    ]
    for changed, words in cases:
        assert all(files[name] != content for name, content in changed.items()), changed.keys()
        auditor.swap(changed)
        done = auditor.by_hand()
        assert done.returncode == 1 and words in done.stderr, (list(changed), done.stdout, done.stderr)
    auditor.swap({blob: b""})
    assert auditor.by_hand().returncode == 0, "a content may be withheld"


def test_another_source_is_said_to_be_one(auditor: Auditor) -> None:
    auditor.swap({})
    assert "has this tree" in auditor.section("The source").stdout
    subprocess.run(["git", "init", "-q", auditor.folder / "elsewhere"], check=True)
    swapped = Auditor(auditor.folder, {**auditor.given, "SOURCE": "elsewhere"})
    assert "not what was analysed (uncommitted changes: False)" in swapped.section("The source").stdout


def test_a_log_that_was_written_anew(auditor: Auditor, tmp_path: Path) -> None:
    """The same log, key and number of entries, with other contents: signed well, and another history."""
    other = House(tmp_path / "anew")
    other.whole_run("r1", steps=260)
    another = members(other.bundle("r1"))["checkpoint"]
    other.close()
    known = (auditor.folder / "kept").read_bytes()
    assert another.split(b"\n")[:2] == known.split(b"\n")[:2] and another != known
    auditor.swap({})
    for text, code in ((known, 0), (known.replace(b"\n", b"\r\n"), 0), (another, 1)):
        (auditor.folder / "known").write_bytes(text)
        done = auditor.by_hand("known")
        assert done.returncode == code, done.stderr
    assert "known: another history" in done.stderr


def test_another_key_or_text_is_not_verified(auditor: Auditor, tmp_path: Path) -> None:
    stranger = House(tmp_path / "stranger", key=OTHER_KEY)
    auditor.swap({})
    heading = "The signature of the checkpoint"
    assert auditor.section(heading).returncode == 0
    swapped = Auditor(auditor.folder, {**auditor.given, "KEY": stranger.journal.verifier_key})
    assert swapped.section(heading).returncode != 0
    stranger.close()
    files = members(Path(auditor.given["BUNDLE"]))
    auditor.swap({"attest/run.intoto.jsonl": files["attest/run.intoto.jsonl"].replace(b'"sig":"', b'"sig":"AAAA', 1)})
    assert auditor.section(heading).returncode == 0
    assert auditor.section("The attestations").returncode != 0
