"""What a drag or the clipboard holds: folders, Git URLs, bundles of evidence, models. Anything else is not taken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMimeData

BUNDLE = ".qvevidence.zip"
MODEL = ".gguf"
SCHEMES = ("https://", "http://", "ssh://", "git://", "git@", "file://")
MOST = 20


@dataclass(frozen=True)
class Dropped:
    """``sources`` are folders and Git URLs, ``bundles`` evidence files, ``models`` GGUF files, ``refused`` names of what can't be
    taken."""

    sources: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.sources or self.bundles or self.models)


def is_url(text: str) -> bool:
    """Whether a text reads as a Git URL of a kind that is taken (never ``ext::`` and its like)."""
    return text.startswith(SCHEMES) and not any(char.isspace() for char in text) and len(text) < 2048


def of_paths(paths: list[str]) -> Dropped:
    """Sort paths and URLs by what they are."""
    sources, bundles, models, refused = [], [], [], []
    for path in paths[:MOST]:
        if (
            (is_url(path) and not path.startswith("file://"))
            or Path(path).is_dir()
            or (path.endswith(".bundle") and Path(path).is_file())
        ):
            sources.append(path)
        elif path.endswith(BUNDLE) and Path(path).is_file():
            bundles.append(path)
        elif path.lower().endswith(MODEL) and Path(path).is_file():
            models.append(path)
        else:
            refused.append(Path(path).name or path)
    return Dropped(tuple(dict.fromkeys(sources)), tuple(dict.fromkeys(bundles)), tuple(refused), tuple(models))


def of_mime(mime: QMimeData) -> Dropped:
    """What a drag or the clipboard carries."""
    if mime.hasUrls():
        return of_paths([url.toLocalFile() if url.isLocalFile() else url.toString() for url in mime.urls()])
    lines = [line.strip() for line in mime.text().splitlines() if line.strip()] if mime.hasText() else []
    if lines and all(is_url(line) or Path(line).is_absolute() for line in lines):
        return of_paths(lines)
    return Dropped()
