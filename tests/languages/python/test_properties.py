"""Properties from type hints: which functions get one, what it holds, and that it can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.python.annotations import check, drawable, read_hint, strategy
from qverify_desktop.languages.python.detection import detect, find_targets
from qverify_desktop.languages.python.properties import write_property_tests
from qverify_desktop.languages.python.writing import render, static_problem
from tests.languages.python.repositories import snapshot_of


@pytest.mark.parametrize(
    ("hint", "drawn", "held"),
    [
        ("int", "st.integers(-1000, 1000)", "isinstance(x, int)"),
        ("float", "st.floats(-1e6, 1e6)", "isinstance(x, (int, float))"),
        ("'str'", "st.text(max_size=30)", "isinstance(x, str)"),
        ("Optional[int]", "st.one_of(st.integers(-1000, 1000), st.none())", "(isinstance(x, int) or x is None)"),
        ("int | None", "st.one_of(st.integers(-1000, 1000), st.none())", "(isinstance(x, int) or x is None)"),
        ("Literal['a', 2]", 'st.sampled_from(["a", 2])', 'x in ("a", 2,)'),
        (
            "list[str]",
            "st.lists(st.text(max_size=30), max_size=8)",
            "isinstance(x, list) and all(isinstance(item, str) for item in x)",
        ),
        ("t.Sequence[bool]", "st.lists(st.booleans(), max_size=8)", "hasattr(x, '__iter__')"),
        (
            "tuple[int, str]",
            "st.tuples(st.integers(-1000, 1000), st.text(max_size=30))",
            "isinstance(x, tuple) and len(x) == 2 and isinstance(x[0], int) and isinstance(x[1], str)",
        ),
        (
            "Dict[str, bool]",
            "st.dictionaries(st.text(max_size=30), st.booleans(), max_size=6)",
            "isinstance(x, dict) and all(isinstance(key, str) and isinstance(item, bool) for key, item in x.items())",
        ),
    ],
)
def test_hints_of_plain_values(hint: str, drawn: str, held: str) -> None:
    read = read_hint(hint)
    assert read is not None
    assert (strategy(read), check(read, "x")) == (drawn, held)


@pytest.mark.parametrize(
    "hint",
    ["Path", "Any", "Callable[[int], int]", "np.ndarray", "list[Path]", "int +", "(" * 500, "Foo | int", "*int", ""],
)
def test_hints_of_anything_else(hint: str) -> None:
    assert read_hint(hint) is None


def test_what_can_not_be_hashed_is_not_drawn() -> None:
    for hint in ("set[list[int]]", "dict[list[int], int]", "list[set[dict[str, int]]]"):
        read = read_hint(hint)
        assert read is not None and not drawable(read)


MODULE = '''
def double(number: int) -> int:
    return 2 * number


def halve(number: int) -> int:
    return number / 2


def head(items: list[int]) -> int:
    """Raises an IndexError when there is none."""
    return items.pop(0)


def choose(text: str, *, upper: bool = False) -> str:
    return text.upper() if upper else text


def encode_text(text: str) -> list[int]:
    return [ord(c) for c in text]


def decode_text(codes: list[int]) -> str:
    return "".join(map(chr, codes))


def to_hex(number: int) -> str:
    return format(abs(number), "x")


def from_hex(text: str) -> int:
    return int(text, 16)


def read_name(name: str) -> str:
    return name


def copy_file(path: str) -> str:
    return path


def untyped(number) -> int:
    return number


def nothing(number: int) -> None:
    return None


def _hidden(number: int) -> int:
    return number


async def later(number: int) -> int:
    return number


class Thing:
    def method(self, number: int) -> int:
        return number
'''


def written(root: Path, seed: int = 0) -> list[GeneratedTest]:
    snapshot = snapshot_of(root, {"mod.py": MODULE})
    project = detect(snapshot)
    assert project is not None
    return write_property_tests(project, find_targets(snapshot, project), seed)


def test_which_functions_get_a_property(tmp_path: Path) -> None:
    tests = written(tmp_path)
    assert [test.name for test in tests] == [
        "test_double_property_types",
        "test_halve_property_types",
        "test_head_property_types",
        "test_choose_property_types",
        "test_encode_text_property_types",
        "test_decode_text_property_types",
        "test_to_hex_property_types",
        "test_from_hex_property_types",
        "test_encode_text_property_round_trip",
        "test_to_hex_property_round_trip",
    ]
    assert [test.name for test in tests if static_problem(test)] == []
    source = (tmp_path / "mod.py").read_text().splitlines()
    for test in tests:
        assert (test.label, test.origin) == (Label.SPECIFICATION, Origin.PROPERTY)
        assert test.quote is not None and test.quote.text in source[test.quote.line - 1]


def test_properties_hold_or_fail_and_repeat(tmp_path: Path) -> None:
    for path, text in render(written(tmp_path)).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    failures = [_failures(tmp_path) for _ in range(2)]
    # Halves are floats; not every text is a number; numbers below 0 have no character; the sign is lost in hexadecimal.
    wrong = {
        "halve_property_types",
        "decode_text_property_types",
        "from_hex_property_types",
        "to_hex_property_round_trip",
    }
    assert failures == [{f"test_{name}" for name in wrong}] * 2


def _failures(folder: Path) -> set[str]:
    command = [
        sys.executable,
        "-B",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore",
        "--tb=no",
        "-rfE",
        "tests",
    ]
    done = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(folder), "PATH": ""}, capture_output=True, text=True, check=False
    )
    assert "passed" in done.stdout, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return {line.split("::")[1].split(" ")[0] for line in lines}


def test_a_seed_is_passed_on(tmp_path: Path) -> None:
    plain, seeded = written(tmp_path)[0], written(tmp_path, 7)[0]
    assert "derandomize=True" in plain.code and "@seed(" not in plain.code
    assert seeded.code.startswith("@seed(7)\n") and "derandomize" not in seeded.code
    assert any("seed" in line for line in seeded.prelude)
