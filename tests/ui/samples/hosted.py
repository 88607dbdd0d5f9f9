"""What the engine tells of a hosted service: signed in, a queue in all states, analyses, a plan."""

from __future__ import annotations

from typing import Any

KEY = "hosted.example/cosigner+5c1b7b0a+BDVjcwnRb1BVAmrgV1E0fFQ3xaSEXvN7zQ2mE6yX6c8K"


def status(**changes: Any) -> dict[str, Any]:
    return {
        "configured": True,
        "host": "eu.hosted.example",
        "regions": ["eu.hosted.example", "us.hosted.example"],
        "key": KEY,
        "signed_in": True,
        "locked": False,
        "organisation": "Example Ltd",
        "account": "Ada Example",
        "issuer": "https://login.example",
        "access_until": "2026-11-28T15:20:00Z",
        "sign_in_until": "2026-12-28T15:15:00Z",
        "place": "It is kept in the keyring of this session.",
        "closed": "",
        "remedy": "",
        "waiting": 3,
        **changes,
    }


def region(id: str, title: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": id,
        "title": title,
        "endpoint": f"https://{id}.hosted.example",
        "host": f"{id}.hosted.example",
        "accepts": True,
        "is_set": True,
        "is_current": False,
        "refusal": "",
        **changes,
    }


def account(**changes: Any) -> dict[str, Any]:
    inside = "The hosted service named the address 'https://10.0.0.7', which lies inside your network. Nothing was sent there."
    return {
        "organisation": "Example Ltd",
        "account": "Ada Example",
        "scopes": ["imports", "analyses", "usage"],
        "expires_at": "2026-11-28T15:20:00Z",
        "region": "Europe (Frankfurt)",
        "regions": [
            region("eu", "Europe (Frankfurt)", is_current=True),
            region("us", "United States (Ohio)", accepts=False),
            region("ap", "Asia (Tokyo)", is_set=False),
            region("in", "Inside", is_set=False, refusal=inside),
        ],
        **changes,
    }


def bundle(id: str, path: str) -> dict[str, Any]:
    return {
        "path": path,
        "bytes": 2_400_000,
        "sha256": "9f" * 32,
        "run": "r0mdk400000002",
        "grade": "UNANCHORED",
        "meaning": "Every event of this run is in the signed log.",
        "notices": [],
        "events": 412,
        "public_key": KEY,
        "checked": "Checked here: hosted.example/cosigner countersigned exactly this state of the log.",
    }


def nobody(**changes: Any) -> dict[str, Any]:
    gone = dict.fromkeys(("organisation", "account", "issuer", "access_until", "sign_in_until", "place", "key"), "")
    return status(**(gone | {"signed_in": False, "waiting": 0} | changes))


def export(number: int, state: str, **changes: Any) -> dict[str, Any]:
    return {
        "export": f"{number:012x}",
        "run": f"r0mdk4{number:08d}",
        "contents": "full",
        "host": "eu.hosted.example",
        "state": state,
        "stage": "",
        "done": 0,
        "total": 18_400_000,
        "sentence": "",
        "remedy": "",
        "offer": "",
        "queued_at": "2026-11-28T14:58:00Z",
        "ended_at": "",
        "next_at": "",
        "import_id": "imp_01kb4qj0000000000000000000",
        "sha256": "9f" * 32,
        "grade": "",
        "meaning": "",
        "cosigned_at": "",
        "report": "",
        "checkpoint": "",
        "checked": "",
        "file": "",
        **changes,
    }


