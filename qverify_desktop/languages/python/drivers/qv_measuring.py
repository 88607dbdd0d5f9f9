"""Line and branch coverage for a whole run and for each test, through coverage.py 7.

Runs inside the sandbox. Uses ``Coverage``, ``CoverageData`` and the ``FileReporter`` interface of coverage's plug-ins.
"""

import collections
import os

try:
    import coverage.tracer

    # The sys.monitoring core of newer interpreters can't tell tests apart.
    os.environ["COVERAGE_CORE"] = "ctrace"
except ImportError:
    pass

import contextlib

import coverage
from coverage.python import PythonFileReporter


class Meter:
    """Measures the files ``sources`` (relative to ``root``)."""

    def __init__(self, root, sources):
        self.root = os.path.realpath(root)
        self.paths = {os.path.join(self.root, *source.split("/")): source for source in sources}
        self.cov = coverage.Coverage(
            data_file=None,
            branch=True,
            config_file=False,
            include=sorted({_pattern(self.root, source) for source in sources}) or [os.path.join(self.root, "*")],
            messages=False,
        )
        self.cov.set_option(
            "run:disable_warnings", ["no-data-collected", "module-not-measured", "module-not-imported"]
        )

    def start(self):
        self.cov.start()

    def switch(self, name):
        """Attribute what runs from now on to the test ``name`` (empty: to none)."""
        with contextlib.suppress(coverage.CoverageException):
            self.cov.switch_context(name)

    def stop(self):
        self.cov.stop()

    def report(self, everything):
        """Yield ``(kind, fields)`` records: coverage of each file, then footprint of each test.

        With ``everything`` also files that were never imported are reported, all of their lines uncovered.
        """
        data = self.cov.get_data()
        measured = {os.path.realpath(path): path for path in data.measured_files()}
        prints = collections.defaultdict(lambda: ({}, {}))
        for path, source in self.paths.items():
            if not everything and path not in measured:
                continue
            try:
                file = _File(path, self.cov)
            except Exception:  # coverage can't parse it: nothing can be said of this file
                continue
            key = measured.get(path)
            data.set_query_contexts(None)
            lines, branches = file.reached(data.arcs(key) or ()) if key else ((), ())
            yield (
                "coverage",
                {
                    "file": source,
                    "lines": sorted(file.lines),
                    "covered": sorted(lines),
                    "branches": sorted(file.branches),
                    "covered_branches": sorted(branches),
                },
            )
            for test in sorted(set().union(*data.contexts_by_lineno(key).values())) if key else ():
                if test:
                    data.set_query_context(test)
                    lines, branches = file.reached(data.arcs(key) or ())
                    if lines:
                        prints[test][0][source] = sorted(lines)
                    if branches:
                        prints[test][1][source] = sorted(branches)
        for test, (lines, branches) in prints.items():
            yield "footprint", {"test": test, "lines": lines, "branches": branches}


class _File:
    """Executable lines and possible branches of one file."""

    def __init__(self, path, cov):
        self.reporter = PythonFileReporter(path, cov)
        self.lines = self.reporter.lines()
        possible = self.reporter.arcs()
        forks = {line for line, exits in self.reporter.exit_counts().items() if exits > 1}
        ignored, excluded = self.reporter.no_branch_lines(), self.reporter.excluded_lines()
        self.branches = {
            (a, b) for a, b in possible if a in forks and a not in ignored and a not in excluded and b not in excluded
        }
        exits = collections.defaultdict(set)
        for a, b in possible:
            exits[a].add(b)
        self.single = {a: next(iter(found)) for a, found in exits.items() if len(found) == 1}

    def reached(self, arcs):
        """Lines and branches that executed ``arcs`` (raw, as measured) reach."""
        lines = {line for arc in arcs for line in arc if line > 0}
        taken = {(a, b) if a != b else (a, self.single.get(a, b)) for a, b in self.reporter.translate_arcs(arcs)}
        return self.reporter.translate_lines(lines) & self.lines, taken & self.branches


def _pattern(root, source):
    """A pattern for the folder two levels down that holds the file, or for the file where it lies higher."""
    parts = source.split("/")
    path = "/".join([root, *parts[:2]])
    literal = "".join("?" if character in "[]{}*?" else character for character in path)
    return literal + "/*" if len(parts) > 2 else literal
