"""Write tests for modules with a peer, two at a time. Runs inside the sandbox; asked by ``peer.json``.

``pynguin`` gets seconds for each module, two thirds for its search and one for its assertions; ``ghostwriter`` writes what it can for each. A file per module goes to
``QV_OUT``. A module that is late or fails is left out, and the end of what the tool said is kept in ``peer.log``.
"""

import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import time

with open(sys.argv[1], encoding="utf-8") as asked:
    REQUEST = json.load(asked)
OUT = os.environ["QV_OUT"]
END = time.monotonic() + REQUEST["wall_s"]
HERE = os.getcwd()
ROOTS = [os.path.join(HERE, root) if root else HERE for root in REQUEST["roots"]]
GHOST = "from hypothesis.extra.cli import main; main()"


def environment():
    # The project comes before the peers' own packages: one of them is a project that is measured.
    path = os.pathsep.join([*ROOTS, REQUEST["peers"]])
    return {**os.environ, "PYTHONPATH": path, "PYNGUIN_DANGER_AWARE": "1", "HOME": "/tmp"}


def command(module, seconds, folder):
    if REQUEST["tool"] == "ghostwriter":
        return [sys.executable, "-c", GHOST, "write", "--style", "pytest", module]
    root = next(
        (r for r in ROOTS if os.path.exists(os.path.join(r, module.partition(".")[0]))),
        ROOTS[0],
    )
    return [
        *(sys.executable, "-m", "pynguin", "--project-path", root, "--module-name", module),
        *("--output-path", folder, "--report-dir", folder + "/report", "--seed", str(REQUEST["seed"]), "--no-rich"),
        *(
            "--maximum-search-time",
            str(max(2, seconds * 2 // 3)),
            "--maximum-mutation-time",
            str(max(1, seconds // 3)),
        ),
    ]


def write(entry):
    module, seconds = entry
    folder = "/tmp/peer-" + module
    os.makedirs(folder, exist_ok=True)
    left = END - time.monotonic()
    if left < 2:
        return module + ": there was no time left"
    try:
        done = subprocess.run(
            command(module, seconds, folder), env=environment(), capture_output=True, timeout=left, cwd="/tmp"
        )
    except subprocess.TimeoutExpired:
        return module + ": it was late"
    target = os.path.join(OUT, "test_" + module.replace(".", "_") + ".py")
    if REQUEST["tool"] == "ghostwriter":
        if done.returncode == 0 and b"def test_" in done.stdout:
            with open(target, "wb") as file:
                file.write(done.stdout)
            return ""
    else:
        made = sorted(name for name in os.listdir(folder) if name.startswith("test_") and name.endswith(".py"))
        if made:
            shutil.copyfile(os.path.join(folder, made[0]), target)
            return ""
    return f"{module}: exit {done.returncode}: {(done.stderr or done.stdout)[-600:].decode('utf-8', 'replace')}"


with concurrent.futures.ThreadPoolExecutor(2) as pool:
    said = [line for line in pool.map(write, REQUEST["modules"]) if line]
with open(os.path.join(OUT, "peer.log"), "w", encoding="utf-8") as log:
    log.write("\n".join(said))
