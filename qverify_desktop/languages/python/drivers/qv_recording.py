"""A pytest plug-in that reports every test as one record, with where and how it failed.

Runs inside the sandbox, imported by the drivers; works with pytest 7.4 and later.
"""

import ast
import os
import random
import tempfile

import pytest

MESSAGE_MOST = 600
OBSERVED_MOST = 500
FRAMES_MOST = 40

HERE = os.path.dirname(os.path.abspath(__file__))
_PYTEST = os.path.dirname(os.path.realpath(pytest.__file__))
_INTERNAL = (
    _PYTEST,
    os.path.join(os.path.dirname(_PYTEST), "_pytest"),
    os.path.join(os.path.dirname(_PYTEST), "pluggy"),
)
_ASSERTIONS = ("AssertionError", "Failed")


class Recorder:
    """``send(kind, **fields)`` takes the records. ``only`` narrows to test ids, ``excluded`` leaves ids out.

    ``seed`` 1 turns the order of the tests round, any other than 0 shuffles them. ``meter`` is told which test runs (see
    ``qv_measuring``). ``elsewhere`` runs each test in an empty folder of its own, which shows what depends on where it runs.
    """

    def __init__(self, send, root, only=(), excluded=(), seed=0, meter=None, elsewhere=False):
        self.send = send
        self.root = os.path.realpath(root)
        self.only = frozenset(only)
        self.excluded = frozenset(excluded)
        self.seed = seed
        self.meter = meter
        self.elsewhere = elsewhere
        self.parts = {}
        self.process = os.getpid()

    def pytest_configure(self, config):
        # Output is being captured by now, into the folder that the driver chose.
        tempfile.tempdir = None

    def pytest_collectstart(self, collector):
        if isinstance(collector, pytest.Module):
            self.send("collecting", file=collector.nodeid)

    def pytest_collectreport(self, report):
        if report.failed or report.skipped:
            try:
                text = report.longreprtext
            except Exception:
                text = ""
            if report.skipped and isinstance(report.longrepr, tuple):
                text = str(report.longrepr[-1])
            kind = "collect_error" if report.failed else "collect_skip"
            self.send(kind, file=report.nodeid.partition("::")[0], message=_essence(text))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        kept = [i for i in items if i.nodeid not in self.excluded and (not self.only or self._wanted(i.nodeid))]
        if self.seed == 1:
            kept.reverse()
        elif self.seed:
            random.Random(self.seed).shuffle(kept)
        items[:] = kept
        self.send("collected", tests=[item.nodeid for item in kept])

    def _wanted(self, nodeid):
        return nodeid in self.only or nodeid.partition("[")[0] in self.only

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        self.parts = {}
        self.send("start", test=item.nodeid)
        if self.meter:
            self.meter.switch(item.nodeid)
        try:
            answer = yield
        finally:
            if self.meter:
                self.meter.switch("")
        self.send("test", **self._outcome(item))
        return answer

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item):
        if not self.elsewhere:
            return (yield)
        here = os.getcwd()
        os.chdir(tempfile.mkdtemp())
        try:
            return (yield)
        finally:
            os.chdir(here)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(self, item, call):
        if os.getpid() != self.process:
            # A process that the test forked came back out of it: the rest of the run is not its to do.
            os._exit(0)
        report = yield
        details = {}
        if report.failed and call.excinfo is not None:
            try:
                details = self._failure(item, call.excinfo)
            except Exception as error:
                details = {"message": f"The failure could not be described ({type(error).__name__})."}
        elif report.skipped and isinstance(report.longrepr, tuple):
            details = {"message": str(report.longrepr[-1])[:MESSAGE_MOST]}
        elif report.failed:
            details = {"message": str(report.longrepr)[:MESSAGE_MOST], "raised": "Failed", "in_test": True}
        self.parts[call.when] = (report.outcome, call.stop - call.start, details, getattr(report, "wasxfail", None))
        return report

    def _outcome(self, item):
        order = ("setup", "call", "teardown")
        parts = [self.parts[when] for when in order if when in self.parts]
        status, details = "passed" if parts else "error", {}
        for when in order:
            outcome, _, found, xfail = self.parts.get(when, ("passed", 0, {}, None))
            if outcome == "skipped":
                status, details = "skipped", found
                if xfail is not None:
                    details = {"message": f"It is expected to fail: {str(xfail)[:200]}"}
                break
            if outcome == "failed":
                status, details = ("failed" if when == "call" else "error"), found
                break
        return {
            "test": item.nodeid,
            "status": status,
            "duration_ms": int(1000 * sum(part[1] for part in parts)),
            "message": "",
            **details,
        }

    def _failure(self, item, excinfo):
        error = _innermost(excinfo.value)
        raised = type(error).__name__
        path = os.path.realpath(str(getattr(item, "path", "")))
        trace = []
        step = error.__traceback__
        while step is not None:
            trace.append((os.path.realpath(step.tb_frame.f_code.co_filename), step.tb_lineno, step.tb_frame))
            step = step.tb_next
        own = [entry for entry in trace if not entry[0].startswith(_INTERNAL)]
        text = _text_of(error)
        in_test = (
            raised in _ASSERTIONS
            and bool(own)
            and own[-1][0] == path
            and not text.startswith("Timeout (>")
            and not text.startswith("Timeout >")
        )
        if trace and trace[-1][0].startswith(_INTERNAL) and raised not in _ASSERTIONS:
            # pytest itself refused, for example to read what nobody types: the code's frames are not to blame.
            own = [entry for entry in own if entry[0] == path]
        if _in_setup([(frame, line) for name, line, frame in trace if name == path]):
            # What stands before the example could not be run, so the example itself was not.
            raised, in_test = "SetupFailed", False
        observed = _observed([frame for name, _, frame in trace if name == path])
        if not observed and raised not in _ASSERTIONS:
            observed = (f"raises {raised}: {text}")[:OBSERVED_MOST] if text else f"raises {raised}"
        frames = [
            f"{os.path.relpath(name, self.root).replace(os.sep, '/')}:{line}"
            for name, line, _ in own
            if name.startswith(self.root + os.sep) and not name.startswith(HERE + os.sep)
        ]
        message = text if raised in _ASSERTIONS and text else (f"{raised}: {text}" if text else raised)
        return {
            "message": message[:MESSAGE_MOST],
            "raised": raised[:200],
            "in_test": in_test,
            "observed": observed,
            "frames": frames if len(frames) <= FRAMES_MOST else frames[:10] + frames[10 - FRAMES_MOST :],
        }


