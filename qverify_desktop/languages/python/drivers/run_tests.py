"""Run tests and report each, with coverage. Runs inside the sandbox; asked by ``suite.json`` beside it.

A *session* is one run of pytest in a worker of its own (``qv_supervision``): the project's own tests under the project's
own configuration, the generated tests under a neutral one. A session that breaks on its configuration is tried again with
less of it; a test that takes the whole process with it is reported, and the session runs again without it.
"""

import sys

HERE = __file__.rpartition("/")[0] or "."
# The folder of a script comes first on the import path; nothing of the repository may stand in for a module here.
sys.path[:] = [entry for entry in sys.path if entry not in ("", HERE, ".qverify")]
sys.path.insert(0, HERE)

import importlib  # noqa: E402
import importlib.util  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402

import pytest  # noqa: E402
import qv_recording  # noqa: E402
import qv_supervision  # noqa: E402

sys.path.remove(HERE)

#: Times that a session runs again after a test ended its process.
RESCUES = 8
#: Times that a session runs again after its process was lost while no test ran: nobody is to blame, its coverage is gone.
AGAIN = 2
#: Seconds kept for the report after the last test.
MARGIN = 6.0
#: Seconds that starting up before the first test file may take.
START_MOST = 90.0
#: Seconds without a word that ending may take after the last test; what a test left running may starve it.
END_MOST = 45.0
QUIET = [
    "-q",
    "--tb=no",
    "--no-header",
    "--no-summary",
    "-p",
    "no:cacheprovider",
    "--continue-on-collection-errors",
    "--maxfail=0",
]
#: Plug-ins that run tests elsewhere, in another order, or measure coverage themselves.
WITHOUT = ["-p", "no:randomly", "-p", "no:random_order", "-p", "no:xdist", "-p", "no:cov"]
BARE = ["-o", "addopts=", "-o", "required_plugins=", "-o", "minversion=1", "-o", "testpaths="]
CALM = ["-o", "filterwarnings=default", "-o", "asyncio_default_fixture_loop_scope=function"]
NEUTRAL = [
    *BARE,
    *("-o", "filterwarnings=ignore", "-o", "python_files=*.py", "-o", "python_functions=test*"),
    *("-o", "python_classes=Test*", "-o", "xfail_strict=false", "-o", "console_output_style=classic"),
]


class Session:
    """What one session needs to know. ``ways`` are command lines to try in turn."""

    def __init__(self, name, paths, ways, request):
        self.name = name
        self.paths = paths
        self.excluded = []
        self.ways = ways
        self.request = request
        self.shuffle = request["seed"] if name == "generated" else 0


def main():
    with open(os.path.join(HERE, "suite.json"), encoding="utf-8") as file:
        request = json.load(file)
    began = time.monotonic()
    deadline = began + request["deadline_s"] - MARGIN
    root = os.getcwd()
    journal = qv_supervision.Journal(os.environ["QV_OUT"], "suite.jsonl")
    journal.record("expected", tests=request["expected"])
    qv_supervision.become_subreaper()
    if request["coverage"]:
        # Before anything of the project comes on the import path.
        sys.path.insert(0, HERE)
        importlib.import_module("qv_measuring")
        sys.path.remove(HERE)
    prepare_environment(root, request)
    measured = False
    try:
        for session in sessions(root, request):
            measured = run_session(session, root, journal, deadline) or measured
        if request["coverage"] and request["everything"] and not measured:
            static = Session("static", [], [], request)
            run_attempt(static, [], root, journal, max(deadline, time.monotonic()))
        journal.record("done", seconds=round(time.monotonic() - began, 3))
    except Exception as error:
        journal.record("broken", message=f"{type(error).__name__}: {error}")
        raise
    finally:
        journal.close()


def prepare_environment(root, request):
    """Import path and environment of the workers, also for processes that tests start."""
    roots = [os.path.join(root, *part.split("/")) if part else root for part in request["roots"]]
    paths = [*dict.fromkeys([*roots, root])]
    libraries = [path for path in (os.environ.get("QV_DEPS") or "/deps",) if os.path.isdir(path)]
    request["path"] = paths
    request["libraries"] = libraries
    inherited = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    os.environ["PYTHONPATH"] = os.pathsep.join([*paths, *inherited, *libraries])
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        os.environ.pop(name, None)


def sessions(root, request):
    own = [path for path in request["own"] if os.path.isfile(os.path.join(root, path))]
    if own:
        # pytest-asyncio complains where a project that knows nothing of it has warnings end the run.
        first = [] if any(mentions(root, path, b"async") for path in own) else ["-p", "no:asyncio"]
        calm = [*first, *BARE, *CALM]
        yield Session("own", own, [first, calm, [*calm, "--noconftest"]], request)
    if request["generated"]:
        ways = [NEUTRAL, [*NEUTRAL, "autoload"], [*NEUTRAL, "--noconftest"]]
        yield Session("generated", list(request["generated"]), ways, request)


