"""Answers to every question that a window asks, as one installation would give them. For tests and screenshots."""

from __future__ import annotations

import copy
from typing import Any

from qverify_desktop.domain.connections import SWITCHES
from qverify_desktop.engine.questions.evidence import MEANINGS
from tests.ui.samples import defects, hosted, reproduction, results, source
from tests.ui.samples.history import OTHER, compared, history
from tests.ui.samples.results import RUN, SOURCE, run_view

STARTED = "2025-11-12T10:42:09Z"


def runs() -> list[dict[str, Any]]:
    """Every status and verdict once."""
    ledger = {"source": "/home/ada/code/ledger-api", "name": "ledger-api"}
    return [
        run_view("running", run="r0mdk4aaaaaaaa", stage="judge", started_at="2025-11-13T08:12:00Z"),
        run_view("queued", run="r0mdk3aaaaaaaa", started_at="2025-11-13T08:13:00Z", **ledger),
        run_view(),
        run_view(run=OTHER, started_at="2025-11-10T09:00:00Z", suspected=3, accepted=38),
        run_view(
            run="r0mdk0aaaaaaaa",
            verdict="nothing_suspected",
            suspected=0,
            sentence="Nothing is suspected. 112 of 140 tests were kept; line coverage 90 % to 91 %.",
            started_at="2025-11-09T15:00:00Z",
            **ledger,
        ),
        run_view("cancelled", run="r0mdjzaaaaaaaa", sentence="The run was cancelled. What it finished is recorded."),
        run_view(
            "interrupted", run="r0mdjyaaaaaaaa", sentence="The run was interrupted. What it finished is recorded."
        ),
        run_view("paused", run="r0mdjxaaaaaaaa", sentence="The run is paused. What it finished is recorded."),
        run_view("failed", run="r0mdjwaaaaaaaa", sentence="The repository holds no file that could be analysed."),
        run_view(
            run="r0mdjvaaaaaaaa", verdict="inconclusive", sentence="Nothing could be measured: the suite is red."
        ),
    ]


def repositories() -> list[dict[str, Any]]:
    def one(
        source: str, name: str, pinned: bool, last: dict[str, Any] | None, trend: list[int | None]
    ) -> dict[str, Any]:
        points = [{"run": f"r{at}", "started_at": STARTED, "lines": value} for at, value in enumerate(trend)]
        return {"source": source, "name": name, "pinned": pinned, "last": last, "trend": points}

    listed = runs()
    return [
        one(SOURCE, "tidydate", True, listed[2], [612, 615, 618, 640, 655, 660, 886]),
        one("/home/ada/code/ledger-api", "ledger-api", True, listed[4], [860, 875, 890, 885, 900, 901, 912]),
        one(
            "/home/ada/work/orderflow",
            "orderflow",
            False,
            run_view("cancelled", name="orderflow"),
            [650, 648, 640, 644],
        ),
        one("https://git.example.org/apps/fieldnotes", "fieldnotes", False, None, []),
    ]


def checks() -> list[dict[str, Any]]:
    def one(
        id: str, title: str, sentence: str, state: str = "ok", remedy: str = "", fixable: bool = False
    ) -> dict[str, Any]:
        command = remedy if fixable else ""
        return {
            "id": id,
            "title": title,
            "state": state,
            "sentence": sentence,
            "remedy": remedy,
            "fixable": fixable,
            "command": command,
        }

    return [
        one("disk", "Disk space", "212 GiB are free."),
        one("git", "git", "git version 2.39.5 is there."),
        one("docker", "Docker Engine", "No Docker Engine answers.", "blocking", "systemctl start docker", True),
        one(
            "image",
            "Python sandbox image",
            "The image is not built.",
            "blocking",
            "qverify runtimes build python",
            True,
        ),
        one("keyring", "Keyring", "This session has no keyring.", "warning", "Sign in to a desktop session."),
        one("model", "Local model", "Ollama has 2 models: qwen2.5-coder:14b, gemma3:4b"),
        one("proxy", "Proxy", "No proxy is set; connections go out directly."),
        one("air_gap", "Air gap", "No air gap: a model elsewhere may be asked if you choose one."),
    ]


