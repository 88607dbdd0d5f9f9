"""Which files a file depends on, and how a known defect is kept as a test."""

from __future__ import annotations

from pathlib import Path

from qverify_desktop.languages.javascript.styles import runner_of
from tests.languages.javascript.reading import promised, read


def test_files_are_followed_through_what_they_import(tmp_path: Path) -> None:
    files = {
        "package.json": '{"name": "own", "dependencies": {"dep": "1"}}',
        "a.ts": "import { b } from './b.js';\nimport { d } from 'dep';\nimport fs from 'node:fs';\nexport const a = () => b() + 1;\n",
        "b.ts": "export { c as b } from './lib';\n",
        "lib/index.ts": "export const c = () => 1 + 1;\n",
        "e.ts": "import x from '@/alias';\nexport const e = () => x + 1;\n",
        "f.ts": "export const f = async (name: string) => (await import(`./${name}`)).g;\n",
        "alone.ts": "export const alone = () => 2 + 1;\n",
    }
    language, snapshot, project, _ = read(tmp_path, files, "typescript")
    found = language.depends_on(snapshot, project, ["a.ts", "alone.ts", "e.ts", "f.ts"])
    assert found["a.ts"] == {"a.ts", "b.ts", "lib/index.ts"}
    assert found["alone.ts"] == {"alone.ts"}
    assert found["e.ts"] == found["f.ts"] == set(project.source_files)


def test_a_known_defect_as_a_test_that_is_expected_to_fail(tmp_path: Path) -> None:
    source = "/** f(1) => 3 */\nexport const f = (a) => a + 1;\n"
    for name, mark, command in (
        ("jest", "test.failing(", "npx jest"),
        ("vitest", "test.fails(", "npx vitest run"),
        ("node", "await assert.rejects(async () => {", "node --test"),
    ):
        package = "{}" if name == "node" else f'{{"devDependencies": {{"{name}": "1"}}}}'
        _, (test,) = promised(tmp_path / name, {"a.js": source, "package.json": package})
        language = read(tmp_path / name, {"a.js": source})[0]
        marked = language.expected_to_fail(test, "Found by\na run.")
        assert marked is not None and mark in marked.code and "// Found by a run." in marked.code
        assert marked.path.endswith(".promises.expected-to-fail.test.js") and marked.name == test.name
        assert runner_of(test) == command and language.command(test).startswith(command)
