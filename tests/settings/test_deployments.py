"""The person's order of end points, read from a file that a person writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.model import RateLimit
from qverify_desktop.settings.configuration import Configuration
from qverify_desktop.settings.deployments import MODELS_FILE, begin_file, load_deployments, move, read_order

GOOD = """
[[deployments]]
name = "ours"
wire = "azure"
base = "https://me.openai.azure.com"
model = "gpt-4.1"
models = { repair = "gpt-4.1-mini" }
requests_per_minute = 60

[[deployments]]
wire = "anthropic"
model = "claude-sonnet-4-5"
enabled = false

[[deployments]]
wire = "ollama"
model = "qwen"
"""


def load(home: Path, text: str):
    (home / MODELS_FILE).write_text(text)
    return load_deployments(home)


def test_the_order_is_the_files(tmp_path: Path) -> None:
    assert load_deployments(tmp_path) == ()
    ours, local = load(tmp_path, GOOD)
    assert (ours.name, ours.wire, ours.limit) == ("ours", "azure", RateLimit(60))
    assert (ours.model_for("generate"), ours.model_for("repair")) == ("gpt-4.1", "gpt-4.1-mini")
    assert (local.name, local.limit) == ("ollama/qwen", RateLimit(at_once=1))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[deployments]]\nwire = 'azure'\n", r"end point 1 \(line 1\): model"),
        ("[[deployments]]\nwire = 'gopher'\nmodel = 'x'\n", r"end point 1 \(line 2\): wire"),
        ("[[deployments]]\nwire = 'openai'\nmodel = 'x'\nkey = 'sk-secret'\n", r"end point 1 \(line 4\): key"),
        ("[[deployments]]\nwire = 'openai'\nmodel = 'x'\nat_once = -1\n", r"end point 1 \(line 4\): at_once"),
        ("[[deployments]]\nwire = 'openai'\nmodel = 'x'\n" * 2, "two end points called"),
        ("nonsense", "can't be read"),
        ("deployments = 3", "deployments"),
    ],
)
def test_what_cannot_be_used_is_named_without_its_value(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        load(tmp_path, text)
    assert "sk-secret" not in str(caught.value) and caught.value.remedy


def test_the_air_gaps_list_holds_addresses_only(tmp_path: Path) -> None:
    allowed = Configuration.load(home=tmp_path, air_gap_allow="10.0.0.7, 10.1.0.0/16").allowed
    assert allowed == ("10.0.0.7", "10.1.0.0/16")
    with pytest.raises(BadInput, match="air_gap_allow"):
        Configuration.load(home=tmp_path, air_gap_allow="models.example.org")


def test_the_line_of_a_later_end_point_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"end point 2 \(line 11\): wire"):
        load(tmp_path, GOOD.replace('"anthropic"', '"carrier pigeon"'))


def test_a_new_file_holds_an_example_that_works_once_it_is_no_comment(tmp_path: Path) -> None:
    file = begin_file(tmp_path)
    assert load_deployments(tmp_path) == ()
    assert file.stat().st_mode & 0o777 == 0o600
    lines = [
        line.removeprefix("# ") for line in file.read_text().splitlines() if not line.startswith(("# The", "# Keys"))
    ]
    first, second = (file.write_text("\n".join(line for line in lines if line != "#")), read_order(tmp_path))[1]
    assert (first.deployment.wire, first.enabled, second.enabled) == ("azure", True, False)
    before = file.read_bytes()
    assert begin_file(tmp_path).read_bytes() == before, "what a person wrote stays"


COMMENTED = """\
# My order.

# the fast one
[[deployments]]
wire = "openai"
model = "fast"

[[deployments]]
wire = "openai"
model = "slow"
# a remark inside
[deployments.models]
repair = "other"

# at home
[[deployments]]
wire = "ollama"
model = "local"
"""


@pytest.mark.parametrize(
    ("at", "to", "order"),
    [(0, 1, "slow fast local"), (2, 0, "local fast slow"), (0, 2, "slow local fast"), (1, 1, "fast slow local")],
)
def test_an_end_point_moves_with_its_comments(tmp_path: Path, at: int, to: int, order: str) -> None:
    load(tmp_path, COMMENTED)
    move(tmp_path, at, to)
    text = (tmp_path / MODELS_FILE).read_text()
    assert [one.model for one in load_deployments(tmp_path)] == order.split()
    assert text.startswith("# My order.\n")
    assert sorted(line for line in text.splitlines() if line) == sorted(
        line for line in COMMENTED.splitlines() if line
    )
    assert text.index("# at home") < text.index('"local"') < text.index("# at home") + 60
    assert text.index("# the fast one") < text.index('"fast"') < text.index("# the fast one") + 70
    assert load_deployments(tmp_path)[order.split().index("slow")].model_for("repair") == "other"


@pytest.mark.parametrize(("at", "to"), [(-1, 0), (0, 3), (3, 0)])
def test_a_place_that_is_none_moves_nothing(tmp_path: Path, at: int, to: int) -> None:
    load(tmp_path, COMMENTED)
    with pytest.raises(BadInput):
        move(tmp_path, at, to)
    assert (tmp_path / MODELS_FILE).read_text() == COMMENTED


@pytest.mark.parametrize(
    "text",
    [
        "deployments = [\n  {wire = 'openai', model = 'a'},\n  {wire = 'openai', model = 'b'},\n]\n",
        "[[deployments]]\nwire = 'openai'\nmodel = 'a'\n['deployments'.models]\n[[ 'deployments' ]]\nwire = 'openai'\nmodel = 'b'\n",
    ],
    ids=["inline", "quoted"],
)
def test_a_form_that_can_not_be_moved_in_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    load(tmp_path, text)
    with pytest.raises(BadInput, match="Edit the file"):
        move(tmp_path, 0, 1)
    assert (tmp_path / MODELS_FILE).read_text() == text
