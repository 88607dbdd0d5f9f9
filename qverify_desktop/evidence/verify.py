"""Checks an evidence bundle. One file that stands alone: the standard library and ``cryptography``, nothing else.

Run it as ``python -I verify.py BUNDLE [--public-key VKEY] [--known-checkpoint FILE] [--json]``. Exit code 0: whole, 1: not,
2: unreadable. Formats: RFC 8785 (canonical JSON), RFC 6962 (Merkle tree), C2SP signed-note, tlog-checkpoint, tlog-tiles.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import hmac
import io
import json
import re
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX_BUNDLE = 1 << 30
MAX_MEMBERS = 400_000
MAX_DEPTH = 16
MAX_ENTRY = 256 * 1024
MAX_NUMBER = 2**53 - 1
MAX_PROBLEMS = 50
_NUMBER = r"(?:0|[1-9][0-9]{0,11})"
_MEMBERS = re.compile(
    rf"bundle\.json|checkpoint|salts\.jsonl|(?:checkpoints|entries|headers)/{_NUMBER}|proofs/{_NUMBER}\.tlog-proof"
    r"|tile/0/(?:x[0-9]{3}/)*[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?|blobs/[0-9a-f]{64}"
)
_HEAD = {"format", "version", "origin", "run", "size", "key_protection", "verifier_key"}
_ENTRY = {"v", "log", "run", "seq", "prev", "step", "type", "at", "data"}
MEANINGS = {
    "INVALID": "Something in the bundle does not fit together. Nothing in it should be relied on.",
    "DIVERGED": "The bundle is whole in itself but contradicts a checkpoint that you know: the log was rewritten.",
    "UNANCHORED": "Every entry is signed into one log and none was changed since. It does not show when that was, nor "
    "that the holder of the key has not written another log: keep a checkpoint of your own for that.",
}


class BundleUnreadable(Exception):
    """The file can't even be read as a bundle."""

    exit_code = 2

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.remedy = "Ask for the file again."


class Broken(Exception):
    """One thing that does not fit, in a sentence."""


@dataclass
class Check:
    """A verification under way."""

    members: dict[str, bytes]
    head: dict[str, Any] = field(default_factory=dict)
    leaves: list[bytes] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    events: int = 0
    diverged: str = ""

    def attempt(self, what: str, action: Any, *arguments: Any) -> Any:
        """Run one check; what it finds broken becomes a problem instead of an end."""
        try:
            return action(*arguments)
        except Broken as broken:
            if len(self.problems) < MAX_PROBLEMS:
                self.problems.append(f"{what}: {broken}" if what else str(broken))
        return None


def verify_bundle(path: Path | str, *, public_key: str = "", known_checkpoint: Path | None = None) -> dict[str, Any]:
    """Grade a bundle. ``public_key`` is the verifier key (C2SP) that you trust, ``known_checkpoint`` a signed note's file.

    Answers ``grade``, ``valid``, ``problems``, ``notices``, ``events``, ``checkpoint``, ``run``, ``origin``, ``meaning``.
    Raises ``BundleUnreadable``.
    """
    check = Check(_read(Path(path)))
    check.head = check.attempt("bundle.json", _head, check.members) or {}
    if check.head:
        keys = check.attempt("verifier key", _keys, check, public_key)
        check.leaves = check.attempt("tiles", _leaves, check) or []
        if keys and check.leaves:
            check.attempt("checkpoint", _checkpoints, check, keys)
            _entries(check)
            check.attempt("salts.jsonl", _commitments, check)
            if known_checkpoint is not None:
                check.attempt("known checkpoint", _known, check, keys, known_checkpoint)
    grade = "INVALID" if check.problems else "DIVERGED" if check.diverged else "UNANCHORED"
    problems = check.problems + ([check.diverged] if check.diverged else [])
    note = check.members.get("checkpoint", b"").decode("utf-8", "replace")
    return {
        "grade": grade,
        "valid": grade == "UNANCHORED",
        "problems": problems,
        "notices": check.notices,
        "events": check.events,
        "checkpoint": note,
        "run": check.head.get("run", ""),
        "origin": check.head.get("origin", ""),
        "meaning": MEANINGS[grade],
    }


