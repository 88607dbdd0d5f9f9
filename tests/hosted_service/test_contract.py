"""The server keeps ``docs/hosted-api.yaml``: schemathesis asks what the document allows, and what it does not."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import validate
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.hosted_service.contract import CONTRACT, TYPE, document, operations
from tests.hosted_service.replica import HANDLERS
from tests.hosted_service.sending import Desktop, announce
from tests.hosted_service.service import HostedService
from tests.hosted_service.test_analyses import ask

#: Requests for each operation. ``make prove-hosted`` asks for more, and for every edge of every field besides.
EXAMPLES = int(os.environ.get("QVERIFY_HOSTED_EXAMPLES", "6"))
EDGES = "QVERIFY_HOSTED_EXAMPLES" in os.environ
schema = schemathesis.openapi.from_path(
    CONTRACT, config=schemathesis.Config.from_dict({"phases": {"coverage": {"enabled": EDGES}}})
)


def test_the_document_is_openapi_and_the_server_has_all_of_it() -> None:
    validate(document())
    assert {operation.name for operation in operations()} == set(HANDLERS)
    for operation in operations():
        # What every operation can answer, so that a client may rely on it.
        assert {"400", "429", "500", "503"} <= operation.spec["responses"].keys(), operation.name
        assert operation.open or {"401", "403"} <= operation.spec["responses"].keys()
    for problem in document()["x-problem-types"]:
        assert f"`{problem}`" in CONTRACT.read_text("utf-8") or problem in ("method-not-allowed", "not-found"), (
            problem
        )
        assert len(TYPE + problem) < 80


@pytest.fixture(scope="module")
def there(standing_service: HostedService, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is there to be asked for, by what begins its path; ``ended`` is an import whose events have an end."""
    standing_service.reset()
    desktop = Desktop(tmp_path_factory.mktemp("desktop"))
    with standing_service.http() as client:
        found = {"/v1/imports": announce(client, desktop.run("r1")).json()["id"]}
        found["ended"] = announce(client, desktop.run("r2"), "another-key-of-the-test").json()["id"]
        client.delete(f"/v1/imports/{found['ended']}").raise_for_status()
        found["/v1/analyses"] = ask(client).json()["id"]
    desktop.close()
    return found


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation(case: Any, standing_service: HostedService, there: dict[str, str]) -> None:
    asked_for = str(case.path_parameters.get("id", ""))
    if re.fullmatch("(imp|ana)_[0-9a-z]{26}", asked_for):
        ends = case.path.startswith("/v1/imports") and (case.path.endswith("/events") or case.method == "DELETE")
        case.path_parameters["id"] = there["ended" if ends else case.path[: case.path.index("/{")]]
    answer = case.call_and_validate(
        base_url=standing_service.url,
        headers={"Authorization": f"Bearer {standing_service.issuer.token()}"},
        verify=str(standing_service.ca),
        # Nobody can guess a signed checkpoint, the parts of a bundle, or which key came with which body before.
        excluded_checks=[positive_data_acceptance] if "requestBody" in case.operation.definition.raw else [],
    )
    if answer.status_code == 422 and case.meta is not None and case.meta.generation.mode.is_positive:
        body = answer.json()
        places = {error["pointer"] for error in body.get("errors", [])}
        assert body["type"] == TYPE + "idempotency-key-reused" or places <= {
            "/checkpoint",
            "/public_key",
            "/numbers",
        }, body
