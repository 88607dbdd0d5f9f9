"""Mutants of JavaScript and TypeScript: what is changed, that it parses, and that the same call gives the same."""

from __future__ import annotations

from pathlib import Path

from qverify_desktop.languages.javascript.dialects import parse_source
from qverify_desktop.languages.mutants import mutated
from tests.languages.javascript.reading import read

SOURCE = """\
type Row = { a: "x" | "y" };
export function f(n: number, rows: Row[] = []): number | null {
  if (!rows.length && n >= 10) {
    throw new RangeError("too many");
  }
  for (let i = 0; i < n; i++) {
    n += i === 2 ? 1 : -1;
  }
  rows.push({ a: "x" });
  return n ?? 0;
}
"""


def test_operators_and_where_they_apply(tmp_path: Path) -> None:
    language, snapshot, project, (target,) = read(tmp_path, {"a.ts": "\ufeff" + SOURCE}, "typescript")
    found = language.mutants(snapshot, project, target, frozenset(range(1, 20)), 100)
    changes = {(one.line, one.original, one.replacement) for one in found}
    for expected in (
        (3, "!rows.length", "rows.length"),
        (3, "&&", "||"),
        (3, ">=", ">"),
        (4, 'throw new RangeError("too many");', ";"),
        (6, "<", "<="),
        (6, "++", "--"),
        (7, "===", "!=="),
        (7, "+=", "-="),
        (9, 'rows.push({ a: "x" });', ";"),
        (10, "n ?? 0", "null"),
        (10, "n ?? 0", "n"),
    ):
        assert expected in changes, expected
    assert not any(line < 3 for line, _, _ in changes), "types and parameters stay as they are"
    content = (tmp_path / "a.ts").read_bytes()
    for one in found:
        assert content[one.start : one.end].decode() == one.original
        changed = parse_source(mutated(content, one).decode(), "a.ts")
        assert changed is not None and not changed.root.has_error
    assert language.mutants(snapshot, project, target, frozenset(range(1, 20)), 100) == found
    assert len(language.mutants(snapshot, project, target, frozenset({3}), 2)) == 2
    assert language.mutants(snapshot, project, target, frozenset(), 10) == []
