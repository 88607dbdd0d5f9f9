"""Bring the translation catalogues up to date: collect texts from the window's source, keep translations, write .po and .mo.

usage: packaging/translations/update.py [--check]

Texts are the first arguments of ``tr`` and ``later`` and the first two of ``trn`` in ``qverify_desktop/ui``, the titles of
stages, and the words of the table of connections. A catalogue is a GNU gettext .po file; the .mo beside it is what the application reads (GNU gettext manual, section
"The Format of GNU MO Files"). ``--check`` changes nothing and fails when something is missing or out of date.
"""

from __future__ import annotations

import ast
import json
import re
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CATALOGUES = ROOT / "resources/translations"
PLURAL_FORMS = {"de": "nplurals=2; plural=(n != 1);"}
Key = tuple[str, str]


def texts() -> dict[Key, None]:
    """Every text as (singular, plural), plural empty for most; in the order of the source."""
    found: dict[Key, None] = {}
    for file in sorted((ROOT / "qverify_desktop/ui").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = node.func.id if isinstance(node.func, ast.Name) else ""
                words = [
                    one.value for one in node.args[:2] if isinstance(one, ast.Constant) and isinstance(one.value, str)
                ]
                if name in ("tr", "later") and words and isinstance(node.args[0], ast.Constant):
                    found[(words[0], "")] = None
                elif name == "trn" and len(words) == 2:
                    found[(words[0], words[1])] = None
    tree = ast.parse((ROOT / "qverify_desktop/domain/progress.py").read_text("utf-8"))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Assign)
            and getattr(node.targets[0], "id", "") == "STAGE_TITLES"
            and isinstance(node.value, ast.Dict)
        ):
            for value in node.value.values:
                if isinstance(value, ast.Constant):
                    found[(str(value.value), "")] = None
    for node in ast.walk(ast.parse((ROOT / "qverify_desktop/domain/connections.py").read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Connection":
            for word in node.keywords:
                if word.arg in ("title", "who", "where", "when", "sends") and isinstance(word.value, ast.Constant):
                    found[(str(word.value.value), "")] = None
    return dict(sorted(found.items()))


def read(path: Path) -> dict[Key, list[str]]:
    """Translations of a .po file as ``write`` makes it."""
    known: dict[Key, list[str]] = {}
    if not path.exists():
        return known
    for block in path.read_text("utf-8").split("\n\n"):
        fields = {name: json.loads(value) for name, value in re.findall(r'^(msg\S+) (".*")$', block, re.MULTILINE)}
        if fields.get("msgid"):
            many = [fields[name] for name in sorted(fields) if name.startswith("msgstr")]
            known[(fields["msgid"], fields.get("msgid_plural", ""))] = many
    return known


def header(language: str) -> str:
    lines = [
        f"Language: {language}",
        "Content-Type: text/plain; charset=UTF-8",
        f"Plural-Forms: {PLURAL_FORMS[language]}",
    ]
    return "".join(f"{line}\n" for line in lines)


def po(language: str, entries: dict[Key, list[str]]) -> str:
    blocks = [f'msgid ""\nmsgstr {json.dumps(header(language), ensure_ascii=False)}']
    for (one, many), translated in entries.items():
        lines = [f"msgid {json.dumps(one, ensure_ascii=False)}"]
        if many:
            lines.append(f"msgid_plural {json.dumps(many, ensure_ascii=False)}")
            lines += [f"msgstr[{n}] {json.dumps(text, ensure_ascii=False)}" for n, text in enumerate(translated)]
        else:
            lines.append(f"msgstr {json.dumps(translated[0], ensure_ascii=False)}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def mo(language: str, entries: dict[Key, list[str]]) -> bytes:
    """Only texts that are translated: for the others the English stands."""
    pairs = {"": header(language)}
    for (one, many), translated in entries.items():
        if all(translated):
            pairs[f"{one}\0{many}" if many else one] = "\0".join(translated)
    keys = sorted(pairs)
    ids = [key.encode() for key in keys]
    values = [pairs[key].encode() for key in keys]
    start = 28 + 16 * len(keys)
    table, data = [], b""
    for group in (ids, values):
        for text in group:
            table.append((len(text), start + len(data)))
            data += text + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(keys), 28, 28 + 8 * len(keys), 0, start)
    return head + b"".join(struct.pack("<2I", *pair) for pair in table) + data


def main() -> int:
    check = "--check" in sys.argv[1:]
    wanted, wrong = texts(), 0
    for language in PLURAL_FORMS:
        folder = CATALOGUES / language / "LC_MESSAGES"
        file = folder / "qverify.po"
        known = read(file)
        entries = {key: known.get(key, [""] * (2 if key[1] else 1)) for key in wanted}
        missing = [key[0] for key, translated in entries.items() if not all(translated)]
        new, compiled = po(language, entries), mo(language, entries)
        old = file.read_text("utf-8") if file.exists() else ""
        stale = old != new or not (folder / "qverify.mo").exists() or (folder / "qverify.mo").read_bytes() != compiled
        print(
            f"{language}: {len(entries)} texts, {len(missing)} without a translation{', out of date' if stale else ''}"
        )
        for text in missing[:20] if check else ():
            print(f"  missing: {text}")
        wrong += bool(missing or stale)
        if not check:
            folder.mkdir(parents=True, exist_ok=True)
            file.write_text(new, "utf-8")
            (folder / "qverify.mo").write_bytes(compiled)
    return 1 if check and wrong else 0


if __name__ == "__main__":
    sys.exit(main())
