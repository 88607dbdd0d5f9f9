"""Memory that models need, and what this machine has; figures of llama.cpp's own log where one is known."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.domain.local_model import AttentionShape
from qverify_desktop.gateway import model_fit
from qverify_desktop.gateway.model_fit import Fit, MachineMemory, cache_bytes, fit, machine_memory, read_shape
from qverify_desktop.gateway.recommended import LONG, SHORT, recommend, table

GB = 10**9
MIB = 1024 * 1024


def info(family: str = "qwen2", **more: Any) -> dict[str, Any]:
    """The metadata of Qwen2.5-Coder 7B."""
    facts = {
        "block_count": 28,
        "embedding_length": 3584,
        "attention.head_count": 28,
        "attention.head_count_kv": 4,
    } | more
    return {"general.architecture": family} | {f"{family}.{name}": value for name, value in facts.items()}


def test_the_cache_of_a_known_model() -> None:
    shape = read_shape(info())
    assert shape == AttentionShape(28, 4, 128, 128)
    # llama.cpp prints for this model: "KV self size = 448.00 MiB" at 8192 tokens.
    assert cache_bytes(shape, 8192) == 448 * MIB
    assert cache_bytes(shape, 32768) == 4 * 448 * MIB


def test_blocks_with_a_window_hold_no_more_than_it() -> None:
    gemma = read_shape(
        info(
            "gemma3",
            block_count=18,
            **{
                "attention.head_count": 4,
                "attention.head_count_kv": 1,
                "attention.key_length": 256,
                "attention.value_length": 256,
                "attention.sliding_window": 512,
            },
        )
    )
    assert gemma == AttentionShape(18, 1, 256, 256, 512, 6)
    token = 512 * 2
    assert cache_bytes(gemma, 8192) == 3 * 8192 * token + 15 * 1024 * token
    # A family whose pattern is not known counts in full, which is never too little.
    other = read_shape(info("new", **{"attention.sliding_window": 512}))
    assert other is not None
    assert other.window == 0


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"general.architecture": "llama"},
        info(block_count=0),
        info(block_count="28"),
        info(block_count=True),
        info(block_count=10**30),
        info(**{"attention.head_count": -1, "attention.head_count_kv": None}),
        {"general.architecture": ["x"]},
    ],
)
def test_metadata_that_lacks_something_has_no_shape(facts: dict[str, Any]) -> None:
    assert read_shape(facts) is None


def test_heads_that_differ_between_blocks_count_with_their_mean() -> None:
    shape = read_shape(info(**{"attention.head_count_kv": [4] * 14 + [8] * 14}))
    assert shape is not None
    assert shape.kv_heads == 6


@pytest.mark.parametrize(
    ("needed", "machine", "expected"),
    [
        (5 * GB, MachineMemory(16 * GB, 12 * GB, 8 * GB, 8 * GB), Fit.GPU),
        (10 * GB, MachineMemory(16 * GB, 12 * GB, 8 * GB, 8 * GB), Fit.MEMORY),
        (5 * GB, MachineMemory(16 * GB, 12 * GB), Fit.MEMORY),
        (13 * GB, MachineMemory(16 * GB, 12 * GB), Fit.TIGHT),
        (15 * GB, MachineMemory(16 * GB, 12 * GB), Fit.TOO_LARGE),
        (5 * GB, MachineMemory(0, 0), Fit.UNKNOWN),
        (0, MachineMemory(16 * GB, 12 * GB), Fit.UNKNOWN),
    ],
)
def test_fit(needed: int, machine: MachineMemory, expected: Fit) -> None:
    assert fit(needed, machine) is expected


def test_this_machine_has_memory() -> None:
    machine = machine_memory()
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert machine.total == pytest.approx(pages, rel=0.1)
    assert 0 < machine.free <= machine.total


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("24564, 23000\n8192, 8000\n", (32756 * MIB, 31000 * MIB)),
        ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", (0, 0)),
        ("24564, [N/A]\n", (0, 0)),
    ],
)
def test_graphics_cards_are_asked_of_nvidia_smi(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, expected: tuple[int, int]
) -> None:
    program = tmp_path / "nvidia-smi"
    (tmp_path / "said").write_text(said)
    program.write_text(f'#!/bin/sh\n[ "$1" = --query-gpu=memory.total,memory.free ] && cat {tmp_path}/said\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    machine = machine_memory()
    assert (machine.gpu_total, machine.gpu_free) == expected


def test_a_driver_that_hangs_counts_as_no_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(model_fit, "NVIDIA_SECONDS", 0.3)
    assert machine_memory().gpu_total == 0


# Recommendation


def test_the_memory_in_the_table_is_what_the_formula_gives() -> None:
    _, models, entries = table()
    for model, entry in zip(models, entries, strict=True):
        assert (model.needed(SHORT), model.needed(LONG)) == (entry["memory_8k"], entry["memory_32k"]), model.name
        assert entry["source"]


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        (MachineMemory(64 * GB, 50 * GB, 24 * GB, 24 * GB), "qwen3-coder:30b"),
        (MachineMemory(32 * GB, 28 * GB, 16 * GB, 16 * GB), "qwen2.5-coder:14b"),
        (MachineMemory(32 * GB, 28 * GB), "qwen3-coder:30b"),
        (MachineMemory(16 * GB, 12 * GB), "qwen2.5-coder:7b"),
        (MachineMemory(8 * GB, 4 * GB), "qwen2.5-coder:3b"),
        (MachineMemory(2 * GB, 2 * GB), ""),
    ],
)
def test_what_is_recommended(machine: MachineMemory, name: str) -> None:
    view = recommend(machine, {"qwen2.5-coder:7b"})
    assert view["name"] == name
    assert name in view["sentence"]
    assert ("licence" in view["sentence"]) == (name == "qwen2.5-coder:3b")
    assert [one["name"] for one in view["models"] if one["stored"]] == ["qwen2.5-coder:7b"]
