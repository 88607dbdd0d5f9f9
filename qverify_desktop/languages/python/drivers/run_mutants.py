"""Run, for each mutant, the tests named for it. Runs inside the sandbox; asked by ``mutants.json`` beside it.

This process imports pytest and parts of the standard library, never the project: each mutant is written into its file
and a fork (``qv_supervision``) imports the project afresh and runs the tests. Results are written one by one, so that
what was found is not lost when time is up.
"""

import sys

HERE = __file__.rpartition("/")[0] or "."
# The folder of a script comes first on the import path; nothing of the repository may stand in for a module here.
sys.path[:] = [entry for entry in sys.path if entry not in ("", HERE, ".qverify")]
sys.path.insert(0, HERE)

import gc  # noqa: E402
import glob  # noqa: E402
import importlib  # noqa: E402
import importlib.util  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import time  # noqa: E402

import pytest  # noqa: E402
import qv_supervision  # noqa: E402

sys.path.remove(HERE)

#: A mutant may take this many times what the unmutated run of its tests took, plus some seconds.
PATIENCE, GRACE_S = 10, 2.0
#: Seconds kept for the end of the report.
MARGIN = 4.0
RESCUES = 5
BASELINE_MOST = 60.0
#: Third-party modules that may be loaded before the fork: they hold no state of the project.
SHARED = ("hypothesis", "sortedcontainers", "attr", "typing_extensions")
QUIET = [
    "-q",
    "--tb=no",
    "--no-header",
    "--no-summary",
    "--capture=sys",
    "--continue-on-collection-errors",
    "--maxfail=0",
]
WITHOUT = [
    word
    for name in (
        *("cacheprovider", "randomly", "random_order", "xdist", "cov", "timeout", "doctest", "junitxml", "pastebin"),
        *("stepwise", "setuponly", "setupplan", "unraisableexception", "threadexception", "faulthandler"),
    )
    for word in ("-p", "no:" + name)
]
BARE = [
    *("-o", "addopts=", "-o", "required_plugins=", "-o", "minversion=1", "-o", "testpaths="),
    *("-o", "filterwarnings=ignore"),
]
NEUTRAL = [
    *("-o", "python_files=*.py", "-o", "python_functions=test*"),
    *("-o", "python_classes=Test*", "-o", "xfail_strict=false"),
]


class Verdicts:
    """A pytest plug-in that runs the wanted tests only and reports how each ended."""

    def __init__(self, send, wanted):
        self.send = send
        self.wanted = wanted
        self.process = os.getpid()

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if item.nodeid.partition("[")[0] in self.wanted]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        self.send("start", test=item.nodeid)
        began = time.monotonic()
        self.failed = False
        answer = yield
        self.send("test", test=item.nodeid, failed=self.failed, seconds=time.monotonic() - began)
        return answer

    def pytest_runtest_logreport(self, report):
        if os.getpid() != self.process:
            os._exit(0)
        if report.failed:
            self.failed = True


class Run:
    """What one worker reported."""

    def __init__(self):
        self.running = None
        self.passed = {}
        self.failed = {}
        self.modules = []

    def take(self, document, line):
        kind = document.get("kind")
        if kind == "start":
            self.running = document["test"]
        elif kind == "test":
            self.running = None
            (self.failed if document["failed"] else self.passed)[document["test"]] = document["seconds"]
        elif kind == "modules":
            self.modules = document["names"]


def main():
    with open(os.path.join(HERE, "mutants.json"), encoding="utf-8") as file:
        request = json.load(file)
    deadline = time.monotonic() + request["deadline_s"] - MARGIN
    journal = qv_supervision.Journal(os.environ["QV_OUT"], "mutants.jsonl")
    qv_supervision.become_subreaper()
    try:
        Bench(request, journal, deadline).run()
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        journal.record("done", cpu_ms=int(1000 * (spent.ru_utime + spent.ru_stime)))
    except Exception as error:
        journal.record("broken", message=f"{type(error).__name__}: {error}")
        raise
    finally:
        journal.close()


