"""The server keeps ``docs/hosted-api.yaml``: schemathesis asks what the document allows, and what it does not."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
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


class There:
    """What there is to be asked for, so that requests meet more than 404."""

    def __init__(self, service: HostedService, folder: Path) -> None:
        desktop = Desktop(folder)
        bundle, other = desktop.run("r1"), desktop.run("r2")
        desktop.close()
        self.announcement = bundle.announcement
        with service.http() as client:
            self.uploading = announce(client, bundle).json()["id"]
            self.ended = announce(client, other, "another-key-of-the-test").json()["id"]
            client.delete(f"/v1/imports/{self.ended}").raise_for_status()
            self.analysis = ask(client).json()["id"]

    def meant(self, case: Any) -> None:
        """Put real things where ``case`` has invented ones that are well formed."""
        if re.fullmatch("(imp|ana)_[0-9a-z]{26}", str(case.path_parameters.get("id", ""))):
            ends = case.path.endswith("/events") or case.method == "DELETE"
            analysis = case.path.startswith("/v1/analyses")
            case.path_parameters["id"] = self.analysis if analysis else self.ended if ends else self.uploading
        if case.operation.definition.raw.get("operationId") == "createImport" and positive(case):
            case.body = self.announcement | {"sha256": secrets.token_hex(32)}


def positive(case: Any) -> bool:
    """Whether schemathesis means ``case`` to be as the contract wants it."""
    return case.meta is not None and case.meta.generation.mode.is_positive


def asked(case: Any, service: HostedService) -> Any:
    """Ask, and hold the answer against the contract."""
    answer = case.call_and_validate(
        base_url=service.url,
        headers={"Authorization": f"Bearer {service.issuer.token()}"},
        verify=str(service.ca),
        # Nobody can guess the number of parts of a bundle, or which key came with which body before.
        excluded_checks=[positive_data_acceptance] if "requestBody" in case.operation.definition.raw else [],
    )
    if answer.status_code == 422 and positive(case):
        body = answer.json()
        places = {error["pointer"] for error in body.get("errors", [])}
        assert body["type"] == TYPE + "idempotency-key-reused" or places == {"/numbers"}, body
    return answer


@pytest.fixture(scope="module")
def there(standing_service: HostedService, tmp_path_factory: pytest.TempPathFactory) -> There:
    standing_service.reset()
    return There(standing_service, tmp_path_factory.mktemp("desktop"))


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation(case: Any, standing_service: HostedService, there: There) -> None:
    there.meant(case)
    asked(case, standing_service)