def exports() -> dict[str, Any]:
    checked = (
        "Checked here: hosted.example/cosigner countersigned exactly this state of the log at 2026-11-27 09:12:44 UTC, with the key "
        "that was kept when you signed in."
    )
    return {
        "version": 4,
        "exports": [
            export(
                1,
                "done",
                contents="redacted",
                done=412_000,
                total=412_000,
                ended_at="2026-11-27T09:12:45Z",
                grade="UNANCHORED",
                cosigned_at="2026-11-27T09:12:44Z",
                report="https://eu.hosted.example/imports/1",
                checked=checked,
            ),
            export(
                2,
                "failed",
                offer="less",
                sentence="The bundle is larger than the hosted service takes. Nothing was stored.",
                remedy="Send it redacted or with its headers only: qverify hosted send RUN --content headers",
            ),
            export(
                3,
                "running",
                stage="waiting",
                done=4_200_000,
                sentence="eu.hosted.example can't be reached. Nothing was sent.",
                next_at="2026-11-28T15:20:00Z",
            ),
            export(4, "running", stage="sending", done=11_300_000),
        ],
    }


def refused_exports() -> dict[str, Any]:
    """A queue in which nothing goes on by itself: forbidden, diverged, under an unknown key, signed out, closed, full."""
    said = (
        (
            "It was decided that nothing of this repository leaves this machine, so nothing was sent.",
            "Allow it for this repository first, if that is meant.",
        ),
        (
            "The hosted service knows a checkpoint of this log that this bundle does not extend: there are two histories of one log. "
            "Nothing was stored, and what it has is unchanged. It says: The bundle contradicts what was seen of it before.",
            "Keep this state folder as it is, and compare: qverify verify BUNDLE --known-checkpoint "
            "/home/ada/.local/share/qverify/runs/r0mdk400000006/known-to-the-service.checkpoint",
        ),
        (
            "The hosted service knows this log under another signing key, and no record of the log leads from that key to this one. "
            "Nothing was stored.",
            "A change is followed where the log records it (qverify signing-key). Keep this state folder as it is, and tell whoever runs "
            "your organisation there.",
        ),
        ("Nobody is signed in to the hosted service. Nothing was sent.", "Sign in: qverify hosted sign-in"),
        (
            "The plan of your organisation has no room for this. Nothing was stored.",
            "See what is used: qverify hosted usage",
        ),
    )
    failed = [
        export(5 + at, "failed", sentence=sentence, remedy=remedy, offer="sign_in" if "Sign in:" in remedy else "")
        for at, (sentence, remedy) in enumerate(said)
    ]
    closed = ("The connection to the hosted service was closed, so sending stopped.", "Open it again to go on.")
    paused = export(11, "paused", done=4_200_000, sentence=closed[0], remedy=closed[1])
    return {"version": 4, "exports": [*failed, paused]}


def analysis(number: int, state: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"ana_{number:026d}",
        "state": state,
        "label": "",
        "url": "https://git.example.org/acme/billing.git",
        "commit": "8c41f0e5d2b94f7a8c1e3d6b5a4f9e8d7c6b5a40",
        "scope": "all",
        "created_at": "2026-11-28T14:40:00Z",
        "updated_at": "2026-11-28T14:52:00Z",
        "stage": "",
        "done": 0,
        "total": 0,
        "cost_micro": 0,
        "currency": "USD",
        "region": "eu",
        "tests": 0,
        "suspected_defects": 0,
        "coverage_before": 0,
        "coverage_after": 0,
        "report_url": "",
        "problem": "",
        **changes,
    }


def analyses() -> list[dict[str, Any]]:
    return [
        analysis(1, "running", stage="judging_tests", done=4, total=9, label="Billing, nightly"),
        analysis(
            2,
            "done",
            tests=31,
            suspected_defects=2,
            coverage_before=618,
            coverage_after=886,
            cost_micro=1_420_000,
            report_url="https://eu.hosted.example/analyses/2",
        ),
        analysis(3, "failed", problem="The repository can't be cloned without a sign-in."),
    ]