class Bench:
    """The project's folder, the tests that pass on it, and how long they take."""

    def __init__(self, request, journal, deadline):
        self.request = request
        self.journal = journal
        self.deadline = deadline
        self.root = os.getcwd()
        self.own = frozenset(request["own"])
        self.autoload = False
        self.asyncio = request["asyncio"] or any(self.is_async(path) for path in self.own)
        self.seconds = {}
        self.overhead = 0.0
        roots = [os.path.join(self.root, *part.split("/")) if part else self.root for part in request["roots"]]
        self.path = [*dict.fromkeys([*roots, self.root])]
        self.libraries = [path for path in (os.environ.get("QV_DEPS") or "/deps",) if os.path.isdir(path)]
        os.environ["PYTHONPATH"] = os.pathsep.join([*self.path, *self.libraries])
        for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
            os.environ.pop(name, None)

    def run(self):
        wanted = {test for mutant in self.request["mutants"] for test in mutant["tests"]}
        for mutant in self.request["mutants"]:
            self.drop_bytecode(mutant["file"])
        self.preload(self.baseline(wanted))
        self.warm_baseline()
        self.journal.record("baseline", passing=sorted(self.seconds), overhead_ms=int(self.overhead * 1000))
        for mutant in self.request["mutants"]:
            if time.monotonic() >= self.deadline:
                return
            self.try_mutant(mutant)
            self.journal.make_room()

    def baseline(self, wanted):
        """Run everything unmutated; only tests that pass there are asked about mutants. Writes byte code on the way."""
        wanted, modules, best = set(wanted), [], set()
        for _ in range(RESCUES):
            run = Run()
            limit = min(self.deadline, time.monotonic() + BASELINE_MOST)
            end = qv_supervision.run(self.work(wanted, writes=True), run.take, lambda limit=limit: limit)
            if run.running is not None:
                wanted.discard(run.running.partition("[")[0])
                continue
            passing = {t for t in run.passed if t.partition("[")[0] not in {f.partition("[")[0] for f in run.failed}}
            names = {test.partition("[")[0] for test in passing}
            if not self.autoload and self.own and not (wanted & self.names_in(self.own)) <= names:
                self.autoload, best = True, passing
                continue
            if len(passing) >= len(best):
                self.seconds = {}
                for test in passing:
                    name = test.partition("[")[0]
                    self.seconds[name] = self.seconds.get(name, 0.0) + run.passed[test]
            modules = run.modules if end.finished else []
            break
        for mutant in self.request["mutants"]:
            self.drop_bytecode(mutant["file"])
        return modules

    def warm_baseline(self):
        """Once more as the mutants will be run: what fails now is not stable, and the time is theirs."""
        run, began = Run(), time.monotonic()
        limit = min(self.deadline, began + BASELINE_MOST)
        qv_supervision.run(self.work(set(self.seconds)), run.take, lambda: limit)
        took = time.monotonic() - began
        unstable = {test.partition("[")[0] for test in run.failed} | {(run.running or "").partition("[")[0]}
        ran = {test.partition("[")[0] for test in run.passed}
        self.seconds = {test: spent for test, spent in self.seconds.items() if test in ran - unstable}
        self.overhead = max(0.05, took - sum(run.passed.values()))

    def names_in(self, files):
        return {t for mutant in self.request["mutants"] for t in mutant["tests"] if t.partition("::")[0] in files}

    def preload(self, modules):
        """Load here, once, what every fork would load for itself."""
        standard = getattr(sys, "stdlib_module_names", frozenset())
        for name in modules:
            top = name.partition(".")[0]
            if (top in standard and not name.startswith(("test", "idlelib", "antigravity", "this"))) or top in SHARED:
                try:
                    importlib.import_module(name)
                except Exception:
                    continue
        gc.collect()
        gc.freeze()

    def try_mutant(self, mutant):
        tests = [test for test in mutant["tests"] if test in self.seconds]
        if not tests:
            return self.answer(mutant, "survived" if mutant["tests"] else "not_run", [])
        path = os.path.join(self.root, *mutant["file"].split("/"))
        with open(path, "rb") as file:
            original = file.read()
        start, end = mutant["start"], mutant["end"]
        if original[start:end] != mutant["original"].encode("utf-8"):
            return self.answer(mutant, "invalid", [])
        try:
            rewrite(path, original[:start] + mutant["replacement"].encode("utf-8") + original[end:])
            return self.judge(mutant, tests)
        finally:
            rewrite(path, original)
            self.drop_bytecode(mutant["file"])

    def judge(self, mutant, tests):
        run = Run()
        patience = GRACE_S + PATIENCE * (self.overhead + sum(self.seconds[test] for test in tests))
        limit = min(self.deadline, time.monotonic() + patience)
        end = qv_supervision.run(self.work(set(tests)), run.take, lambda: limit)
        if end.expired and limit == self.deadline:
            return None
        ran = {test.partition("[")[0] for test in (*run.passed, *run.failed)}
        killers = {test.partition("[")[0] for test in run.failed}
        if run.running is not None:
            killers.add(run.running.partition("[")[0])
            return self.answer(mutant, "timed_out" if end.expired else "killed", killers)
        if not ran:
            return self.answer(mutant, "timed_out" if end.expired else "invalid", [])
        # Files that could not be collected any more: the mutant broke their import, which their tests notice.
        killers.update(test for test in tests if test not in ran)
        return self.answer(mutant, "killed" if killers else "survived", killers)

    def answer(self, mutant, status, killers):
        self.journal.record("mutant", mutant=mutant["id"], status=status, killed_by=sorted(killers))

    def work(self, wanted, writes=False):
        """What a worker does: run the wanted tests, own ones under the project's settings, generated ones without."""

        def work(send):
            sys.dont_write_bytecode = not writes
            sys.path[:] = [*self.path, *[p for p in sys.path if p not in self.path], *self.libraries]
            sys.argv[:] = ["pytest"]
            files = sorted({test.partition("::")[0] for test in wanted})
            for own in (True, False):
                paths = [path for path in files if (path in self.own) is own and os.path.isfile(path)]
                if paths:
                    self.pytest(paths, own, Verdicts(send, wanted))
            if writes:
                send("modules", names=sorted(name for name, module in sys.modules.items() if module is not None))

        return work

    def pytest(self, paths, own, verdicts):
        settings = BARE if own else [*BARE, *NEUTRAL]
        plugins = [verdicts]
        if own and self.autoload:
            os.environ.pop("PYTEST_DISABLE_PLUGIN_AUTOLOAD", None)
        else:
            os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
            if self.asyncio and importlib.util.find_spec("pytest_asyncio") is not None:
                plugins.append(importlib.import_module("pytest_asyncio.plugin"))
                settings = [*settings, "-o", "asyncio_default_fixture_loop_scope=function"]
                settings = settings if own else [*settings, "-o", "asyncio_mode=auto"]
        pytest.main([*QUIET, *WITHOUT, *settings, "--rootdir=" + self.root, *paths], plugins=plugins)

    def is_async(self, path):
        try:
            with open(path, "rb") as file:
                return b"async " in file.read()
        except OSError:
            return False

    def drop_bytecode(self, file):
        """No cached byte code of a file that is mutated may stand in for its source."""
        folder, _, name = os.path.join(self.root, *file.split("/")).rpartition(os.sep)
        pattern = os.path.join(glob.escape(folder), "__pycache__", glob.escape(name[:-3]) + ".*.pyc")
        for path in glob.glob(pattern):
            os.unlink(path)


def rewrite(path, content):
    """Replace a file's content, also where it is write-protected, and never through a link."""
    beside = path + ".qverify"
    with open(beside, "wb") as file:
        file.write(content)
    os.replace(beside, path)


if __name__ == "__main__":
    main()