def checks_ready() -> list[dict[str, Any]]:
    """The same checks on a machine that has everything."""
    found = {
        "docker": "Docker Engine 27.3.1 answers.",
        "image": "The sandbox image qverify/python:a3535e41bfdf is built.",
        "keyring": "The signing key is kept in the keyring of this session.",
    }
    return [
        {**one, "state": "ok", "sentence": found.get(one["id"], one["sentence"]), "remedy": "", "fixable": False}
        for one in checks()
    ]


def settings(**changes: Any) -> dict[str, Any]:
    return {
        "air_gap": False,
        "model": "qwen2.5-coder:14b",
        "api_base": "",
        "containers": 2,
        "docker_host": "",
        "sandbox": "docker",
        "gvisor": True,
        "patience_s": 60,
        "editor": "code -g {file}:{line}",
        "air_gap_allow": "",
        "failover_refused": False,
        "model_timeout_s": 300,
        "model_answer_tokens": 8192,
        "model_context_tokens": 32768,
        "run_budget_microusd": 2_000_000,
        "month_budget_microusd": 0,
        "budget_ask_percent": 80,
        "answer_cache_mb": 256,
        "answer_cache_days": 30,
        "hosted_issuer": "",
        "hosted_client": "",
        "hosted_regions": "",
        "hosted_key": "",
        "hosted_proxy": "",
        "hosted_ca_file": "",
        "time_stamp_authority": "",
        "time_stamp_certificate": "",
        "witnesses": "",
        "switches": dict.fromkeys(SWITCHES, True),
        "home": "/home/ada/.local/share/qverify",
        "keyring": "It is kept in the keyring of this session.",
        "api_key_set": True,
        **changes,
    }


def key(provider: str, store: str, ending: str = "", counts: bool = True) -> dict[str, Any]:
    return {"provider": provider, "store": store, "ending": ending, "counts": counts}


def keys(**changes: Any) -> dict[str, Any]:
    return {
        "keys": [
            key("anthropic", "file", "x3Qa"),
            key("llm.example.org", "keyring", "77b1"),
            key("openai", "environment", "9fKc"),
            key("openai", "keyring", "02Lm", counts=False),
        ],
        "stores": [
            {"store": "session", "sentence": "It is kept only until QVerify ends."},
            {"store": "file", "sentence": "It is kept in a file that your passphrase opens."},
            {"store": "keyring", "sentence": "It is kept in the keyring of this session."},
        ],
        "usual": "keyring",
        "file": "open",
        "problem": "",
        **changes,
    }


def deployment(name: str, wire: str, model: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "wire": wire,
        "model": model,
        "base": "",
        "place": "remote",
        "models": {},
        "requests_per_minute": 0,
        "tokens_per_minute": 0,
        "at_once": 0,
        "enabled": True,
        **changes,
    }


def deployments(**changes: Any) -> dict[str, Any]:
    ours = {"base": "https://ours.openai.azure.com", "models": {"repair": "gpt-4.1-mini"}}
    return {
        "path": "/home/ada/.local/share/qverify/models.toml",
        "exists": True,
        "deployments": [
            deployment("ours", "azure", "gpt-4.1", requests_per_minute=60, tokens_per_minute=100_000, **ours),
            deployment("anthropic/claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5", enabled=False),
            deployment("ollama/qwen2.5-coder:7b", "ollama", "qwen2.5-coder:7b", place="local", at_once=1),
        ],
        "problem": "",
        **changes,
    }


def models() -> dict[str, Any]:
    def one(name: str, provider: str, base: str, place: str) -> dict[str, Any]:
        return {"name": name, "provider": provider, "api_base": base, "place": place, "bytes": 0, "sentence": ""}

    return {
        "models": [
            one("qwen2.5-coder:14b", "ollama", "", "local"),
            one("gemma3:4b", "ollama", "", "local"),
            one("llama3.3:70b", "ollama", "", "local"),
            one("gpt-4.1", "openai", "https://models.example.org/v1", "remote"),
        ],
        "sentence": "",
        "remedy": "",
    }


