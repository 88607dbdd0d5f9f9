"""What is looked at: snapshot of a repository, its languages, its targets and its promises."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


def language_title(name: str) -> str:
    """A language's name as people write it."""
    return {"javascript": "JavaScript", "typescript": "TypeScript"}.get(name, name.capitalize())


@dataclass(frozen=True)
class SkippedPath:
    """A path of the repository that was left out of the snapshot, and why (a sentence)."""

    path: str
    reason: str


@dataclass(frozen=True)
class Snapshot:
    """A frozen copy of a repository in the application's workspace; the origin is never touched again.

    ``tree`` is the git tree object id (SHA-1, hex) of exactly the files in ``root``; it is the same for a git work
    tree and for a plain folder with the same content. ``commit`` is the checked-out commit, or ``None`` for a
    folder that is no git repository (or has no commit yet). ``dirty_patch`` is the text of
    ``git diff --binary HEAD`` including untracked files, empty when the work tree was clean.
    ``root`` is an absolute path. ``origin`` holds no credentials.
    """

    origin: str
    name: str
    root: str
    tree: str
    commit: str | None = None
    branch: str | None = None
    dirty_patch: str = ""
    files: tuple[str, ...] = ()
    total_bytes: int = 0
    skipped: tuple[SkippedPath, ...] = ()
    lfs_pointers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Commit:
    """A commit of the analysed repository: its id (SHA-1, hex), committer date (RFC 3339) and the first line of its message."""

    id: str
    date: str = ""
    subject: str = ""

    @property
    def words(self) -> str:
        """Short id, day and subject, for a sentence."""
        return f"{self.id[:12]} ({', '.join(part for part in (self.date[:10], self.subject) if part)})"


@dataclass(frozen=True)
class Scope:
    """Which part of a snapshot is analysed. ``kind`` is ``all``, ``changed`` or ``files``.

    ``ref`` is the git revision for ``changed``; ``glob`` the pattern for ``files``.
    """

    kind: str = "all"
    ref: str = ""
    glob: str = ""

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Read ``all``, ``changed:REF`` or ``files:GLOB``; raises ``ValueError`` with a sentence."""
        kind, _, rest = text.partition(":")
        if kind == "all" and not rest:
            return cls()
        if kind == "changed" and rest:
            return cls("changed", ref=rest)
        if kind == "files" and rest:
            return cls("files", glob=rest)
        raise ValueError(f"The scope {text!r} is not one of all, changed:REF or files:GLOB.")

    def __str__(self) -> str:
        return {"all": "all", "changed": f"changed:{self.ref}", "files": f"files:{self.glob}"}[self.kind]


@dataclass(frozen=True)
class Project:
    """How one language sees a snapshot: where its source and its tests lie, and what it depends on.

    All paths are relative to the snapshot root, with ``/``. ``source_roots`` are the folders that are put on the
    import path, ``""`` for the root itself. ``dependencies`` are the requirement strings the project declares
    (run time and test); ``lock_file`` is the file they came from and whose digest keys the install cache.
    ``unreadable`` are source files that can't be parsed, each with the reason.
    """

    language: str
    runtime: str
    source_roots: tuple[str, ...]
    source_files: tuple[str, ...]
    test_files: tuple[str, ...]
    dependencies: tuple[str, ...] = ()
    lock_file: str = ""
    unreadable: tuple[SkippedPath, ...] = ()


@dataclass(frozen=True)
class Parameter:
    """One parameter as written. ``kind`` is one of inspect's kind names in lower case; ``default`` is source text."""

    name: str
    annotation: str = ""
    default: str | None = None
    kind: str = "positional_or_keyword"


@dataclass(frozen=True)
class Target:
    """One function or method that tests may be written for.

    ``symbol`` is the qualified name inside the module (``Class.method``), ``module`` the importable name,
    ``line`` and ``end_line`` the 1-based inclusive range of the definition, ``body_line`` the first line of the body
    (after the docstring). ``complexity`` is McCabe's number. ``callee`` is ``function``, ``method``, ``classmethod``,
    ``staticmethod`` or ``property``.
    """

    language: str
    file: str
    module: str
    symbol: str
    line: int
    end_line: int
    body_line: int
    signature: str
    docstring: str = ""
    parameters: tuple[Parameter, ...] = ()
    returns: str = ""
    callee: str = "function"
    is_async: bool = False
    public: bool = True
    complexity: int = 1

    @property
    def id(self) -> str:
        """Stable name of the target within a snapshot."""
        return f"{self.file}::{self.symbol}"


class PromiseRelation(StrEnum):
    """What a promise says about its call."""

    EQUALS = "equals"
    RAISES = "raises"
    PRINTS = "prints"


@dataclass(frozen=True)
class Promise:
    """An expectation in the repository's own words about one call.

    ``call`` and ``expected`` are source text (``expected`` of a ``RAISES`` is the exception's name, of a ``PRINTS`` the
    text that is printed); ``setup`` are the statements to run before it. ``words`` is the text as it stands,
    verbatim, at ``file``:``line``. ``form`` names the notation (``doctest``, ``==``, ``->``, ``# =>`` …).
    """

    target: str
    call: str
    expected: str
    relation: PromiseRelation
    words: str
    file: str
    line: int
    form: str
    setup: tuple[str, ...] = ()


@dataclass(frozen=True)
class MissingDependency:
    """A package the project imports that the runtime lacks; ``requirement`` is what would be installed."""

    module: str
    requirement: str
    needed_by: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class InstalledPackage:
    """A package as it was installed for a run. ``ecosystem`` is where it comes from (``python``, ``npm``, ``go``, ``maven``, ``cargo``).

    ``digest`` is the one that its ecosystem knows it by, in that one's own writing: ``sha256:HEX`` of a wheel, a jar or a crate,
    ``sha512-BASE64`` of npm (W3C, "Subresource Integrity"), ``h1:BASE64`` of Go (golang.org/x/mod/sumdb/dirhash). Empty where none is
    known, as in a vendor folder of Go.
    """

    ecosystem: str
    name: str
    version: str
    digest: str = ""
