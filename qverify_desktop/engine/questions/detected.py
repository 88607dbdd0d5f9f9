"""What a first look says of a repository's languages: what can be analysed, and what was found besides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qverify_desktop.domain.project import language_title
from qverify_desktop.domain.views import RuntimeChoice
from qverify_desktop.languages.ecosystems import reader
from qverify_desktop.languages.runtimes import choose_runtime, language_of
from qverify_desktop.repository.look import Look

#: Largest build file that is read for its test command, in bytes.
MAX_BUILD_FILE = 1024 * 1024
#: Folders that a sentence names.
NAMED_FOLDERS = 3


def sources(look: Look, languages: Mapping[str, str]) -> list[str]:
    """Source files in languages that can be analysed, by their names alone; the analysis looks closer."""
    return [path for path in look.paths if language_of(path) in languages]


def runtime_choices(
    look: Look,
    source_files: Sequence[str],
    languages: Mapping[str, str],
    known: Sequence[Mapping[str, Any]],
    reason: str,
) -> list[RuntimeChoice]:
    """Runtimes of ``languages`` (name to runtime) that fit, most files first; then what is there besides and can't be
    analysed. Of an address all that could fit, because nothing is known before it is fetched. Blocking.

    ``known`` are the machine's runtimes; where they can't be had, ``reason`` says why.
    """
    counts = Counter(map(language_of, source_files))
    by_name = {runtime["runtime"]: runtime for runtime in known}
    choices: list[RuntimeChoice] = []
    for runtime in dict.fromkeys(languages.values()):
        spoken = [language for language, of in languages.items() if of == runtime]
        files = sum(counts[language] for language in spoken)
        found = by_name.get(runtime)
        if files or look.remote:
            choices.append(
                {
                    "runtime": runtime,
                    "languages": spoken,
                    "files": files,
                    "ready": bool(found and found["ready"]),
                    "sentence": found["sentence"] if found else reason,
                    "analysable": True,
                }
            )
    return sorted(choices, key=lambda choice: -choice["files"]) + _others(look, languages)


def _others(look: Look, languages: Mapping[str, str]) -> list[RuntimeChoice]:
    """By the runtime that their projects would get."""
    counts: dict[str, Counter[str]] = {}
    folders: dict[str, list[str]] = {}
    reasons: dict[str, str] = {}
    read = reader(str(Path(look.source)), MAX_BUILD_FILE)
    for found in choose_runtime(look.paths, read) if not look.remote else ():
        others = {language: files for language, files in found.languages if language not in languages}
        if others:
            counts.setdefault(found.runtime, Counter()).update(others)
            folders.setdefault(found.runtime, []).append(found.folder)
            reasons[found.runtime] = reasons.get(found.runtime) or found.because
    choices: list[RuntimeChoice] = []
    for runtime, each in counts.items():
        spoken = [language for language, _ in each.most_common()]
        titles = (
            " and ".join(map(language_title, spoken)) if len(spoken) < 3 else ", ".join(map(language_title, spoken))
        )
        sentence = f"{titles} can't be analysed yet, so these files are left as they are{_where(folders[runtime])}."
        choices.append(
            {
                "runtime": runtime,
                "languages": spoken,
                "files": each.total(),
                "ready": False,
                "sentence": f"{sentence} {reasons[runtime]}".strip(),
                "analysable": False,
            }
        )
    return sorted(choices, key=lambda choice: (-choice["files"], choice["runtime"]))


def nothing_to_analyse(choices: Sequence[RuntimeChoice], languages: Mapping[str, str]) -> str:
    """Why a folder can't be analysed, with what is there instead."""
    titles = " and ".join(map(language_title, languages))
    known = f"{titles} {'is' if len(languages) == 1 else 'are'} known."
    found = ", ".join(
        f"{', '.join(map(language_title, choice['languages']))} ({choice['files']} {'file' if choice['files'] == 1 else 'files'})"
        for choice in choices
    )
    return f"There is no source in a language that can be analysed. {f'Found: {found}. ' if found else ''}{known}"


def _where(folders: Sequence[str]) -> str:
    named = [folder for folder in folders if folder]
    if not named or len(named) < len(folders):
        return ""
    more = f" and {len(named) - NAMED_FOLDERS} more folders" if len(named) > NAMED_FOLDERS else ""
    return f" (in {', '.join(named[:NAMED_FOLDERS])}{more})"
