"""Collects the licence notices of everything that goes into the frozen application into one file.

Every bundled file is traced to what it came from: a Python distribution, Python itself, or a Debian package. One that
can't be traced, or has no notice, ends the build.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

_NOTICE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE)
_COMMON = Path("/usr/share/common-licenses")

#: Distributions whose wheel carries no licence text: what their metadata names, and the texts that belong to it.
_NAMED_ONLY = {
    "PySide6_Essentials": ("LGPL-3", "GPL-3"),
    "shiboken6": ("LGPL-3", "GPL-3"),
    "tokenizers": ("Apache-2.0",),
}


def write_notices(target: Path, sources: Iterable[str], *, own: Path, fonts: Path) -> None:
    """Write ``target`` for the bundled files ``sources``. Files below ``own`` are ours; ``fonts`` holds ``*.copyright``.

    Ends the build with a sentence where a file's origin or an origin's notice is unknown.
    """
    owners = _owners()
    found: dict[str, str] = {}
    common: set[str] = set()
    names: set[str] = {"pyinstaller"}
    packages: set[str] = set()
    for source in {Path(source) for source in sources}:
        if source.is_relative_to(own):
            continue
        name = owners.get(source) or owners.get(source.resolve())
        if name:
            names.add(name)
        elif source.is_relative_to(sys.base_prefix) and sys.base_prefix != "/usr":
            names.add("python")
        elif "/build/freeze/work/" in str(source):
            continue  # made by PyInstaller from the other files
        else:
            packages.add(_debian_package(source))
    for name in names - {"python"}:
        found[name] = _of_distribution(name, common)
    if "python" in names:
        found["Python"] = _of_python()
    for package in packages:
        found[f"{package} (Debian)"] = _text(Path("/usr/share/doc") / package / "copyright", package)
    for file in sorted(fonts.glob("*.copyright")):
        found[f"{file.stem} (font)"] = _text(file, file.stem)
    for text in found.values():
        common |= {name.rstrip(".,") for name in re.findall(r"/usr/share/common-licenses/([\w.+-]+)", text)}
    _write(target, found, common)
    print(f"Notices of {len(found)} bundled works, {len(common)} common licences: {target}")


def _write(target: Path, found: dict[str, str], common: set[str]) -> None:
    parts = ["QVerify Desktop bundles the following works. Common licences that they name stand at the end.\n"]
    for name in sorted(found, key=str.lower):
        parts.append(f"\n{'=' * 100}\n{name}\n{'=' * 100}\n\n{found[name].strip()}\n")
    for name in sorted(common):
        if (_COMMON / name).is_file():
            text = (_COMMON / name).read_text("utf-8", "replace")
            parts.append(f"\n{'=' * 100}\nCommon licence: {name}\n{'=' * 100}\n\n{text.strip()}\n")
    target.write_text("".join(parts), "utf-8")


def _owners() -> dict[Path, str]:
    """Every installed file of every distribution, to the distribution's name."""
    return {
        form: distribution.name
        for distribution in metadata.distributions()
        for file in distribution.files or []
        for form in (Path(str(file.locate())), Path(str(file.locate())).resolve())
    }


def _of_distribution(name: str, common: set[str]) -> str:
    distribution = metadata.distribution(name)
    about = distribution.metadata
    licence = about.get("License-Expression") or (about.get("License") or "").split("\n")[0]
    if not licence:
        classifiers = about.get_all("Classifier") or []
        licence = "; ".join(one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License ::"))
    head = f"{distribution.name} {distribution.version}\nLicence: {licence or 'see below'}\n"
    texts = [
        Path(str(file.locate())).read_text("utf-8", "replace").strip()
        for file in distribution.files or []
        if ".dist-info/" in str(file) and _NOTICE.search(file.name)
    ]
    if not texts:
        if name not in _NAMED_ONLY:
            raise SystemExit(f"No licence notice was found for the package {name}; it can't be bundled without.")
        common |= set(_NAMED_ONLY[name])
        texts = [f"The text stands at the end: {', '.join(_NAMED_ONLY[name])}."]
    return head + "\n" + "\n\n".join(texts)


def _of_python() -> str:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    places = (Path(sys.base_prefix) / "lib" / version / "LICENSE.txt", Path("/usr/share/doc") / version / "copyright")
    for place in places:
        if place.is_file():
            return f"Python {sys.version.split()[0]}\n\n{place.read_text('utf-8', 'replace')}"
    raise SystemExit("Python's own licence was not found; it can't be bundled without.")


def _debian_package(file: Path) -> str:
    forms = {str(file), str(file.resolve())}
    forms |= {form.removeprefix("/usr") for form in forms} | {
        f"/usr{form}" for form in forms if form.startswith("/lib")
    }
    for form in sorted(forms):
        answer = subprocess.run(["dpkg", "-S", form], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            return answer.stdout.split(":")[0].split(",")[0]
    raise SystemExit(f"Nobody knows where {file} comes from; it can't be bundled without a notice.")


def _text(file: Path, name: str) -> str:
    if not file.is_file():
        raise SystemExit(f"No licence notice was found for {name} ({file}); it can't be bundled without.")
    return file.read_text("utf-8", "replace")
