"""The model library is loaded late, and reads neither the network nor a .env of the folder it was started in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(code: str, folder: Path) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    return ran.stdout


def test_making_a_gateway_loads_no_model_library(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from qverify_desktop.gateway.gateway import ModelGateway\n"
        "ModelGateway()\n"
        "print(sorted({'litellm', 'openai', 'ollama'} & set(sys.modules)))\n"
    )
    assert run(code, tmp_path) == "[]\n"


def test_a_call_opens_no_other_connection_and_leaves_the_loop_quiet(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OPENAI_API_BASE=http://127.0.0.1:9\nQV_FROM_DOTENV=1\n")
    code = """
import asyncio, os, socket, sys
from tests.model_servers.answers import Say, Script
from tests.model_servers.server import serving
from qverify_desktop.domain.question import Question
from qverify_desktop.gateway.gateway import ModelGateway

opened = []
def audit(event, args):
    if event == "socket.connect":
        opened.append(args[1])
    if event == "socket.getaddrinfo":
        opened.append(args[:2])
sys.addaudithook(audit)

async def main():
    for wire in ("openai", "ollama"):
        with serving(Script([Say("yes")]), wire) as server:
            ask = [{"role": "user", "content": "x"}]
            await ModelGateway().complete(Question(ask, "t", 3, "scripted", server.url))
            print({where[0] for where in opened} == {"127.0.0.1"}, {where[1] for where in opened} == {server.server_address[1]})
            opened.clear()
asyncio.run(main())
print("QV_FROM_DOTENV" in os.environ)
"""
    assert run(code, tmp_path) == "True True\nTrue True\nFalse\n"


def test_the_callers_loop_never_stalls_even_at_the_first_call(tmp_path: Path) -> None:
    code = """
import asyncio, time
from tests.model_servers.answers import Say, Script
from tests.model_servers.server import serving
from qverify_desktop.domain.question import Question
from qverify_desktop.gateway.gateway import ModelGateway

async def main():
    worst = 0.0
    async def tick():
        nonlocal worst
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            worst = max(worst, time.thread_time() - before)
            await asyncio.sleep(0.001)
    ticking = asyncio.create_task(tick())
    with serving(Script([Say("yes")]), "ollama") as server:
        ask = [{"role": "user", "content": "x"}]
        await ModelGateway().complete(Question(ask, "t", 3, "scripted", server.url))
    ticking.cancel()
    print(worst < 0.05 or worst)
asyncio.run(main())
"""
    assert run(code, tmp_path) == "True\n"
