"""Observed programs and outcomes as characterization tests."""

from __future__ import annotations

from collections.abc import Sequence

from qverify_desktop.domain.project import Project, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.python.literals import canonical
from qverify_desktop.languages.python.observed_programs import Fact, Observation
from qverify_desktop.languages.python.placing import test_path
from qverify_desktop.languages.python.promise_tests import identifier
from qverify_desktop.languages.python.triviality import static_problem

_MOST_ASSERTIONS = 10
_MOST_STATE = 4
_VALUE_KINDS = frozenset(("value", "nan", "is", "str", "len", "list", "first", "count"))


class Writer:
    """Writes observations as tests, each with a name that is unique in its file."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._counts: dict[tuple[str, str], int] = {}
        self._homes: dict[tuple[str, str], str] = {}
        self._bodies: set[tuple[str, str]] = set()

    def test(self, target: Target, observation: Observation) -> GeneratedTest | None:
        """The test, ``None`` where nothing could be asserted that depends on the code."""
        path = test_path(self._project, target, "observed")
        body = _body(observation)
        if body is None:
            return None
        lines, expected, arguments, tools = body
        text = "\n".join(lines)
        if (target.id, text) in self._bodies:
            return None
        prelude, inside = self._imports(path, observation, text)
        stem = f"test_{identifier(target.symbol)}_observed"
        number = self._counts.get((path, stem), 0) + 1
        test = GeneratedTest(
            path=path,
            name=f"{stem}_{number}",
            code="\n".join([f"def {stem}_{number}({arguments}):", *(f"    {line}" for line in [*inside, *lines])]),
            target=target.id,
            label=Label.CHARACTERIZATION,
            origin=Origin.OBSERVATION,
            prelude=(*tools, *observation.lines, *prelude),
            call=observation.last if "\n" not in observation.last else "",
            expected=expected,
        )
        if static_problem(test) is not None:
            return None
        self._counts[path, stem] = number
        self._bodies.add((target.id, text))
        return test

    def _imports(self, path: str, observation: Observation, body: str) -> tuple[list[str], list[str]]:
        """Imports above the tests; inside the test where two modules offer the same name, or pytest would collect it."""
        above: list[str] = []
        inside: list[str] = []
        for module, name in observation.uses:
            if name not in body:
                continue
            home = self._homes.setdefault((path, name), module)
            line = f"from {module} import {name}"
            (above if home == module and not name.lower().startswith("test") else inside).append(line)
        return above, inside


def _body(observation: Observation) -> tuple[list[str], str, str, list[str]] | None:
    """Lines, expected value, parameters of the test, and imports of tools."""
    lines = [part for statement in observation.statements for part in statement.split("\n")]
    if observation.raised is not None:
        inner = [f"list({observation.last})"] if observation.lazy else observation.last.split("\n")
        check = f"with pytest.raises({observation.raised[1]}):"
        return [*lines, check, *(f"    {line}" for line in inner)], observation.raised[1], "", ["import pytest"]
    tools: list[str] = []
    assertions, expected = _assertions("observed", observation.facts, _MOST_ASSERTIONS, tools)
    if observation.last.startswith("with "):
        lines.extend(observation.last.split("\n"))
        assertions = []
    else:
        lines.append(f"observed = {observation.last}")
    if "subject = " in "\n".join(lines):
        known, _ = _assertions("subject", tuple(f for f in observation.state if f[0]), _MOST_STATE, tools)
        assertions += known
    assertions += [f"assert {name} == {source}" for name, source in observation.changed]
    arguments = ""
    if observation.printed:
        arguments = "capsys"
        assertions.append(f"assert capsys.readouterr().out == {canonical(observation.printed)}")
    if not assertions:
        return None
    return [*lines, *assertions], expected, arguments, tools


def _assertions(name: str, facts: Sequence[Fact], most: int, tools: list[str]) -> tuple[list[str], str]:
    """Assertions for facts; a type is worth one only where nothing more is known of the value."""
    told = {accessor for accessor, kind, _ in facts if kind in _VALUE_KINDS}
    lines: list[str] = []
    expected = ""
    for accessor, kind, source in facts:
        subject = f"{name}{accessor}"
        if kind == "value":
            expected = source if not accessor else expected
            plain = source in ("True", "False", "None")
            lines.append(f"assert {subject} {'is' if plain else '=='} {source}")
        elif kind == "nan":
            lines.append(f"assert {subject} != {subject}")
        elif kind == "is":
            lines.append(f"assert {subject} is {source}")
        elif (
            kind == "type"
            and source
            and (accessor not in told or (not accessor and "." not in source and source[:1].isupper()))
        ):
            lines.append(f"assert isinstance({subject}, {source})")
        elif kind == "len":
            lines.append(f"assert len({subject}) == {source}")
        elif kind == "str":
            lines.append(f"assert str({subject}) == {source}")
        elif kind == "list":
            lines.append(f"assert list({subject}) == {source}")
        elif kind == "first":
            tools.append("import itertools")
            lines.append(f"assert list(itertools.islice({subject}, 40)) == {source}")
        elif kind == "count":
            lines.append(f"assert len(list({subject})) == {source}")
    return lines[:most], expected
