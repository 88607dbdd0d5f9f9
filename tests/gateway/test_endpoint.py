"""The rule of --model and --api-base."""

from __future__ import annotations

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.gateway.endpoint import key_name, needs_probe, resolve
from qverify_desktop.gateway.provider import Wire


@pytest.mark.parametrize(
    ("model", "base", "speaks", "wire", "where", "name"),
    [
        ("qwen2.5-coder:7b", "", False, Wire.OLLAMA, "http://127.0.0.1:11434", "qwen2.5-coder:7b"),
        ("hf.co/some/model", "", False, Wire.OLLAMA, "http://127.0.0.1:11434", "hf.co/some/model"),
        ("ollama/llama3", "http://box:11434/", False, Wire.OLLAMA, "http://box:11434", "llama3"),
        ("ollama_chat/llama3", "", False, Wire.OLLAMA, "http://127.0.0.1:11434", "llama3"),
        ("gemma", "http://127.0.0.1:8080", False, Wire.OPENAI, "http://127.0.0.1:8080/v1", "gemma"),
        ("gemma", "http://127.0.0.1:8080", True, Wire.OLLAMA, "http://127.0.0.1:8080", "gemma"),
        ("meta/llama", "https://host/api/v3/", False, Wire.OPENAI, "https://host/api/v3", "meta/llama"),
        ("openai/gpt-4.1", "", False, Wire.OPENAI, "https://api.openai.com/v1", "gpt-4.1"),
        ("anthropic/claude-sonnet-4-5", "", False, Wire.ANTHROPIC, "https://api.anthropic.com", "claude-sonnet-4-5"),
        ("azure/mine", "https://me.openai.azure.com/", False, Wire.AZURE, "https://me.openai.azure.com", "mine"),
    ],
)
def test_name_and_address_settle_the_end_point(
    model: str, base: str, speaks: bool, wire: Wire, where: str, name: str
) -> None:
    endpoint = resolve(model, base, speaks)
    assert (endpoint.wire, endpoint.base, endpoint.model) == (wire, where, name)


@pytest.mark.parametrize(
    ("model", "base", "whose"),
    [
        ("openai/gpt-4.1", "", "openai"),
        ("anthropic/claude-sonnet-4-5", "", "anthropic"),
        ("azure/mine", "https://me.openai.azure.com", "azure"),
        ("azure/mine", "https://me.openai.azure.com.evil.example", "me.openai.azure.com.evil.example"),
        ("anthropic/claude", "https://evil.example", "evil.example"),
        ("gemma", "https://api.openai.com.evil.example/v1", "api.openai.com.evil.example"),
        ("qwen", "", "ollama"),
    ],
)
def test_a_providers_key_is_for_its_own_hosts(model: str, base: str, whose: str) -> None:
    assert key_name(resolve(model, base)) == whose


def test_azure_has_no_address_but_the_persons() -> None:
    with pytest.raises(BadInput, match="address of your resource"):
        resolve("azure/mine", "")


def test_only_an_address_without_a_path_and_a_name_without_a_prefix_need_asking() -> None:
    assert needs_probe("gemma", "http://127.0.0.1:8080")
    assert not needs_probe("gemma", "http://127.0.0.1:8080/v1")
    assert not needs_probe("ollama/gemma", "http://127.0.0.1:8080")
    assert not needs_probe("gemma", "")


@pytest.mark.parametrize(
    "base",
    [
        "ftp://host",
        "127.0.0.1:8080",
        "http://",
        "http://host:notaport",
        "http://host:99999",
        "http://user:secret@host/v1",
        "https://host/v1?key=secret",
        "http://[::1",
        "javascript:alert(1)",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_repeating_its_secret(base: str) -> None:
    with pytest.raises(BadInput) as caught:
        resolve("gemma", base)
    assert "secret" not in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("model", ["", "  ", "a\nb", "x" * 201])
def test_a_name_that_cannot_be_used_is_refused(model: str) -> None:
    with pytest.raises(BadInput):
        resolve(model, "")


@pytest.mark.parametrize(
    ("base", "local"),
    [
        ("http://127.0.0.1:1", True),
        ("http://localhost:1", True),
        ("http://[::1]:1", True),
        ("http://127.9.9.9", True),
        ("http://localhost.evil.org", False),
        ("http://10.0.0.1", False),
    ],
)
def test_what_is_on_this_machine(base: str, local: bool) -> None:
    assert resolve("gemma", base).local is local
