"""Prove the hosted contract harder than the tests do: many more requests by schemathesis, and uploads through trouble by the dozen.

usage: packaging/prove/run.sh hosted [UPLOADS [EXAMPLES [SEED]]]
Writes docs/measurements/hosted.md. Needs PostgreSQL, no Docker; takes some minutes.
"""

from __future__ import annotations

import datetime
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("QVERIFY_HOSTED_EXAMPLES", "40")

from hypothesis import HealthCheck, settings  # noqa: E402
from hypothesis.stateful import run_state_machine_as_test  # noqa: E402
from schemathesis.specs.openapi.checks import positive_data_acceptance  # noqa: E402

from tests.hosted_service.sending import Desktop  # noqa: E402
from tests.hosted_service.service import HostedService, hosted_service  # noqa: E402
from tests.hosted_service.test_contract import There, schema  # noqa: E402
from tests.hosted_service.trouble import POINTS, sent_through_trouble  # noqa: E402


def main() -> int:
    """Answers 0 when every request was answered as the contract has it and every upload became one import."""
    given = [int(word) for word in sys.argv[1:4]]
    uploads, examples, seed = given + [25, 40, 7][len(given) :]
    lines, failed = [], 0
    begun = time.monotonic()
    os.environ["QVERIFY_HOSTED_EXAMPLES"] = str(examples)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/hosted_service/test_contract.py",
    ]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    failed += code != 0
    lines.append(_line(f"Every operation, {examples} requests each and every edge of every field", code == 0, begun))
    with hosted_service() as service:
        begun = time.monotonic()
        requests, problem = _linked(service, examples)
        failed += bool(problem)
        lines.append(
            _line(
                f"Chains of requests that follow the contract's links ({requests} requests){problem}",
                not problem,
                begun,
            )
        )
        begun = time.monotonic()
        whole, worst = _uploads(service, uploads, seed)
        failed += whole != uploads
        lines.append(
            _line(
                f"{uploads} uploads, each cut at random points, with two replicas killed: {whole} became one import; slowest {worst:.1f} s",
                whole == uploads,
                begun,
            )
        )
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    text = f"""# The hosted contract

Made by `make prove-hosted` on {datetime.datetime.now(datetime.UTC).date()} from commit `{commit.stdout.strip()}`: the server of
`tests/hosted_service` (two replicas, PostgreSQL, object storage, issuer, all over TLS) on {os.cpu_count()} cores, Python
{platform.python_version()}, seed {seed}.

| what | held | seconds |
|---|---|---|
{chr(10).join(lines)}
"""
    (ROOT / "docs" / "measurements" / "hosted.md").write_text(text)
    print(text)
    return 1 if failed else 0


def _line(what: str, held: bool, begun: float) -> str:
    return f"| {what} | {'yes' if held else 'NO'} | {time.monotonic() - begun:.0f} |"


def _linked(service: HostedService, examples: int) -> tuple[int, str]:
    """Requests that were made, and what did not hold (empty for nothing)."""
    made = 0
    with tempfile.TemporaryDirectory() as folder:
        there = There(service, Path(folder))

        class Chain(schema.as_state_machine()):  # type: ignore[misc]
            def get_call_kwargs(self, case: Any) -> dict[str, Any]:
                token = {"Authorization": f"Bearer {service.issuer.token()}"}
                return {"base_url": service.url, "headers": token, "verify": str(service.ca)}

            def before_call(self, case: Any) -> None:
                nonlocal made
                made += 1
                if case.operation.definition.raw.get("operationId") == "createImport":
                    there.meant(case)

            def validate_response(self, response: Any, case: Any, **more: Any) -> None:
                case.validate_response(
                    response,
                    excluded_checks=[positive_data_acceptance],
                    transport_kwargs=self.get_call_kwargs(case),
                )

        chosen = settings(
            max_examples=examples,
            stateful_step_count=8,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        try:
            run_state_machine_as_test(Chain, settings=chosen)
        except Exception as error:  # noqa: BLE001 - what schemathesis found is told, whatever it is
            return made, f": {str(error)[:300]!r}"
    return made, ""


def _uploads(service: HostedService, count: int, seed: int) -> tuple[int, float]:
    """How many became one import, and the seconds of the slowest."""
    dice, whole, worst = random.Random(seed), 0, 0.0  # noqa: S311 - moments, not secrets
    for number in range(count):
        service.reset()
        with tempfile.TemporaryDirectory() as folder:
            desktop, begun = Desktop(Path(folder)), time.monotonic()
            try:
                sent_through_trouble(
                    service, desktop.run("r1", steps=dice.randrange(1, 60)), dice, POINTS[number % len(POINTS)]
                )
                whole += 1
            except Exception as error:  # noqa: BLE001 - told, and counted
                print(f"upload {number}: {error!r}", flush=True)
            finally:
                desktop.close()
        worst = max(worst, time.monotonic() - begun)
        print(
            f"upload {number}: killed at {POINTS[number % len(POINTS)]}, {time.monotonic() - begun:.1f} s", flush=True
        )
    return whole, worst


if __name__ == "__main__":
    sys.exit(main())
