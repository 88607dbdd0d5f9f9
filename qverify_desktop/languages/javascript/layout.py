"""Where things lie in a repository of JavaScript or TypeScript: tests, steering files, generated and minified code."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from qverify_desktop.languages.layout import is_aside, is_foreign, says_generated

_TEST_FOLDERS = frozenset(
    ("__tests__", "test", "tests", "spec", "specs", "__mocks__", "__fixtures__", "fixtures", "e2e")
)
_TEST_NAME = re.compile(r"(?:.*[._-])?(?:test|tests|spec|specs|cy|e2e)\.[cm]?[jt]sx?")
#: Files that steer tools and are never imported by the product.
_STEERING = re.compile(
    r"(?:.*\.)?(?:config|conf|setup|stories|bench)\.[cm]?[jt]sx?|\..*rc\.[cm]?js|\..*\.[cm]?js"
    r"|(?:gulpfile|gruntfile|jakefile|webpack|rollup|karma|babel)(?:\..*)?\.[cm]?[jt]s",
    re.IGNORECASE,
)
_MINIFIED_NAME = re.compile(
    r".*[.-](?:min|bundle|umd|iife|pack|prod)\.[cm]?js|.*\.gen\.[cm]?[jt]sx?|.*_pb\.[cm]?[jt]s"
)
_TOOL_FOLDERS = frozenset(("coverage", "public", "static", "assets", "scripts", "bower_components", ".storybook"))
#: Characters of a line that no person writes.
_LONG_LINE = 1500


def is_test(path: str) -> bool:
    """A test, or what tests are made of."""
    pure = PurePosixPath(path)
    return bool(_TEST_NAME.fullmatch(pure.name)) or any(part in _TEST_FOLDERS for part in pure.parts[:-1])


def is_collectable(path: str) -> bool:
    """Whether a test runner would look for tests in this file: named like one, or in ``__tests__``, ``test`` or ``tests``."""
    pure = PurePosixPath(path)
    if any(part in ("__mocks__", "__fixtures__", "fixtures", "e2e") for part in pure.parts[:-1]):
        return False
    return (
        bool(_TEST_NAME.fullmatch(pure.name)) or "__tests__" in pure.parts[:-1] or pure.parts[0] in ("test", "tests")
    )


def is_product(path: str) -> bool:
    """Whether a file may be product code, by its name and folders alone."""
    pure = PurePosixPath(path)
    if is_foreign(path) or is_aside(path) or _TOOL_FOLDERS & set(pure.parts[:-1]):
        return False
    return not _STEERING.fullmatch(pure.name) and not _MINIFIED_NAME.fullmatch(pure.name)


def is_written(text: str) -> bool:
    """Whether a person wrote the file: it does not say that a program did, and most of it stands in lines of a person's length."""
    long = sum(len(line) for line in text.splitlines() if len(line) > _LONG_LINE)
    return not says_generated(text) and long * 2 <= len(text)