def _memory() -> dict[str, int]:
    return {"total": 33_400_000_000, "free": 21_000_000_000, "gpu_total": 0, "gpu_free": 0}


def stored_models() -> dict[str, Any]:
    def one(name: str, size: int, context: int, needed: int, fit: str, **more: Any) -> dict[str, Any]:
        return {
            "name": name,
            "api_base": "",
            "digest": "9ec8897f747e",
            "bytes": size,
            "parameters": "14.8B",
            "quantization": "Q4_K_M",
            "family": "qwen2",
            "capabilities": ["completion", "tools"],
            "context_tokens": context,
            "asked_tokens": min(context, 32768),
            "needed_bytes": needed,
            "fit": fit,
            "sentence": "Needs 16.0 GB with 32768 tokens of context and fits into memory.",
            "warning": fit == "too_large",
        } | more

    return {
        "api_base": "",
        "models": [
            one("gemma3:4b", 3_338_801_804, 131_072, 4_700_000_000, "memory", parameters="4.3B"),
            one("llama3.3:70b", 42_520_413_916, 131_072, 54_000_000_000, "too_large", parameters="70.6B"),
            one("qwen2.5-coder:14b", 8_988_124_069, 32_768, 15_967_000_000, "memory"),
        ],
        "machine": _memory(),
        "sentence": "",
        "remedy": "",
    }


def transfer(name: str, state: str, done: int, total: int, **changes: Any) -> dict[str, Any]:
    return {
        "transfer": f"t-{name}",
        "kind": "pull",
        "name": name,
        "api_base": "",
        "source": "",
        "state": state,
        "status": "pulling 1194192cf2a1" if state == "running" else "",
        "done": done,
        "total": total,
        "layers": [{"name": "sha256:1194192cf2a1", "done": done, "total": total}],
        "sentence": "",
        "remedy": "",
        "held": False,
        **changes,
    }


def transfers(*more: dict[str, Any]) -> dict[str, Any]:
    return {"version": 1 + len(more), "transfers": list(more)}


def recommendation(**changes: Any) -> dict[str, Any]:
    models = [
        {
            "name": "qwen3-coder:30b",
            "parameters": "30.5B",
            "bytes": 19_000_000_000,
            "memory_8k": 20_342_177_280,
            "memory_32k": 22_758_096_384,
            "context_tokens": 262_144,
            "languages": [],
            "license": "Apache 2.0",
            "source": "model card",
            "as_of": "2026-11-28",
            "fit": "memory",
            "stored": False,
        }
    ]
    sentence = (
        "Recommended for this machine: qwen3-coder:30b. It needs 20.3 GB with 8,192 tokens of context; there are 33 GB of memory, "
        "21 GB of it free, no graphics card."
    )
    return {"name": "qwen3-coder:30b", "sentence": sentence, "models": models, "machine": _memory(), **changes}


def model_sum(name: str, group: list[str], at: str, **changes: int) -> dict[str, Any]:
    counts = {
        "calls": 12,
        "failed": 0,
        "cached": 0,
        "doubtful": 0,
        "prompt_tokens": 80_000,
        "completion_tokens": 24_000,
    }
    money = {"cost_microusd": 310_000, "doubtful_microusd": 0, "model_ms": 164_000}
    return {"group": group, "name": name, "first_at": at, **counts, **money, **changes}


def usage(by: str = "run") -> dict[str, Any]:
    months = [
        model_sum(
            f"2025-{month:02d}",
            [f"2025-{month:02d}"],
            f"2025-{month:02d}-12T10:00:00Z",
            calls=10 + month,
            cached=3 * (month % 3),
            doubtful=int(month == 9),
            doubtful_microusd=41_000 if month == 9 else 0,
            failed=int(month == 10),
            prompt_tokens=20_000 * month,
            completion_tokens=6_000 * month,
            cost_microusd=310_000 if month % 2 else 0,
        )
        for month in range(11, 3, -1)
    ]
    rows = months
    if by == "run":
        rows = [
            one | {"name": f"tidydate · r0mdk{one['name'][5:]}", "group": [f"r0mdk{one['name'][5:]}", SOURCE]}
            for one in months
        ]
    sums = {key: sum(one[key] for one in months) for key, value in months[0].items() if isinstance(value, int)}
    return {
        "by": by,
        "rows": rows,
        "months": months,
        "total": model_sum("", [], "2025-04-12T10:00:00Z", **sums),
        "this_month_microusd": 310_000,
    }


