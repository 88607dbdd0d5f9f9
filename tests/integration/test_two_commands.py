"""Two commands on one state folder: the second attaches, and each gets its answer even when the first ends at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.docker

SOURCE = 'def {name}(n: int) -> int:\n    """>>> {name}(2)\n    {value}\n    """\n    return n * 2\n'


def test_the_second_command_gets_its_document_after_the_first_ended(tmp_path):
    commands = []
    for name, value in (("first", 4), ("second", 5)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.py").write_text(SOURCE.format(name=name, value=value))
        commands.append(
            subprocess.Popen(
                [sys.executable, "-m", "qverify_desktop.cli", "analyze", str(folder), "--json"],
                env={**os.environ, "QVERIFY_HOME": str(tmp_path / "home")},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        time.sleep(3)
    answers = [command.communicate(timeout=500) for command in commands]
    assert [command.returncode for command in commands] == [0, 1], answers
    documents = [json.loads(out) for out, _ in answers]
    assert [d["symbol"] for d in documents[1]["suspected_defects"]] == ["second"]
    assert documents[0]["run"] != documents[1]["run"]
