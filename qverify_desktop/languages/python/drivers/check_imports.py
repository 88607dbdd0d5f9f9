"""Say which top-level modules and distributions can't be found. Runs inside the sandbox; asked by ``imports.json``.

Nothing is imported: ``importlib.util.find_spec`` of a top-level name only looks for it. The repository is not on the path.
"""

import sys

HERE = __file__.rpartition("/")[0] or "."
sys.path[:] = [entry for entry in sys.path if entry not in ("", HERE, ".qverify")]

import importlib.metadata  # noqa: E402
import importlib.util  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402


def main():
    with open(os.path.join(HERE, "imports.json"), encoding="utf-8") as file:
        request = json.load(file)
    libraries = os.environ.get("QV_DEPS") or "/deps"
    if os.path.isdir(libraries):
        sys.path.append(libraries)
    missing = [name for name in request["modules"] if not is_importable(name)]
    absent = [name for name in request["distributions"] if not is_installed(name)]
    with open(os.path.join(os.environ["QV_OUT"], "missing.json"), "w", encoding="utf-8") as file:
        json.dump({"modules": {name: request["modules"][name] for name in missing}, "distributions": absent}, file)


def is_importable(name):
    if name in sys.builtin_module_names:
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def is_installed(name):
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


main()