def look(source: str = SOURCE) -> dict[str, Any]:
    return {
        "source": source,
        "name": "tidydate",
        "git": True,
        "branch": "main",
        "refs": ["main", "v2.3.0", "v2.2.0", "origin/main"],
        "files": 61,
        "source_files": ["tidydate/offset.py", "tidydate/parser.py", "tidydate/calendar.py"],
        "test_files": 9,
        "runtimes": [
            {
                "runtime": "python",
                "languages": ["python"],
                "files": 14,
                "ready": True,
                "sentence": "Ready.",
                "analysable": True,
            }
        ],
        "remembered": {"scope": "changed:v2.3.0", "max_targets": 18, "model": "none", "api_base": ""},
        "problem": "",
    }


def entries(total: int = 4212) -> Any:
    """A log of ``total`` entries, answered by pages."""
    words = (
        "The run is opened without a model, scope all, seed 0.",
        "Snapshot of 61 files at commit 8c41f0e6a0d9.",
        "Container a028fd34ac1c ran for baseline without network: exit code 0 after 4.3 s.",
        "test_zulu_is_zero_offset is accepted: gains 3 lines, 1 mutant (specification).",
        "230 mutants run: 187 killed, 43 survived.",
        "Suspected defect in parse_offset (tidydate/offset.py), 5 of 5 times.",
    )
    types = ("run_opened", "snapshot", "execution", "judgement", "mutation", "suspected_defect")

    def answer(run: str = "", text: str = "", start: int = 0, limit: int = 200) -> dict[str, Any]:
        first = max(0, total + start) if start < 0 else min(start, total)
        lines = [
            {
                "index": at,
                "run": RUN,
                "type": types[at % 6],
                "at": f"2025-11-12T10:{at // 60 % 60:02d}:{at % 60:02d}.000Z",
                "words": words[at % 6],
            }
            for at in range(first, min(total, first + limit))
        ]
        return {"total": total, "start": first, "entries": lines, "complete": True}

    return answer


def event(index: int = 7) -> dict[str, Any]:
    """An entry in a tree of eight, with a proof that holds."""
    from qverify_desktop.evidence.merkle import Tree, leaf_hash, node_hash

    leaves = [leaf_hash(f'{{"seq":{at}}}'.encode()) for at in range(8)]
    at = index % 8
    node, steps = leaves[at], []
    for level, sibling in enumerate(Tree(leaves).inclusion_proof(at)):
        left = bool(at >> level & 1)
        node = node_hash(sibling, node) if left else node_hash(node, sibling)
        steps.append({"side": "left" if left else "right", "hash": sibling.hex(), "computed": node.hex()})
    line = entries(8)(start=at, limit=1)["entries"][0]
    return {
        "line": line,
        "payload": {"seq": at, "type": line["type"], "data": {"files": 61}},
        "leaf": f'{{"seq":{at}}}',
        "leaf_hash": leaves[at].hex(),
        "proof": steps,
        "size": 8,
        "root": node.hex(),
        "holds": True,
        "problem": "",
    }


def checkpoint() -> dict[str, Any]:
    return {
        "note": "qverify.local/66e25581a691f0cf\n4212\nmyM+G/7TOuiRLSpuQPHTv6jWMs+obYoitrzS7HvjqFI=\n\n— qverify.local/66e25581a691f0cf 5YnAP1Mx4CWOGDkgWhovTLTbv88z7kOLRcoNFBHs+QN5nuLw\n",
        "origin": "qverify.local/66e25581a691f0cf",
        "size": 4212,
        "root": "myM+G/7TOuiRLSpuQPHTv6jWMs+obYoitrzS7HvjqFI=",
        "run": RUN,
        "signed_at": STARTED,
        "verifier_key": "qverify.local/66e25581a691f0cf+e589c03f+ASauHhPGXMUtonTbImWGXwX0heaRQ//+c9bPPpj9rC6z",
        "protection": "keyring",
    }