def _read(path: Path) -> dict[str, bytes]:
    """All members, each within its limits; the archive must be the canonical one of these members."""
    try:
        size = path.stat().st_size
        if size > MAX_BUNDLE:
            raise BundleUnreadable(f"The file {path.name} has {size} bytes, more than a bundle may have.")
        raw = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            infos = archive.infolist()
            if len(infos) > MAX_MEMBERS:
                raise BundleUnreadable("The archive has more members than a bundle may have.")
            members: dict[str, bytes] = {}
            for info in infos:
                if info.compress_type != zipfile.ZIP_STORED or info.file_size > len(raw):
                    raise BundleUnreadable("The archive is compressed; a bundle never is.")
                if info.filename in members or not _MEMBERS.fullmatch(info.filename):
                    raise BundleUnreadable(f"The archive has a member that no bundle has: {info.filename[:100]!r}.")
                with archive.open(info) as stream:
                    members[info.filename] = stream.read(info.file_size)
    except OSError as error:
        raise BundleUnreadable(f"The file {path} can't be read ({error.strerror or error}).") from error
    except BundleUnreadable:
        raise
    except Exception as error:
        raise BundleUnreadable(f"The file {path.name} is no readable bundle ({error}).") from error
    if not {"bundle.json", "checkpoint"} <= members.keys():
        raise BundleUnreadable(f"The file {path.name} is an archive, but no evidence bundle.")
    if _pack(members) != raw:
        raise BundleUnreadable(f"The archive {path.name} was damaged or packed again; its bytes are not a bundle's.")
    return members


def _pack(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o100644 << 16
            archive.writestr(info, members[name])
    return buffer.getvalue()


def _json(raw: bytes) -> Any:
    """Strict JSON in canonical form: no duplicate keys, floats, large numbers, deep nesting or other spelling."""
    if len(raw) > MAX_ENTRY:
        raise Broken("it is larger than an entry may be")

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in found}) != len(found):
            raise Broken("a key occurs twice")
        return dict(found)

    def refuse(_: str) -> Any:
        raise Broken("it holds a number that is no integer")

    def integer(text: str) -> int:
        if len(text) > 17 or abs(int(text)) > MAX_NUMBER:
            raise Broken("it holds a number that is too large")
        return int(text)

    try:
        text = raw.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=pairs, parse_float=refuse, parse_constant=refuse, parse_int=integer
        )
        if _canonical(value, MAX_DEPTH) != text:
            raise Broken("it is not in canonical form (RFC 8785)")
    except (ValueError, RecursionError) as error:
        raise Broken("it is no JSON in UTF-8") from error
    return value


def _canonical(value: Any, depth: int) -> str:
    if depth == 0:
        raise Broken("it is nested too deeply")
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{_canonical(key, 1)}:{_canonical(value[key], depth - 1)}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_canonical(item, depth - 1) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _head(members: dict[str, bytes]) -> dict[str, Any]:
    head = _json(members["bundle.json"])
    if not isinstance(head, dict) or set(head) != _HEAD:
        raise Broken("it does not have the fields of a bundle")
    if head["format"] != "qverify-evidence" or head["version"] != 1:
        raise Broken("the bundle has a format that this verifier does not know")
    texts = ("origin", "run", "key_protection", "verifier_key")
    if not all(isinstance(head[key], str) for key in texts) or type(head["size"]) is not int or head["size"] < 1:
        raise Broken("a field has the wrong type")
    return head


