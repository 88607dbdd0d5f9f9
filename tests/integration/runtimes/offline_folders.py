"""Packages that nobody published, each in the folder that its ecosystem installs from with no network, and projects that need
them. Every project's only test passes where the package says ``flood``."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
from pathlib import Path

from qverify_desktop.domain.execution import Job, RuntimeImage
from qverify_desktop.sandbox.docker import DockerSandbox

MODULE, VERSION = "example.invalid/tidewords", "v1.0.0"
CHECKSUM = hashlib.sha256(b"no file, because it came from nowhere").hexdigest()


def write(root: Path, files: dict[str, str]) -> Path:
    """``files`` (path to text) below ``root``, readable for the sandbox's user."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def readable(folder: Path) -> Path:
    """Readable for the sandbox's user, whose number is none of this machine."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def npm_package(name: str, files: dict[str, str]) -> tuple[bytes, str]:
    """A package as the registry would send it, and its digest (W3C, "Subresource Integrity")."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path, text in {"package.json": json.dumps({"name": name, "version": "1.0.0"}), **files}.items():
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    content = buffer.getvalue()
    return content, "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def npm_cache(folder: Path, packages: list[bytes]) -> Path:
    """An npm cache that npm itself filled, from files and with no registry asked."""
    for number, content in enumerate(packages):
        archive = folder.with_name(f"package-{number}.tgz")
        archive.write_bytes(content)
        subprocess.run(
            ["npm", "cache", "add", str(archive), "--offline", "--cache", str(folder)],
            check=True,
            capture_output=True,
        )
    return readable(folder)


def go_sum(mod: str, files: dict[str, str]) -> str:
    """Lines of go.sum: hash ``h1`` (golang.org/x/mod/sumdb/dirhash, Hash1)."""
    return f"{MODULE} {VERSION} {_h1(files)}\n{MODULE} {VERSION}/go.mod {_h1({'go.mod': mod})}\n"


def _h1(files: dict[str, str]) -> str:
    lines = "".join(f"{hashlib.sha256(files[name].encode()).hexdigest()}  {name}\n" for name in sorted(files))
    return "h1:" + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()


GO_MOD = f"module {MODULE}\n\ngo 1.21\n"
GO_SOURCE = 'package tidewords\n\nfunc Name() string { return "flood" }\n'
GO_FILES = {f"{MODULE}@{VERSION}/go.mod": GO_MOD, f"{MODULE}@{VERSION}/words.go": GO_SOURCE}


def go_proxy(folder: Path) -> Path:
    """A module proxy (Go Modules Reference, "GOPROXY protocol") with one module."""
    versions = folder / MODULE / "@v"
    write(
        versions,
        {
            "list": f"{VERSION}\n",
            f"{VERSION}.mod": GO_MOD,
            f"{VERSION}.info": json.dumps({"Version": VERSION, "Time": "2024-01-01T00:00:00Z"}),
        },
    )
    with zipfile.ZipFile(versions / f"{VERSION}.zip", "w") as archive:
        for path, text in GO_FILES.items():
            archive.writestr(path, text)
    return readable(folder)


def go_project(root: Path) -> Path:
    return write(
        root,
        {
            "go.mod": f"module sea\n\ngo 1.21\n\nrequire {MODULE} {VERSION}\n",
            "go.sum": go_sum(GO_MOD, GO_FILES),
            "sea_test.go": f'package sea\n\nimport (\n\t"testing"\n\n\t"{MODULE}"\n)\n\n'
            'func TestName(t *testing.T) {\n\tif tidewords.Name() != "flood" {\n\t\tt.Fatal()\n\t}\n}\n',
        },
    )


def cargo_vendor(folder: Path) -> Path:
    """A folder as ``cargo vendor`` leaves it (the Cargo book, "Source Replacement", directory sources)."""
    crate = folder / "tidewords"
    write(
        crate,
        {
            "Cargo.toml": '[package]\nname = "tidewords"\nversion = "1.0.0"\nedition = "2021"\n',
            "src/lib.rs": 'pub fn name() -> &\'static str {\n    "flood"\n}\n',
            ".cargo-checksum.json": json.dumps({"files": {}, "package": CHECKSUM}),
        },
    )
    return readable(folder)


def cargo_project(root: Path, registry: str) -> Path:
    return write(
        root,
        {
            "Cargo.toml": '[package]\nname = "sea"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\ntidewords = "1"\n',
            "src/lib.rs": '#[test]\nfn name() {\n    assert_eq!(tidewords::name(), "flood");\n}\n',
            "Cargo.lock": 'version = 3\n\n[[package]]\nname = "sea"\nversion = "0.1.0"\ndependencies = [\n "tidewords",\n]\n\n'
            f'[[package]]\nname = "tidewords"\nversion = "1.0.0"\nsource = "{registry}"\nchecksum = "{CHECKSUM}"\n',
        },
    )


async def maven_repository(folder: Path, sandbox: DockerSandbox, image: RuntimeImage, empty: Path) -> Path:
    """A Maven repository with one artefact, compiled in the sandbox: nothing needs a compiler on this machine."""
    source = 'package tide;\n\npublic class Words {\n    public static String name() {\n        return "flood";\n    }\n}\n'
    job = Job("test", ("sh", "-c", "javac -d $QV_OUT Words.java"), overlay={"Words.java": source.encode()})
    compiled = await sandbox.run(job, image, empty, run="r-test")
    place = folder / "invalid" / "tide" / "tidewords" / "1.0"
    write(
        place,
        {
            "tidewords-1.0.pom": "<project><modelVersion>4.0.0</modelVersion><groupId>invalid.tide</groupId>"
            "<artifactId>tidewords</artifactId><version>1.0</version></project>"
        },
    )
    with zipfile.ZipFile(place / "tidewords-1.0.jar", "w") as archive:
        archive.writestr("tide/Words.class", compiled.artefacts["tide/Words.class"])
    return readable(folder)


def maven_project(root: Path, folder: str = "") -> Path:
    def dependency(group: str, artefact: str, version: str) -> str:
        return f"<dependency><groupId>{group}</groupId><artifactId>{artefact}</artifactId><version>{version}</version></dependency>"

    return write(
        root / folder,
        {
            "pom.xml": '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
            "<groupId>sea</groupId><artifactId>sea</artifactId><version>1.0</version><properties>"
            "<maven.compiler.release>21</maven.compiler.release>"
            "<project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties><dependencies>"
            + dependency("org.junit.jupiter", "junit-jupiter", "5.10.2")
            + dependency("invalid.tide", "tidewords", "1.0")
            + "</dependencies></project>",
            "src/test/java/SeaTest.java": "import static org.junit.jupiter.api.Assertions.assertEquals;\n\n"
            "import org.junit.jupiter.api.Test;\n\nclass SeaTest {\n    @Test\n    void name() {\n"
            '        assertEquals("flood", tide.Words.name());\n    }\n}\n',
        },
    )