def grade(valid: bool = True) -> dict[str, Any]:
    word = "UNANCHORED" if valid else "INVALID"
    meaning, limit = MEANINGS[word]
    return {
        "grade": word,
        "valid": valid,
        "meaning": meaning,
        "limit": limit,
        "problems": [] if valid else ["The entry 12 is not in the signed tree.", "2 entries are missing."],
        "events": 412,
        "checkpoint": checkpoint()["note"],
        "bundle": "/tmp/run.qvevidence.zip",
        "run": RUN,
        "notices": [],
        "anchors": [],
        "confirmed": [],
        "said": said() if valid else None,
    }


def said() -> dict[str, Any]:
    """What a run says of itself."""
    return {
        "commit": "747b78adb2c0a238883f013fe90f4efb92529206",
        "tree": "74eb9007b25aa2bbde1b752b73f8456f2c404193",
        "dirty": True,
        "opened_at": "2026-11-28T08:27:56.660Z",
        "closed_at": "2026-11-28T08:29:40.510Z",
        "outcome": "defects_suspected",
        "verdict": "defects_suspected",
        "accepted": 41,
        "refused": 7,
        "suspected": 2,
        "images": ["python sha256:" + "44" * 32],
    }


AUTHORITY, WITNESS = "CN=Time of Example,O=Example Trust", "witness.example/w1"


def anchored() -> dict[str, Any]:
    """A grade that rests on a time stamp and a witness."""
    meaning, limit = MEANINGS["WITNESSED"]
    confirmed = [
        {"kind": "time_stamp", "by": AUTHORITY, "at": "2026-11-28T09:14:02Z", "counts": True},
        {"kind": "witness", "by": WITNESS, "at": "2026-11-28T09:14:03Z", "counts": True},
    ]
    return {**grade(), "grade": "WITNESSED", "meaning": meaning, "limit": limit, "anchors": confirmed}


def anchors(*states: str) -> dict[str, Any]:
    """Who was asked about a checkpoint, with a state each: the time stamp, then witnesses."""
    sentences = {
        "held": "",
        "waiting": "The air gap is on, so no cosignature was asked of witness.example.",
        "refused": FORK,
    }
    asked = [
        {
            "kind": "witness" if number else "time_stamp",
            "by": WITNESS if number else (AUTHORITY if state == "held" else ""),
            "state": state,
            "at": "2026-11-28T09:14:02Z" if state == "held" else "",
            "sentence": sentences[state],
        }
        for number, state in enumerate(states)
    ]
    return {"size": 4212, "asked": True, "anchors": asked}


FORK = "The witness witness.example/w1 has seen another history of this log. Nothing was cosigned."


def signing_keys() -> dict[str, Any]:
    in_use = checkpoint()["verifier_key"]
    return {
        "origin": checkpoint()["origin"],
        "keys": [
            _signing_key(in_use, "in_use", "2026-11-02T08:00:00Z", ""),
            _signing_key(in_use.replace("e589c03f", "0a11beef"), "rotated", "2026-11-02T08:00:00Z", "yearly"),
            _signing_key(
                in_use.replace("e589c03f", "77c0ffee"), "revoked", "2026-03-14T16:20:00Z", "the laptop was stolen"
            ),
        ],
    }


def _signing_key(text: str, state: str, changed_at: str, reason: str) -> dict[str, Any]:
    return {
        "verifier_key": text,
        "id": text.split("+")[1],
        "protection": "keyring",
        "protected": True,
        "state": state,
        "changed_at": changed_at,
        "size": 4000,
        "reason": reason,
    }