def _verifier_key(text: str) -> tuple[str, bytes, bytes]:
    """Name, key hash and public key of a C2SP verifier key."""
    parts = text.strip().split("+", 2)
    try:
        name, given, key = parts[0], bytes.fromhex(parts[1]), base64.b64decode(parts[2], validate=True)
    except (IndexError, ValueError, binascii.Error) as error:
        raise Broken("it is not written as name+hash+key") from error
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if len(key) != 33 or key[:1] != b"\x01" or given != expected:
        raise Broken("it is no Ed25519 key with a right hash")
    return name, given, key[1:]


def _keys(check: Check, public_key: str) -> tuple[str, bytes, bytes]:
    own = _verifier_key(check.head["verifier_key"])
    if own[0] != check.head["origin"]:
        raise Broken("the key's name is not the log's")
    if not public_key:
        check.notices.append("No public key was handed in: the key inside a bundle does not show whose it is.")
    elif _verifier_key(public_key) != own:
        raise Broken("the bundle is signed with another key than the one that you trust")
    if check.head["key_protection"] != "keyring":
        check.notices.append(f"The signing key is kept as: {check.head['key_protection']}.")
    return own


def _open_note(note: bytes, keys: tuple[str, bytes, bytes]) -> tuple[int, bytes]:
    """Size and root of a signed checkpoint. Raises ``Broken``."""
    name, key_id, public = keys
    try:
        text, _, signatures = note.decode("utf-8").rpartition("\n\n")
        origin, size, encoded = text.split("\n")
        root = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise Broken("it is no signed checkpoint") from error
    if not re.fullmatch(_NUMBER, size) or len(root) != 32 or origin != name or not signatures.endswith("\n"):
        raise Broken("it is no checkpoint of this log")
    lines = signatures[:-1].split("\n")
    if len(lines) != 1 or not lines[0].startswith(f"— {name} "):
        raise Broken("it has not exactly one signature, that of the log")
    try:
        signature = base64.b64decode(lines[0].split(" ")[2], validate=True)
        if base64.b64encode(signature).decode() != lines[0].split(" ", 2)[2] or signature[:4] != key_id:
            raise Broken("its signature is not by the log's key")
        Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], text.encode() + b"\n")
    except (ValueError, InvalidSignature) as error:
        raise Broken("its signature is wrong") from error
    if base64.b64encode(root).decode() != encoded:
        raise Broken("its root is not written in canonical base64")
    return int(size), root


def _leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _roots(leaves: list[bytes], sizes: set[int]) -> dict[int, bytes]:
    """Merkle tree hashes (RFC 6962, section 2.1) of the first n leaves for each n of ``sizes``."""
    roots, stack = {}, list[tuple[int, bytes]]()
    for count, leaf in enumerate(leaves, 1):
        width, node = 1, leaf
        while stack and stack[-1][0] == width:
            width, node = width * 2, _node_hash(stack.pop()[1], node)
        stack.append((width, node))
        if count in sizes:
            root = stack[-1][1]
            for _, left in reversed(stack[:-1]):
                root = _node_hash(left, root)
            roots[count] = root
    return roots


def _tile_name(number: int, width: int) -> str:
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"tile/0/{path}" if width == 256 else f"tile/0/{path}.p/{width}"


