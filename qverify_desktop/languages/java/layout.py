"""Where things lie in a repository of Java or Kotlin: tests, generated code, source roots. Works on names and packages alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from qverify_desktop.domain.project import Project
from qverify_desktop.languages.layout import ASIDE, BUILT, FOREIGN

_TEST_FOLDERS = frozenset({"test", "tests", "androidTest", "integrationTest", "testFixtures", "functionalTest", "it"})
_TEST_NAME = re.compile(r"(?:.+(?:Tests?|IT|TestCase|Spec)|Test[A-Z]\w*)\.(?:java|kt)")
_GENERATED = re.compile(r"generated(?:-sources|-test-sources)?|gen|build|target")
#: Files that say something of a package or module and hold no code.
_DECLARING = frozenset({"package-info.java", "module-info.java"})
#: Folders with files that belong to the class path.
RESOURCES = ("src/main/resources", "src/test/resources")


def is_source(path: str, endings: tuple[str, ...]) -> bool:
    """A source file of the project's own. A folder named like a tool's is one of packages where it lies below ``src/``."""
    if not path.endswith(endings) or path.rpartition("/")[2] in _DECLARING:
        return False
    folders = path.split("/")[:-1]
    start = next((i for i in range(len(folders) - 1, -1, -1) if folders[i] in ("java", "kotlin", "src")), None)
    outer = folders if start is None else folders[: start + 1]
    if any(part in FOREIGN or part in BUILT or _GENERATED.fullmatch(part) for part in outer):
        return False
    return not any(part in ASIDE for part in outer)


def is_test(path: str, text: str) -> bool:
    """A test, or what tests are made of: by its folder, its name, or a framework that it imports."""
    folders = path.split("/")[:-1]
    if "main" in folders and "src" in folders and not _TEST_FOLDERS & set(folders[: folders.index("main")]):
        return False
    if _TEST_FOLDERS & set(folders) or any(re.fullmatch(r"[a-z]+Tests?", part) for part in folders[:-1]):
        return True
    imports = re.search(r"^import\s+(?:static\s+)?(?:org\.junit|org\.testng|kotlin\.test|io\.kotest)\b", text, re.M)
    return imports is not None or (_TEST_NAME.fullmatch(path.rpartition("/")[2]) is not None and "@Test" in text)


def root_of(path: str, package: str) -> str:
    """The folder that is the root of the file's package; the file's own where the folders do not follow the package."""
    folder = path.rpartition("/")[0]
    below = package.replace(".", "/")
    if not below:
        return folder
    if folder == below:
        return ""
    return folder.removesuffix(f"/{below}") if folder.endswith(f"/{below}") else folder


def test_root(project: Project, path: str, package: str) -> str:
    """Folder of the tests of a source file: ``src/test/LANGUAGE`` beside ``src/main``, otherwise where most tests lie, else beside it."""
    root = root_of(path, package)
    beside = re.fullmatch(r"(.*?)src/main/(\w+)", root)
    if beside:
        return f"{beside[1]}src/test/{beside[2]}"
    below = package.replace(".", "/")
    tests = Counter[str]()
    for test in project.test_files:
        folder = test.rpartition("/")[0]
        parts = folder.split("/")
        if below and (folder == below or folder.endswith(f"/{below}")):
            tests[folder.removesuffix(below).rstrip("/")] += 10
        elif _TEST_FOLDERS & set(parts):
            index = next(i for i, part in enumerate(parts) if part in _TEST_FOLDERS)
            following = parts[index + 1 : index + 2]
            tests["/".join(parts[: index + (2 if following in (["java"], ["kotlin"]) else 1)])] += 1
    return min(tests, key=lambda one: (-tests[one], one)) if tests else root


def roots_beside(roots: Sequence[str]) -> list[str]:
    """Source roots with those where a module keeps the other language of the JVM."""
    found = set(roots)
    for root in roots:
        module = re.fullmatch(r"(.*?)src/main/\w+", root)
        if module:
            found |= {f"{module[1]}src/main/java", f"{module[1]}src/main/kotlin"}
    return sorted(found)


def module_folder(roots: Sequence[str]) -> str:
    """The folder in which a build tool would run the tests: that of the only module, otherwise the repository's."""
    found = {match[1].rstrip("/") for root in roots if (match := re.fullmatch(r"(.*?)src/main/\w+", root))}
    return found.pop() if len(found) == 1 else ""


def resource_folders(roots: Sequence[str]) -> list[str]:
    """Folders of resources beside source roots."""
    found = []
    for root in roots:
        module = re.fullmatch(r"(.*?)src/main/\w+", root)
        if module:
            found += [f"{module[1]}{one}" for one in RESOURCES]
    return sorted(set(found))


def dependencies_of(manifests: Mapping[str, str]) -> list[str]:
    """``group:artifact[:version]`` of what build files (path to text) declare. What they compute is not seen."""
    found: dict[str, None] = {}
    for path, text in sorted(manifests.items()):
        if path.endswith("pom.xml"):
            for block in re.findall(r"<dependency>(.{0,2000}?)</dependency>", text, re.S):
                parts = [
                    match[1] if (match := re.search(rf"<{name}>\s*([\w.$-]{{1,120}})\s*</{name}>", block)) else ""
                    for name in ("groupId", "artifactId", "version")
                ]
                if parts[0] and parts[1]:
                    found.setdefault(":".join(part for part in parts if part and "$" not in part))
        else:
            for match in re.finditer(r"['\"]([\w.-]{1,120}:[\w.-]{1,120}(?::[\w.-]{1,60})?)['\"]", text):
                found.setdefault(match[1])
            for match in re.finditer(r"\bkotlin\(\s*['\"](test[\w-]{0,20})['\"]", text):
                found.setdefault(f"org.jetbrains.kotlin:kotlin-{match[1]}")
    return list(found)