def mentions(root, path, word):
    with open(os.path.join(root, path), "rb") as file:
        return word in file.read()


def run_session(session, root, journal, deadline):
    """Run a session until it ends by itself. Answers whether it was measured to its end."""
    ways = list(session.ways)
    lost = 0
    for number in range(RESCUES + AGAIN + len(session.ways)):
        journal.record("attempt", session=session.name, number=number)
        end, state = run_attempt(session, ways[0], root, journal, deadline)
        if end.expired and time.monotonic() >= deadline:
            break
        if state["running"] is not None:
            journal.record("killed", test=state["running"], message=why(session, end, state, "running_since"))
            session.excluded.append(state["running"])
        elif state["collected"]:
            if end.finished or lost == AGAIN:
                return end.finished
            lost += 1
        elif state["collecting"] in session.paths:
            message = why(session, end, state, "since") + " It was being imported."
            journal.record("collect_error", file=state["collecting"], message=message)
            session.paths.remove(state["collecting"])
        elif len(ways) > 1:
            journal.record("fallback", session=session.name, message=end.output[-1500:])
            del ways[0]
        else:
            break
        if not session.paths:
            return False
    journal.record("session_error", session=session.name, message=end.output[-1500:])
    return False


def why(session, end, state, since):
    """The sentence on a test or file that took the process with it."""
    if end.expired:
        return f"It did not end within {int(time.monotonic() - state[since])} seconds."
    if end.finished:
        return "It stopped the whole test run."
    how = (
        f"signal {-end.code}"
        if end.code < 0
        else f"signal {end.code - 128}"
        if end.code > 128
        else f"exit code {end.code}"
    )
    return f"It ended the process that runs the tests ({how})."


def run_attempt(session, way, root, journal, deadline):
    """One worker. Answers its ``End`` and what was seen of it."""
    now = time.monotonic()
    state = {
        "running": None,
        "running_since": now,
        "collecting": None,
        "collected": False,
        "exited": False,
        "since": now,
    }

    def on_record(document, line):
        kind = document.get("kind")
        state["since"] = time.monotonic()
        if kind == "start":
            state["running"], state["running_since"] = document.get("test"), time.monotonic()
        elif kind == "test":
            state["running"] = None
        elif kind == "collecting":
            state["collecting"] = document.get("file")
        elif kind == "collected":
            state["collected"] = True
        elif kind == "exit":
            state["exited"] = True
        journal.write(line)

    def limit():
        if state["running"] is not None:
            return min(deadline, state["running_since"] + session.request["test_s"] + 3)
        if state["exited"]:
            return deadline + MARGIN / 2
        if state["collected"]:
            return min(deadline, state["since"] + END_MOST)
        return min(deadline, state["since"] + (session.request["import_s"] if state["collecting"] else START_MOST))

    def work(send):
        in_worker(session, way, root, send)

    end = qv_supervision.run(work, on_record, limit)
    journal.make_room()
    return end, state


def in_worker(session, way, root, send):
    request = session.request
    sys.path[:] = [*request["path"], *[p for p in sys.path if p not in request["path"]], *request["libraries"]]
    sys.argv[:] = ["pytest"]
    meter = None
    if request["coverage"]:
        meter = sys.modules["qv_measuring"].Meter(root, request["sources"])
        meter.start()
    # What tests print is kept where filling the disk does not reach it; the recorder puts this back.
    tempfile.tempdir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    if session.paths:
        recorder = qv_recording.Recorder(
            send, root, request["only"], session.excluded, session.shuffle, meter, request.get("elsewhere", False)
        )
        send(
            "exit",
            code=int(pytest.main(command_line(session, way, root), plugins=[recorder, *plugins(session, way)])),
        )
    if meter:
        meter.stop()
        for kind, fields in meter.report(request["everything"]):
            send(kind, **fields)


def command_line(session, way, root):
    arguments = [*QUIET, *WITHOUT, *[word for word in way if word != "autoload"], "--rootdir=" + root]
    if has_plugin("pytest_timeout"):
        arguments += ["--timeout={}".format(session.request["test_s"]), "--timeout-method=signal"]
    if session.name == "generated" and session.request["asyncio"]:
        arguments += ["-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"]
    return [*arguments, *session.paths]


def plugins(session, way):
    """For generated tests only what they need is loaded: finding plug-ins costs more than most tests."""
    if session.name != "generated" or "autoload" in way:
        return []
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    wanted = ["pytest_timeout", *(["pytest_asyncio.plugin"] if session.request["asyncio"] else [])]
    return [__import__(name, fromlist=["x"]) for name in wanted if has_plugin(name.partition(".")[0])]


def has_plugin(name):
    return importlib.util.find_spec(name) is not None


if __name__ == "__main__":
    main()
