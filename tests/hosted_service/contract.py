"""``docs/hosted-api.yaml`` as the rule for every request and every answer of the server."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

CONTRACT = Path(__file__).parents[2] / "docs" / "hosted-api.yaml"
METHODS = ("get", "post", "put", "patch", "delete")
TYPE = "urn:qverify:problem:"


class ContractBroken(Exception):
    """An answer of the server is none that the contract knows: a defect of the server."""


class Refusal(Exception):
    """A problem (RFC 9457) that ends a request. ``name`` is one of ``x-problem-types``; ``more`` are further members."""

    def __init__(self, name: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.name, self.detail, self.headers, self.more = name, detail, dict(headers or {}), more

    @property
    def status(self) -> int:
        return int(document()["x-problem-types"][self.name]["status"])

    def body(self, request_id: str) -> dict[str, Any]:
        known = document()["x-problem-types"][self.name]
        head = {"type": TYPE + self.name, "title": known["title"], "status": known["status"]}
        return head | {"detail": self.detail, "request_id": request_id} | self.more


@dataclass(frozen=True)
class Request:
    """What came, after the contract has had its say. ``org`` and ``claims`` are those of the access token."""

    path: Mapping[str, str]
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    body: Any = None
    claims: Mapping[str, Any] = field(default_factory=dict)
    request_id: str = ""

    @property
    def org(self) -> str:
        return str(self.claims["org_id"])


@dataclass(frozen=True)
class Operation:
    """One operation of the contract."""

    method: str
    path: str
    spec: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.spec["operationId"])

    @property
    def open(self) -> bool:
        """Whether it needs no sign-in."""
        return self.spec.get("security") == []

    @property
    def scope(self) -> str:
        """The scope that its description asks for, empty for none."""
        match = re.match(r"Needs the scope `(\w+)`", self.spec.get("description", ""))
        return match[1] if match else ""

    @cached_property
    def parameters(self) -> list[Mapping[str, Any]]:
        shared = document()["paths"][self.path].get("parameters", [])
        return [resolved(one) for one in (*shared, *self.spec.get("parameters", []))]

    def check_parameters(
        self, path: Mapping[str, str], query: list[tuple[str, str]], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """The query with its types. Raises ``Refusal``: 404 for an id that can't be one, 400 for the rest."""
        known = {one["name"] for one in self.parameters if one["in"] == "query"}
        if len({name for name, _ in query}) != len(query) or not known.issuperset(name for name, _ in query):
            raise Refusal("malformed", "The query has a parameter that is not known or comes twice.")
        given = {"path": path, "query": dict(query), "header": headers}
        typed: dict[str, Any] = {}
        for one in self.parameters:
            name, where = one["name"], one["in"]
            text = given[where].get(name.lower() if where == "header" else name)
            if text is None:
                if one.get("required"):
                    raise Refusal("malformed", f"{name} is missing.")
                typed[name] = one["schema"].get("default")
                continue
            value: Any = text
            if one["schema"].get("type") == "integer":
                value = int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else text
            if any(validator(one["schema"]).iter_errors(value)):
                if where == "path":
                    raise Refusal("not-found", "There is nothing of that name.")
                raise Refusal("malformed", f"{name} is not as it should be.")
            typed[name] = value
        return typed

    def check_body(self, raw: bytes, media_type: str) -> Any:
        """The body as JSON. Raises ``Refusal``."""
        if "requestBody" not in self.spec:
            return None
        if media_type.partition(";")[0].strip().lower() != "application/json":
            raise Refusal("media-type", "Send JSON as application/json.")
        try:
            body = json.loads(raw.decode("utf-8"), parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise Refusal("malformed", "The body is no JSON.") from None
        schema = self.spec["requestBody"]["content"]["application/json"]["schema"]
        errors = [
            {"pointer": pointer(error.absolute_path), "detail": error.message[:300]}
            for _, error in zip(range(20), validator(schema).iter_errors(body), strict=False)
        ]
        if errors:
            raise Refusal("invalid", "The body is not as it should be; the errors say where.", errors=errors)
        if holds_nul(body):
            errors = [{"pointer": "", "detail": "No text may hold U+0000."}]
            raise Refusal("invalid", "The body is not as it should be; the errors say where.", errors=errors)
        return body

    def check_answer(self, status: int, headers: Mapping[str, str], media_type: str, body: Any) -> None:
        """Raises ``ContractBroken`` unless the contract has such an answer."""
        if str(status) not in self.spec["responses"]:
            raise ContractBroken(f"{self.name} has no answer {status}: {body}")
        answer = resolved(self.spec["responses"][str(status)])
        lower = {name.lower() for name in headers}
        for name, header in answer.get("headers", {}).items():
            if resolved(header).get("required") and name.lower() not in lower:
                raise ContractBroken(f"{self.name} {status} lacks the header {name}.")
        content = answer.get("content", {})
        if (media_type or None) not in (content or {None: 0}):
            raise ContractBroken(f"{self.name} {status} is {media_type}.")
        if content and media_type != "text/event-stream":
            for error in validator(content[media_type]["schema"]).iter_errors(body):
                raise ContractBroken(f"{self.name} {status} at {pointer(error.absolute_path)}: {error.message[:400]}")


def check_event(event: Mapping[str, Any]) -> None:
    """Raises ``ContractBroken`` unless it is an ``Event``."""
    for error in validator({"$ref": "#/components/schemas/Event"}).iter_errors(event):
        raise ContractBroken(f"An event: {error.message[:400]}")


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(CONTRACT.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


@cache
def operations() -> tuple[Operation, ...]:
    return tuple(
        Operation(method, path, item[method])
        for path, item in document()["paths"].items()
        for method in METHODS
        if method in item
    )


def resolved(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A ``$ref`` of the document followed."""
    while "$ref" in value:
        found: Any = document()
        for step in value["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        value = found
    return value


def pointer(path: Any) -> str:
    """JSON Pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)[:400]


_NAME = "urn:hosted-api"
_VALIDATORS: dict[str, Draft202012Validator] = {}


def validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """A validator for a schema of the document; OpenAPI 3.1 schemas are JSON Schema 2020-12."""
    key = json.dumps(schema, sort_keys=True)
    if key not in _VALIDATORS:
        registry: Any = Registry().with_resource(_NAME, Resource(document(), DRAFT202012))
        placed = json.loads(key.replace('"#/', f'"{_NAME}#/'))
        _VALIDATORS[key] = Draft202012Validator(placed, registry=registry, format_checker=FormatChecker())
    return _VALIDATORS[key]


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def holds_nul(value: Any) -> bool:
    """Whether a text in ``value`` holds U+0000 or a lone surrogate: neither can be stored."""
    if isinstance(value, dict):
        return any(map(holds_nul, (*value, *value.values())))
    if isinstance(value, list):
        return any(map(holds_nul, value))
    return isinstance(value, str) and ("\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value))