def _leaves(check: Check) -> list[bytes]:
    """The leaf hashes of the whole log up to the closing checkpoint."""
    leaves: list[bytes] = []
    size, names = check.head["size"], set()
    for start in range(0, min(size, MAX_MEMBERS * 256), 256):
        width = min(256, size - start)
        name = _tile_name(start // 256, width)
        tile = check.members.get(name)
        if tile is None or len(tile) != width * 32:
            raise Broken(f"the leaf hashes from {start} on are missing or cut")
        names.add(name)
        leaves += [tile[i : i + 32] for i in range(0, len(tile), 32)]
    if extra := {name for name in check.members if name.startswith("tile/")} - names:
        raise Broken(f"there is a tile that the log has no place for: {min(extra)}")
    return leaves


def _numbered(check: Check, folder: str) -> dict[int, bytes]:
    found = {int(n.partition("/")[2]): raw for n, raw in check.members.items() if n.startswith(folder + "/")}
    return dict(sorted(found.items()))


def _checkpoints(check: Check, keys: tuple[str, bytes, bytes]) -> None:
    """Every signed checkpoint fits the hashes: so each is consistent with each other."""
    notes = _numbered(check, "checkpoints")
    size = check.head["size"]
    if notes.get(size) != check.members["checkpoint"]:
        raise Broken("the closing checkpoint is missing among the checkpoints")
    roots = _roots(check.leaves, set(notes))
    for number, note in notes.items():
        signed_size, root = _open_note(note, keys)
        if signed_size != number:
            raise Broken(f"the checkpoint filed under {number} is over {signed_size} entries")
        if roots.get(number) != root:
            raise Broken(f"the checkpoint over {number} entries does not fit the log's hashes")


def _entries(check: Check) -> None:
    """The run's own entries: in the log, in order, complete from open to close; others' headers in the log."""
    run, previous, kinds = check.head["run"], "", []
    entries, headers = _numbered(check, "entries"), _numbered(check, "headers")
    for sequence, (index, raw) in enumerate(entries.items()):
        entry = check.attempt(f"entry {index}", _entry, check, index, raw)
        check.attempt(f"proof {index}", _proof, check, index)
        if entry is None:
            continue
        check.events += 1
        kinds.append(entry["type"])
        wrong = (entry["run"], entry["seq"], entry["prev"]) != (run, sequence, previous)
        if wrong:
            check.attempt(f"entry {index}", _raise, "it does not follow the run's entry before it")
        previous = _leaf_hash(raw).hex()
    if not kinds or kinds[0] != "run_opened" or kinds[-1] != "run_closed" or "run_closed" in kinds[:-1]:
        check.attempt("", _raise, "The run's entries do not go from its opening to its close.")
    if set(_numbered_proofs(check)) - set(entries):
        check.attempt("", _raise, "There is a proof without an entry.")
    for index, raw in headers.items():
        entry = check.attempt(f"header {index}", _entry, check, index, raw)
        if entry is not None and (entry["run"] == run or entry["type"] not in ("run_opened", "run_closed")):
            check.attempt(f"header {index}", _raise, "it is not the opening or close of another run")


def _numbered_proofs(check: Check) -> list[int]:
    return [int(n[7:].partition(".")[0]) for n in check.members if n.startswith("proofs/")]


def _raise(sentence: str) -> None:
    raise Broken(sentence)


def _entry(check: Check, index: int, raw: bytes) -> dict[str, Any]:
    if index >= len(check.leaves) or _leaf_hash(raw) != check.leaves[index]:
        raise Broken("its hash is not the one in the log: it was changed or does not belong here")
    entry = _json(raw)
    if not isinstance(entry, dict) or set(entry) != _ENTRY or entry["v"] != 1 or entry["log"] != check.head["origin"]:
        raise Broken("it does not have the fields of an entry of this log")
    return entry


def _proof(check: Check, index: int) -> None:
    """The stored inclusion proof (C2SP tlog-proof) leads from the entry to the closing root."""
    raw = check.members.get(f"proofs/{index}.tlog-proof")
    if raw is None:
        raise Broken("it is missing")
    head, _, note = raw.partition(b"\n\n")
    lines = head.decode("utf-8", "replace").split("\n")
    if lines[:2] != ["c2sp.org/tlog-proof@v1", f"index {index}"] or note != check.members["checkpoint"]:
        raise Broken("it is not written as a proof for this entry and checkpoint")
    try:
        path = [base64.b64decode(line, validate=True) for line in lines[2:]]
    except (ValueError, binascii.Error) as error:
        raise Broken("it holds something that is no hash") from error
    canonical = [base64.b64encode(node).decode() for node in path] == lines[2:]
    root = base64.b64decode(note.split(b"\n")[2], validate=True) if note.count(b"\n") > 3 else b""
    if (
        not canonical
        or index >= len(check.leaves)
        or not _included(check.leaves[index], index, len(check.leaves), path, root)
    ):
        raise Broken("it does not lead to the checkpoint")


def _included(leaf: bytes, index: int, size: int, proof: list[bytes], expected: bytes) -> bool:
    """RFC 9162, section 2.1.3.2."""
    fn, sn, node = index, size - 1, leaf
    for sibling in proof:
        if sn == 0 or len(sibling) != 32:
            return False
        if fn & 1 or fn == sn:
            node = _node_hash(sibling, node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = _node_hash(node, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and node == expected


def _commitments(check: Check) -> None:
    """Every salt and blob opens a commitment of an entry; a blob that is not there is only a notice."""
    entries = _numbered(check, "entries")
    blobs = {name[6:]: raw for name, raw in check.members.items() if name.startswith("blobs/")}
    for digest, content in blobs.items():
        if hashlib.sha256(content).hexdigest() != digest:
            raise Broken(f"the blob {digest[:12]} is not what its name says")
    opened, used, missing = set(), set(), 0
    for line in check.members.get("salts.jsonl", b"").splitlines():
        salt = _json(line)
        if not isinstance(salt, dict) or set(salt) != {"index", "key", "salt", "blob"}:
            raise Broken("a line does not have the fields of a salt")
        place = (salt["index"], salt["key"])
        try:
            given = _json(entries[salt["index"]])["data"][salt["key"]]["commitment"]
            made = hmac.new(bytes.fromhex(salt["salt"]), bytes.fromhex(salt["blob"]), hashlib.sha256).hexdigest()
        except (KeyError, TypeError, ValueError) as error:
            raise Broken("a salt belongs to no commitment") from error
        if given != made or place in opened:
            raise Broken(f"the commitment {salt['key']} of entry {salt['index']} does not open")
        opened.add(place)
        used.add(salt["blob"])
        missing += salt["blob"] not in blobs
    if set(blobs) - used:
        raise Broken("there is a blob that no entry commits to")
    if missing:
        check.notices.append(f"{missing} blobs are not disclosed; what they held is proven only by commitment.")


def _known(check: Check, keys: tuple[str, bytes, bytes], path: Path) -> None:
    """The checkpoint that the reader kept must be a beginning of this log."""
    try:
        size, root = _open_note(path.read_bytes()[:65536], keys)
    except OSError as error:
        raise BundleUnreadable(f"The known checkpoint {path} can't be read ({error.strerror}).") from error
    if size > len(check.leaves):
        check.notices.append("The known checkpoint is newer than this bundle; it can't be compared.")
    elif size and _roots(check.leaves, {size})[size] != root:
        check.diverged = f"The log's first {size} entries are not those of the checkpoint that you know."


def main(argv: list[str] | None = None) -> int:
    """The command. Prints the grade and what it means, or one JSON document."""
    parser = argparse.ArgumentParser(prog="verify", description="Check an evidence bundle.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--public-key", default="", help="the verifier key that you trust")
    parser.add_argument("--known-checkpoint", type=Path, help="a checkpoint of this log that you kept")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    try:
        answer = verify_bundle(
            options.bundle, public_key=options.public_key, known_checkpoint=options.known_checkpoint
        )
    except BundleUnreadable as error:
        print(error.sentence, error.remedy, file=sys.stderr)
        return error.exit_code
    if options.json:
        print(json.dumps(answer, indent=1))
    else:
        print(f"{answer['grade']}: {answer['meaning']}")
        print(f"{answer['events']} events of run {answer['run']}")
        for line in answer["problems"]:
            print(f"Problem: {line}")
        for line in answer["notices"]:
            print(f"Notice: {line}")
    return 0 if answer["valid"] else 1


if __name__ == "__main__":
    sys.exit(main())