def _innermost(error):
    """The first single exception inside an exception group."""
    for _ in range(20):
        inner = getattr(error, "exceptions", None)
        if not isinstance(inner, tuple) or not inner or not isinstance(inner[0], BaseException):
            return error
        error = inner[0]
    return error


def _text_of(error):
    try:
        return str(error)[:20_000].strip()
    except Exception:
        return ""


def _in_setup(frames):
    """Whether the outermost of a test file's frames stands before the statement that binds ``observed``."""
    if not frames or "observed" in frames[0][0].f_locals:
        return False
    frame, line = frames[0]
    try:
        with open(frame.f_code.co_filename, encoding="utf-8") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return False
    for function in ast.walk(tree):
        named = (
            isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) and function.name == frame.f_code.co_name
        )
        if named and function.lineno <= line <= function.end_lineno:
            binding = [one.lineno for one in function.body if _binds(one)]
            return bool(binding) and line < binding[0]
    return False


def _binds(statement):
    """Whether a statement, or what is inside of it, gives ``observed`` its value."""
    return any(
        isinstance(node, ast.Name) and node.id == "observed" and isinstance(node.ctx, ast.Store)
        for node in ast.walk(statement)
    )


def _observed(frames):
    """``repr`` of the local variable ``observed`` in the innermost of the test file's frames that has one."""
    for frame in reversed(frames):
        if "observed" in frame.f_locals:
            try:
                text = repr(frame.f_locals["observed"])
            except BaseException as error:
                return f"(its repr raises {type(error).__name__})"
            return text if len(text) <= OBSERVED_MOST else text[: OBSERVED_MOST - 1] + "…"
    return ""


def _essence(text):
    """What an error report says, without its listing of source."""
    errors = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    return ("\n".join(errors) or text.strip()[-MESSAGE_MOST:])[: 2 * MESSAGE_MOST]
