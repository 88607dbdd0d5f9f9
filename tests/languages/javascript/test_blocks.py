"""Blocks of code in documents: of which function an example speaks, and what it rests on."""

from __future__ import annotations

from pathlib import Path

from tests.languages.javascript.reading import promised, read

BRACES = """const expand = require("./lib/expand");
const braces = (input) => [input];
braces.expand = (input) => expand({ input });
module.exports = braces;
"""
EXPAND = "module.exports = function expand(ast) { ast.queue = []; return ast; };\n"


def test_what_hangs_on_a_function_is_a_target_of_its_own(tmp_path: Path) -> None:
    *_, targets = read(tmp_path, {"braces.js": BRACES, "lib/expand.js": EXPAND})
    assert [one.symbol for one in targets if one.public] == ["braces", "braces.expand", "expand"]


def test_a_member_is_not_the_function_of_that_name_in_another_file(tmp_path: Path) -> None:
    readme = "```js\nbraces.expand('{1..3}'); // => ['1', '2', '3']\n```\n"
    promises, tests = promised(tmp_path, {"braces.js": BRACES, "lib/expand.js": EXPAND, "README.md": readme})
    assert [(one.target, one.call) for one in promises] == [
        ("braces.js::braces.expand", 'braces.expand("{1..3}")'),
    ]
    assert 'const braces = require("../../braces.js");' in "\n".join(tests[0].prelude)
    without = BRACES.replace(
        "braces.expand = (input) => expand({ input });\n", "Object.assign(braces, { expand });\n"
    )
    files = {"braces.js": without, "lib/expand.js": EXPAND, "README.md": readme}
    assert promised(tmp_path / "other", files)[0] == []


def test_the_same_call_answered_in_two_ways_promises_nothing(tmp_path: Path) -> None:
    source = "module.exports = { random: () => Math.random() };\n"
    readme = "```js\nrandom(); // => 0.354\nrandom(); // => 0.876\n```\n"
    assert promised(tmp_path, {"a.js": source, "README.md": readme})[0] == []


def test_an_example_on_what_the_block_made_stays_before_what_follows(tmp_path: Path) -> None:
    source = "class Bag {\n  add(x) { return this; }\n  has(x) { return true; }\n}\nmodule.exports = { Bag };\n"
    readme = "```js\nconst bag = new Bag();\nbag.has(1); // => false\nbag.has(2); // => true\n```\n"
    promises, _ = promised(tmp_path, {"a.js": source, "README.md": readme})
    assert [one.setup for one in promises] == [
        ("const bag = new Bag();",),
        ("const bag = new Bag();", "bag.has(1);"),
    ]


def test_a_method_of_what_an_example_made_is_not_a_function_of_that_name(tmp_path: Path) -> None:
    source = "exports.wrap = (min, max, value) => value;\nexports.curry = (min, max) => ({});\n"
    readme = "```js\nconst nr = require('nr');\nnr.wrap(0, 9, 1) === 1;\n\nvar angle = require('nr').curry(-180, 180);\nangle.wrap(0) === 0;\nangle.wrap(270)\n//=> -90\n```\n"
    promises, _ = promised(tmp_path, {"nr.js": source, "README.md": readme})
    assert [one.call for one in promises] == ["wrap(0, 9, 1)"]


def test_an_example_that_raises_is_no_setup(tmp_path: Path) -> None:
    source = "module.exports = { f: (a) => a };\n"
    readme = "```js\nconst n = [1];\nf(n, 1); // throws TypeError\nf(n); // => [1]\n```\n"
    promises, _ = promised(tmp_path, {"a.js": source, "README.md": readme})
    assert [one.setup for one in promises] == [("const n = [1];",), ("const n = [1];",)]


def test_what_follows_code_that_can_not_be_read_promises_nothing(tmp_path: Path) -> None:
    source = "let kept;\nexports.setMasks = (masks) => {\n  kept = masks;\n  return kept;\n};\nexports.format = (a, b) => b;\n"
    readme = "```js\nformat(1, 'a'); // => 'a'\nsetMasks({\n  mine: 'HH';\n});\nformat(1, 'mine'); // => 'HH'\n```\n"
    promises, _ = promised(tmp_path, {"a.js": source, "README.md": readme})
    assert [one.call for one in promises] == ['format(1, "a")']


def test_a_date_of_the_authors_own_time_zone_promises_nothing(tmp_path: Path) -> None:
    source = "exports.parse = (text) => new Date(text);\n"
    readme = (
        "```js\nparse('2015-11-20T03:02:01-05:00'); // => new Date(2015, 10, 20, 3, 2, 1)\n"
        "parse('2015-11-20 03:02'); // => new Date(2015, 10, 20, 3, 2)\n```\n"
    )
    promises, _ = promised(tmp_path, {"a.js": source, "README.md": readme})
    assert [one.call for one in promises] == ["parse('2015-11-20 03:02')"]


def test_after_a_call_that_may_have_changed_something_nothing_is_promised_without_it(tmp_path: Path) -> None:
    source = "let kept;\nexports.setMasks = (masks) => {\n  kept = masks;\n  return kept;\n};\nexports.format = (a, b) => b;\n"
    readme = "```js\nsetMasks({ mine: 'HH' });\nformat(1, 'mine'); // => 'HH'\n```\n"
    promises, _ = promised(tmp_path, {"a.js": source, "README.md": readme})
    assert promises == []
    # A call with an answer of its own is an example and not a preparation.
    readme = "```js\nsetMasks(1); // => undefined\nformat(1, 'mine'); // => 'mine'\n```\n"
    promises, _ = promised(tmp_path, {"a.js": source, "README.md": readme})
    assert len(promises) == 2
