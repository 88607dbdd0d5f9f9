"""Which runtime each project folder of a repository gets, by the names of its files and what its manifests say.

A project folder is one with a manifest. A file belongs to the nearest one above it. The runtime ``universal`` is chosen only
where one test command calls the tools of more than one runtime: a repository that merely holds several languages is several
projects. Nothing runs; what the files say is hostile and is only ever compared with known words.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qverify_desktop.languages.ecosystems import ASIDE, MAX_DEPTH, Read, plain_path

UNIVERSAL = "universal"
MAX_FOLDERS = 200
MAX_COMMAND = 20_000

#: Language by a file's ending.
ENDINGS: Mapping[str, str] = {
    ".py": "python",
    ".js": "javascript",
    ".jsx": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".ts": "typescript",
    ".tsx": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".go": "go",
    ".java": "java",
    ".kt": "kotlin",
    ".rs": "rust",
}
RUNTIME_OF: Mapping[str, str] = {
    "python": "python",
    "javascript": "node",
    "typescript": "node",
    "go": "go",
    "java": "java",
    "kotlin": "java",
    "rust": "rust",
}
#: Runtimes that the image of ``UNIVERSAL`` is made of.
IN_UNIVERSAL = frozenset({"python", "node", "go"})
_MANIFESTS: Mapping[str, str] = {
    "pyproject.toml": "python",
    "setup.py": "python",
    "setup.cfg": "python",
    "requirements.txt": "python",
    "Pipfile": "python",
    "tox.ini": "python",
    "package.json": "node",
    "go.mod": "go",
    "pom.xml": "java",
    "build.gradle": "java",
    "build.gradle.kts": "java",
    "Cargo.toml": "rust",
}
_BUILD_FILES = ("package.json", "Makefile", "makefile", "GNUmakefile", "justfile", "tox.ini", "pyproject.toml")
#: Programs that a test command calls, by the runtime that has them.
_PROGRAMS: Mapping[str, str] = {
    "python": "python python3 pytest tox nox coverage poetry uv pdm hatch",
    "node": "node npm npx yarn pnpm jest vitest mocha tsc ts-node ava tap c8 nyc",
    "go": "go gotestsum",
    "java": "mvn mvnw gradle gradlew java javac kotlinc",
    "rust": "cargo rustc",
}
_TOOLS = {program: runtime for runtime, programs in _PROGRAMS.items() for program in programs.split()}
_VARIABLE = re.compile(r"\$[({](\w{1,100})[)}]")
_LEGACY_TOX = re.compile(r"^legacy_tox_ini\s{0,9}=\s{0,9}(\"\"\"|''')(.{0,100000}?)\1", re.MULTILINE | re.DOTALL)
_WORDS = re.compile(r"[\w./@+-]{1,200}")
#: Where a new command begins on a shell line; what stands before it are words such as ``FOO=1``, ``exec`` or ``@``.
_SEPARATORS = re.compile(r"&&|\|\||[;|&()\n]")
_BEFORE = frozenset({"exec", "env", "time", "sudo", "command", "nice", "cross-env"})


@dataclass(frozen=True)
class FolderRuntime:
    """What a project folder is: its languages with their numbers of files, most first, and its runtime.

    ``folder`` is ``""`` for the root. ``because`` says in a sentence why the runtime is ``universal``, or why none has
    all the tools that its test command calls; it is empty where there is nothing to say.
    """

    folder: str
    languages: tuple[tuple[str, int], ...]
    runtime: str
    because: str = ""


def language_of(path: str) -> str:
    """Language of a file by its name; empty for a file of none."""
    _, dot, ending = path.rpartition("/")[2].rpartition(".")
    return ENDINGS.get(f".{ending}", "") if dot else ""


def choose_runtime(files: Sequence[str], read: Read) -> list[FolderRuntime]:
    """A runtime for each project folder that holds source, root first; at most ``MAX_FOLDERS``. Never raises.

    Files that have no manifest above them are the root's.
    """
    own = list(_own(files))
    manifests: dict[str, set[str]] = {}
    for path in own:
        folder, _, name = path.rpartition("/")
        if name in _MANIFESTS and folder.count("/") < MAX_DEPTH:
            manifests.setdefault(folder, set()).add(name)
    counted: dict[str, Counter[str]] = {}
    for path in own:
        language = language_of(path)
        # A build script of Python or Gradle is no project of its language.
        if language and path.rpartition("/")[2] not in _MANIFESTS:
            counted.setdefault(_nearest(path, manifests), Counter())[language] += 1
    present = set(own)
    found = []
    for folder in sorted(counted, key=lambda one: (one.count("/") + bool(one), one))[:MAX_FOLDERS]:
        languages = sorted(counted[folder].items(), key=lambda item: (-item[1], item[0]))
        called = _called(folder, present, read)
        found.append(FolderRuntime(folder, tuple(languages), *_runtime(languages, manifests.get(folder, ()), called)))
    return found


def _runtime(
    languages: Sequence[tuple[str, int]], manifests: Iterable[str], called: frozenset[str]
) -> tuple[str, str]:
    by_files: Counter[str] = Counter()
    for language, count in languages:
        by_files[RUNTIME_OF[language]] += count
    if len(called) > 1:
        listed = ", ".join(sorted(called))
        if called <= IN_UNIVERSAL:
            return UNIVERSAL, f"One test command calls tools of several runtimes: {listed}."
        return _most(
            by_files
        ), f"One test command calls tools of several runtimes ({listed}); no image has all of them."
    # A tool that nothing here is written in (a Makefile calling pytest for a Go project) says less than the source does.
    if called and (runtime := next(iter(called))) in by_files:
        return runtime, ""
    declared = {_MANIFESTS[name] for name in manifests} & set(by_files)
    if declared:
        return _most(Counter({runtime: by_files[runtime] for runtime in declared})), ""
    return _most(by_files), ""


def _most(counts: Counter[str]) -> str:
    return min(counts, key=lambda runtime: (-counts[runtime], runtime))


def _own(files: Iterable[str]) -> Iterator[str]:
    return (path for path in files if plain_path(path) and not ASIDE & set(path.split("/")[:-1]))


def _nearest(path: str, manifests: Mapping[str, Any]) -> str:
    folder = path.rpartition("/")[0]
    while folder and folder not in manifests:
        folder = folder.rpartition("/")[0]
    return folder


def _called(folder: str, present: set[str], read: Read) -> frozenset[str]:
    """Runtimes whose tools the folder's own test command calls; of several commands the one that calls most of them."""
    most: frozenset[str] = frozenset()
    for name in _BUILD_FILES:
        path = f"{folder}/{name}" if folder else name
        if path not in present:
            continue
        content = read(path)
        if content is None:
            continue
        text = content.decode("utf-8", "replace")
        for command in _test_commands(name, text):
            tools = frozenset(_tools(command[:MAX_COMMAND]))
            most = max(most, tools, key=len)
    return most


