"""Serve a script by hand: ``python -m tests.model_servers.scripted --port 8080``, then
``qverify analyze resources/sample --model scripted --api-base http://127.0.0.1:8080``.

A script is a JSON list of objects with the fields of ``answers.Say``. Without one, ``scripts/four_answers.json`` is served.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tests.model_servers.answers import Say, Script
from tests.model_servers.server import ModelServer

SCRIPTS = Path(__file__).parent / "scripts"


def read_script(path: Path) -> Script:
    """A script from its file."""
    return Script([Say(**entry) for entry in json.loads(path.read_text("utf-8"))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--wire", choices=("openai", "ollama"), default="openai")
    parser.add_argument("--script", type=Path, default=SCRIPTS / "four_answers.json")
    options = parser.parse_args()
    server = ModelServer(read_script(options.script), options.wire, options.port)
    print(f"Serving {options.script.name} as model 'scripted' at {server.url}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