def usage() -> dict[str, Any]:
    def quota(resource: str, unit: str, used: int, limit: int) -> dict[str, Any]:
        return {"resource": resource, "unit": unit, "used": used, "limit": limit}

    def invoice(number: str, state: str, at: str, micro: int) -> dict[str, Any]:
        return {
            "number": number,
            "state": state,
            "issued_at": f"{at}T00:00:00Z",
            "due_at": f"{at[:8]}15T00:00:00Z",
            "amount_micro": micro,
            "currency": "USD",
            "url": f"https://eu.hosted.example/invoices/{number}",
        }

    return {
        "organisation": "Example Ltd",
        "plan": "Team",
        "renews_at": "2026-12-01T00:00:00Z",
        "start": "2026-11-01T00:00:00Z",
        "end": "2026-12-01T00:00:00Z",
        "currency": "USD",
        "cost_micro": 37_250_000,
        "quotas": [
            quota("imports", "count", 41, 200),
            quota("import_bytes", "bytes", 9_300_000_000, 10_000_000_000),
            quota("analyses", "count", 12, 50),
            quota("model_cost", "micro", 37_250_000, -1),
        ],
        "invoices": [
            invoice("2026-0113", "open", "2026-11-01", 49_000_000),
            invoice("2026-0098", "paid", "2026-10-01", 49_000_000),
        ],
    }


def leaving(run: str = "r0mdk400000001", contents: str = "full", **changes: Any) -> dict[str, Any]:
    def part(name: str, says: str, files: int, size: int) -> dict[str, Any]:
        return {"name": name, "says": says, "files": files, "bytes": size}

    blobs = [
        part("blobs/", "Source passages, prompts, answers, generated tests and logs of this run", 214, 17_100_000)
    ]
    return {
        "run": run,
        "contents": contents,
        "host": "eu.hosted.example",
        "organisation": "Example Ltd",
        "bytes": 18_400_000 if contents == "full" else 412_000,
        "sha256": "9f" * 32,
        "files": [
            *(blobs if contents == "full" else []),
            part(
                "entries.jsonl",
                "Entries of this run: names of files, functions and tests, commands, times, verdicts; no source",
                1,
                360_000,
            ),
            part(
                "headers.jsonl",
                "That other runs were opened and closed, and when; nothing of their content",
                1,
                42_000,
            ),
            part("tile/", "Hashes of the log", 3, 9_800),
            part("bundle.json", "The list of what is in the bundle", 1, 700),
        ],
        "shows": "Whoever gets it can read the passages of source that were quoted, prompts and answers, and every generated test.",
        "refusal": "",
        "remedy": "",
        **changes,
    }


def sign_in(state: str = "waiting", version: int = 2, **changes: Any) -> dict[str, Any]:
    return {
        "version": version,
        "state": state,
        "code": "WDJB-MJHT",
        "address": "https://login.example/device",
        "whole_address": "https://login.example/device?user_code=WDJB-MJHT",
        "until": "2026-11-28T15:30:00Z",
        "service": "QuantumVerifi",
        "key": KEY,
        "sentence": "",
        "remedy": "",
        **changes,
    }


def source(source: str) -> dict[str, Any]:
    return {
        "source": source,
        "url": "https://git.example.org/acme/billing.git",
        "commit": "8c41f0e5d2b94f7a8c1e3d6b5a4f9e8d7c6b5a40",
        "notice": "Changes that are not committed are not seen there.",
        "refusal": "",
        "remedy": "",
    }


def answers() -> dict[str, Any]:
    return {
        "hosted_status": status(),
        "hosted_exports": lambda after=0: exports(),
        "hosted_account": account(),
        "hosted_choose_region": lambda region: status(),
        "hosted_analysis_bundle": bundle,
        "hosted_analyses": analyses(),
        "hosted_usage": usage(),
        "hosted_leaving": lambda run, contents: leaving(run, contents),
        "hosted_sign_in": sign_in(),
        "hosted_sign_in_watch": lambda after: sign_in(),
        "hosted_sign_in_cancel": None,
        "hosted_source": source,
    }