def _test_commands(name: str, text: str) -> Iterator[str]:
    if name == "package.json":
        yield _npm_script(text)
    elif name in ("tox.ini", "pyproject.toml"):
        yield _tox_commands(name, text)
    else:
        yield _make_target(text)


def _npm_script(text: str) -> str:
    """The script ``test`` with the scripts that it runs in turn (npm documentation, "scripts": pre and post included)."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    scripts = document.get("scripts") if isinstance(document, dict) else None
    if not isinstance(scripts, dict):
        return ""
    wanted = ["pretest", "test", "posttest"]
    commands: list[str] = []
    done: set[str] = set()
    while wanted and len(done) < 50:
        script = wanted.pop(0)
        command = scripts.get(script)
        if script in done or not isinstance(command, str):
            continue
        done.add(script)
        commands.append(command[:MAX_COMMAND])
        words = _WORDS.findall(command[:MAX_COMMAND])
        wanted += [word for word in words if word in scripts]
    return "\n".join(commands)


def _make_target(text: str) -> str:
    """The recipe of the target ``test`` or ``check``, with those of the targets that it names."""
    recipes: dict[str, list[str]] = {}
    needs: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text[: 20 * MAX_COMMAND].splitlines():
        if line.startswith(("\t", "    ")):
            for target in current:
                recipes.setdefault(target, []).append(line.strip())
        elif (head := re.match(r"([\w .-]{1,200}):(?!=)\s*([\w .-]{0,500})", line)) is not None:
            current = head[1].split()
            for target in current:
                needs.setdefault(target, []).extend(head[2].split())
        elif line.strip():
            current = []
    targets: tuple[str, ...] = ("test", "tests", "check")
    wanted = [target for target in targets if target in needs][:1]
    done: set[str] = set()
    commands: list[str] = []
    while wanted and len(done) < 50:
        target = wanted.pop(0)
        if target not in done and target in needs:
            done.add(target)
            commands += recipes.get(target, [])
            called = re.findall(r"\$\((?:MAKE)\)\s+([\w.-]{1,100})", "\n".join(recipes.get(target, [])))
            wanted += [*needs[target], *called]
    return "\n".join(line.lstrip("@-+ ") for line in commands)


def _tox_commands(name: str, text: str) -> str:
    if name == "pyproject.toml":
        # Reading TOML takes seconds where it is made to; only this one text of it counts.
        legacy = _LEGACY_TOX.search(text)
        text = legacy[2] if legacy else ""
    commands, inside, environment = [], False, ""
    for line in text[: 20 * MAX_COMMAND].splitlines():
        if line.startswith("["):
            environment, inside = line.strip().strip("[]"), False
        elif line[:1].strip():
            key, _, value = line.partition("=")
            inside = key.strip() == "commands" and environment == "testenv"
            commands += [value] if inside else []
        elif inside:
            commands.append(line)
    return "\n".join(commands)


def _tools(command: str) -> Iterator[str]:
    """Runtimes of the programs that a shell text calls: the first word of each simple command, ``$(GO)`` read as ``go``."""
    named = _VARIABLE.sub(lambda match: match[1].lower(), command.replace("\\\n", " "))
    for part in _SEPARATORS.split(named):
        for word in part.split():
            plain = word.strip("'\"@")
            if plain in _BEFORE or not plain or "=" in plain:
                continue
            tool = plain.rpartition("/")[2]
            if tool in _TOOLS:
                yield _TOOLS[tool]
            elif re.fullmatch(r"python3?\.\d+", tool):
                yield "python"
            break