def log(total: int = 260) -> Any:
    def answer(run: str = "", start: int = 0, limit: int = 1000) -> dict[str, Any]:
        first = max(0, total + start) if start < 0 else min(start, total)
        stages = ("intake", "baseline", "generate", "judge", "triage")
        lines = [
            {
                "number": at,
                "at_ms": at * 1310,
                "stage": stages[at * 5 // total],
                "text": f"{at} of 230 mutants run",
                "kind": "log",
                "target": "",
            }
            for at in range(first, min(total, first + limit))
        ]
        return {"total": total, "start": first, "lines": lines}

    return answer


def preview(target: str = "", **changes: Any) -> dict[str, Any]:
    """What would be sent about a function."""

    def to(name: str, host: str, model: str, **more: Any) -> dict[str, Any]:
        local = host == "127.0.0.1"
        counts = {"prompt_tokens": 1_204, "max_tokens": 4_096, "estimate_microusd": 0 if local else 35_176}
        told = {"provider": "openai", "local": local, "refused": "", "price_known": True, "shortened": False}
        return {"name": name, "host": host, "model": model, **told, **counts, **more}

    shown = target or "tidydate/offset.py::parse_offset"
    system = "You are a careful test engineer. You write Python tests with pytest that could fail."
    user = 'Write tests for `parse_offset`.\n\nIts source:\n> def parse_offset(text):\n>     token = "<secret-1>"\n>     return 0'
    return {
        "target": shown,
        "targets": [
            "tidydate/offset.py::parse_offset",
            "tidydate/parser.py::parse_date",
            "tidydate/calendar.py::iso_week",
        ],
        "count": 3,
        "measured": "",
        "cloud": "",
        "purpose": "generate",
        "template": "generate 2, data 1",
        "destinations": [
            to("ours", "models.example.org", "gpt-4.1"),
            to("claude", "", "", refused="The air gap is on, so nothing was sent to api.anthropic.com."),
            to("near", "127.0.0.1", "qwen2.5-coder:14b", shortened=True),
        ],
        "masked": [{"rule": "aws", "message": 1, "line": 5}],
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
        **changes,
    }


def inquiry(run: str, **facts: Any) -> dict[str, Any]:
    """A run that asks before its budget is spent."""
    told = {
        "budget": "run",
        "spent_microusd": 410_000,
        "estimate_microusd": 12_300,
        "limit_microusd": 500_000,
        **facts,
    }
    sentence = "With the next call, $0.43 of this run's budget of $0.50 may be spent."
    return {"run": run, "name": "budget.run.500000", "sentence": sentence, "facts": told}


def crashes() -> list[dict[str, Any]]:
    return [
        {"name": "crash-20251112-101500-4242.txt", "at": STARTED, "sentence": "OSError: disk gone", "bytes": 2048}
    ]


def answers(**changes: Any) -> dict[str, Any]:
    """Everything; ``changes`` replace answers by question."""
    overviews = {one["run"]: results.overview(one["status"]) | {"run": one} for one in runs()}
    return {
        "run_list": runs(),
        "repositories": repositories(),
        "repository_history": history(),
        "repository_look": lambda source: look(source),
        "repository_remember": None,
        "repository_decide": None,
        "inquiries": [],
        "model_preview": lambda request, target: preview(target),
        "inquiry_answer": None,
        "repository_cloud": lambda source, model, api_base: {"cloud": "", "hosts": [], "order": []},
        "runs_compare": compared(),
        "run_overview": lambda run: copy.deepcopy(overviews.get(run, results.overview())),
        "run_log": log(),
        "doctor_checks": checks(),
        "settings": settings(),
        "models": models(),
        "keys": keys(),
        "calls_in_doubt": {"calls": 0, "where": {}},
        "deployments": deployments(),
        "deployments_begin": deployments(),
        "deployments_move": lambda at, to: deployments(),
        "stored_models": stored_models(),
        "model_transfers": transfers(),
        "model_recommend": recommendation(),
        "model_usage": lambda by="run": usage(by),
        "crash_reports": crashes(),
        "evidence_log": entries(),
        "evidence_event": event,
        "evidence_checkpoint": checkpoint(),
        "evidence_grade": grade(),
        **hosted.answers(),
        "evidence_anchors": {"size": 4212, "asked": False, "anchors": []},
        "signing_key": signing_keys(),
        "reproduction": reproduction.view(),
        **source.answers(),
        **{name: answer for name, answer in results.answers().items() if name != "run_overview"},
        **{name: answer for name, answer in defects.answers().items() if name not in ("run_overview", "run_source")},
        **changes,
    }
