"""The key of a log changes: the service follows what the log records, and nothing else."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from qverify_desktop.evidence.signing import Signer
from tests.evidence.logs import KEY, ORIGIN, OTHER_KEY
from tests.evidence.test_key_change import signed_again
from tests.hosted_service.sending import Bundle, Desktop, announce, outcome, problem, upload
from tests.hosted_service.service import HostedService

THIRD = b"\x09" * 32
OLD_KEY = str(Signer(ORIGIN, KEY, "").verifier_key)


def sent(client: httpx.Client, bundle: Bundle) -> dict[str, object]:
    return outcome(client, upload(client, bundle, f"key-of-{bundle.announcement['sha256'][:32]}"))


def refused(client: httpx.Client, bundle: Bundle) -> str:
    """Name of the problem with which a bundle is refused, when it is announced or when it is checked."""
    answer = announce(client, bundle, f"key-of-{bundle.announcement['sha256'][:32]}")
    if answer.status_code >= 400:
        return problem(answer)
    found = sent(client, bundle)
    assert found["state"] == "rejected", found
    return str(found["problem"]["type"].rpartition(":")[2])  # type: ignore[index]


@pytest.mark.parametrize(
    ("kind", "words"), [("rotated", "hands its trust on"), ("revoked", "stands for the new one")]
)
def test_a_change_that_the_log_records_is_followed(
    service: HostedService, client: httpx.Client, desktop: Desktop, kind: str, words: str
) -> None:
    first, old = desktop.run("r1"), desktop.key
    assert sent(client, first)["state"] == "accepted"
    desktop.change_key("d1", kind, OTHER_KEY)
    later = desktop.run("r2")
    assert later.announcement["public_key"] != old
    found = sent(client, later)
    assert found["state"] == "accepted", found
    assert any(words in notice for notice in found["result"]["notices"])  # type: ignore[index]
    assert service.rows("select public_key from logs") == [(desktop.key,)]
    # Once followed it is the key of the log, and what was sealed before the change still comes under the old one.
    again = sent(client, desktop.run("r3"))
    assert again["state"] == "accepted" and not any(words in one for one in again["result"]["notices"])  # type: ignore[index]
    earlier = desktop.bundle("r1").other(public_key=old)
    assert announce(client, earlier, "key-of-the-earlier-bundle").status_code == 200, "it is there"


def test_changes_one_after_the_other_and_a_log_that_comes_late(client: httpx.Client, desktop: Desktop) -> None:
    first, old = desktop.run("r1"), desktop.key
    record = desktop.change_key("d1", "rotated", OTHER_KEY)
    second, new = desktop.run("r2"), desktop.key
    desktop.change_key("d2", "revoked", None, revoked=old)
    desktop.change_key("d3", "rotated", THIRD)
    third = desktop.run("r4")
    for bundle in (second, third, first, record.other(public_key=new)):
        assert sent(client, bundle)["state"] == "accepted", bundle.announcement
    assert sent(client, desktop.run("r5"))["state"] == "accepted"


def test_a_log_that_was_changed_before_it_first_came(client: httpx.Client, desktop: Desktop) -> None:
    first, old = desktop.run("r1"), desktop.key
    desktop.change_key("d1", "revoked", OTHER_KEY)
    assert sent(client, desktop.run("r2"))["state"] == "accepted"
    assert sent(client, first.other(public_key=old))["state"] == "accepted", "it was sealed before the revocation"


@pytest.mark.parametrize("kind", ["rotated", "revoked"])
@pytest.mark.parametrize("known", ["the change is known", "only the run before is known", "nothing is known"])
def test_what_the_old_key_signed_afterwards_is_not_taken(
    service: HostedService, client: httpx.Client, desktop: Desktop, kind: str, known: str
) -> None:
    first, old = desktop.run("r1"), desktop.key
    record = desktop.change_key("d1", kind, OTHER_KEY)
    size = desktop.house.journal.closing("d1")
    assert size is not None
    honest = desktop.run("r2")
    if known != "nothing is known":
        assert sent(client, first)["state"] == "accepted"
    if known == "the change is known":
        assert sent(client, record)["state"] == "accepted"
    forged = honest.altered(signed_again(desktop.house, "r2", size + 1, Signer(ORIGIN, KEY, "")))
    note = _closing(forged)
    attack = forged.other(public_key=old, checkpoint=note)
    expected = "key-changed" if known == "the change is known" else "bundle-invalid"
    assert refused(client, attack) == expected
    # The same, announced under the new key: that key did not sign what is announced.
    assert refused(client, forged.other(checkpoint=note)) == "invalid"
    assert sent(client, honest)["state"] == "accepted", "the log itself goes on"
    assert service.rows("select public_key from logs") == [(desktop.key,)]


def test_a_thief_who_goes_on_from_before_the_revocation(
    client: httpx.Client, desktop: Desktop, tmp_path: Path
) -> None:
    """The stolen key signs another continuation of the log, longer than the honest one, which does not have the record."""
    first = desktop.run("r1")
    thief = Desktop(tmp_path / "thief", KEY)
    thief.run("r1")
    for number in range(9):
        thief.run(f"t{number}")
    stolen = thief.bundle("t8")
    thief.close()
    assert sent(client, first)["state"] == "accepted"
    desktop.change_key("d1", "revoked", OTHER_KEY)
    assert sent(client, desktop.run("r2"))["state"] == "accepted"
    assert refused(client, stolen) == "key-changed"
    # A key of the thief's own, for which no record speaks, leads nowhere either.
    other = Desktop(tmp_path / "other", THIRD)
    for number in range(9):
        other.run(f"t{number}")
    foreign = other.bundle("t8")
    other.close()
    assert refused(client, foreign) == "diverged"


def _closing(bundle: Bundle) -> str:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(bundle.raw)) as archive:
        return archive.read("checkpoint").decode()
