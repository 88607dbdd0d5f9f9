"""A test function for each promise."""

from __future__ import annotations

from collections.abc import Sequence

from qverify_desktop.domain.project import Project, Promise, PromiseRelation, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin, Quote
from qverify_desktop.languages.go.comparing import differs
from qverify_desktop.languages.go.placing import test_path, test_stem
from qverify_desktop.languages.go.segments import package_of
from qverify_desktop.languages.go.speaking import GoSpeaker, promised_results, string_text
from qverify_desktop.languages.go.types import results, split_list
from qverify_desktop.languages.go.writing import prelude_of
from qverify_desktop.languages.values.notation import whole_value
from qverify_desktop.languages.values.value import Items, Made, Value

_ORDINALS = ("observed", "second", "third", "fourth", "fifth", "sixth")


def write_promise_tests(
    project: Project, targets: Sequence[Target], promises: Sequence[Promise]
) -> list[GeneratedTest]:
    """One test a promise, label ``specification``, the promise's words as its quote."""
    by_id = {target.id: target for target in targets}
    counts: dict[str, int] = {}
    tests: list[GeneratedTest] = []
    for promise in promises:
        target = by_id.get(promise.target)
        if target is None:
            continue
        printing = promise.relation is PromiseRelation.PRINTS
        stem = f"{test_stem(target)}_{'prints' if printing else 'promise'}"
        counts[stem] = counts.get(stem, 0) + 1
        name = f"{stem}{counts[stem]}"
        body = _printing(promise) if printing else compared(target, promise.call, promise.expected)
        if body is None:
            continue
        code = "\n".join([f"func {name}(t *testing.T) {{", *(f"\t{line}" for line in body), "}"])
        tests.append(
            GeneratedTest(
                path=test_path(target, "examples" if printing else "promises"),
                name=name,
                code=code,
                target=target.id,
                label=Label.SPECIFICATION,
                origin=Origin.PROMISE,
                prelude=prelude_of(promise.setup[0] if promise.setup else package_of(target), code),
                call=promise.call,
                expected=promise.expected,
                quote=Quote(promise.words, promise.file, promise.line),
            )
        )
    return tests


def compared(
    target: Target, call: str, expected: str, *, observed: Sequence[Value] | None = None
) -> list[str] | None:
    """The lines of a test that compares a call's results with what is expected.

    ``expected`` is source as ``GoSpeaker.answer`` writes it, or with ``observed``, the values themselves, words for people. What was
    observed is compared exactly.
    """
    kinds = promised_results(target.returns)
    declared = results(target.returns)
    if not kinds or len(kinds) > len(_ORDINALS):
        return None
    if observed is not None:
        values: Sequence[Value] = observed
        speaker = GoSpeaker(by_nature=True)
        pairs = zip(observed, kinds, strict=False)
        texts: Sequence[str] = [speaker.value(target.module, one, kind) or "" for one, kind in pairs]
    elif len(kinds) == 1:
        value = _read(expected)
        values, texts = ([value] if value is not None else []), [expected]
    else:
        value = _read(expected)
        values, texts = (value.items if isinstance(value, Items) else ()), split_list(expected[1:-1])
    if not len(kinds) == len(values) == len(texts):
        return None
    names = list(_ORDINALS[: len(kinds)])
    conditions = []
    for name, one, kind, text in zip(names, values, kinds, texts, strict=True):
        condition = differs(name, one, kind, text, exact=observed is not None)
        if condition is None:
            return None
        conditions.append(condition)
    fails = len(declared) > len(kinds)
    lines = [f"{', '.join([*names, *(['err'] if fails else [])])} := {call}"]
    shown = escaped(call)
    if fails:
        text = f"{shown} fails: %v"
        lines += ["if err != nil {", f"\tt.Fatalf({string_text(text)}, err)", "}"]
    marks = "%#v" if len(names) == 1 else f"({', '.join(['%#v'] * len(names))})"
    text = f"{shown} = {marks}, want {escaped(expected)}"
    return [
        *lines,
        f"if {' || '.join(conditions)} {{",
        f"\tt.Errorf({string_text(text)}, {', '.join(names)})",
        "}",
    ]


def escaped(text: str) -> str:
    """Text as a part of a format of ``fmt``."""
    return text.replace("%", "%%")


def _read(expected: str) -> Value | None:
    """The value that source written by a ``GoSpeaker`` says."""
    value = whole_value(expected)
    return None if isinstance(value, Made) else value


def _printing(promise: Promise) -> list[str]:
    """An example function of the repository is run, and what it prints compared with its output comment."""
    return [
        "reader, writer, err := os.Pipe()",
        "if err != nil {",
        "\tt.Fatal(err)",
        "}",
        "stdout := os.Stdout",
        "os.Stdout = writer",
        "printed := make(chan string)",
        "go func() {",
        "\ttext, _ := io.ReadAll(reader)",
        "\tprinted <- strings.TrimSpace(string(text))",
        "}()",
        "func() {",
        "\tdefer func() {",
        "\t\tos.Stdout = stdout",
        "\t\twriter.Close()",
        "\t}()",
        f"\t{promise.call}",
        "}()",
        "observed := <-printed",
        f"if observed != {promise.expected} {{",
        f'\tt.Errorf("{promise.call} prints %q, want %q", observed, {promise.expected})',
        "}",
    ]
