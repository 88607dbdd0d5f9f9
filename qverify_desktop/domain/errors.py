"""Errors of the product: each carries a sentence for a person and the next thing to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class QVerifyError(Exception):
    """Base of every error that a person may see.

    ``sentence`` says what happened and what is safe; ``remedy`` says what to do next (one line that can be
    typed, where there is one). ``exit_code`` is the command line's answer (see ``docs/command-line.md``).
    """

    exit_code = 4

    def __init__(self, sentence: str, remedy: str = "") -> None:
        super().__init__(sentence if not remedy else f"{sentence} {remedy}")
        self.sentence = sentence
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[QVerifyError], tuple[str, str]]:
        return (type(self), (self.sentence, self.remedy))


class BadInput(QVerifyError):
    """What was given can't be analysed: no such folder, no source in it, a malformed option."""

    exit_code = 2


class WrongPassphrase(BadInput):
    """The passphrase does not open the key file, or none was given; nothing was changed."""


class MissingPrerequisite(QVerifyError):
    """Something is missing on this machine (Docker, an image, disk space); ``remedy`` mends it."""

    exit_code = 3


class SandboxFailure(QVerifyError):
    """The engine under the sandbox failed (stopped, refused, lost the container), not the code in it."""


class SandboxGone(SandboxFailure):
    """The engine under the sandbox does not answer (any more); ``remedy`` starts it."""

    exit_code = 3


class ModelFailure(QVerifyError):
    """No usable answer came from the model's end point."""


class ModelsStopped(ModelFailure):
    """The person chose to finish without models that cost something: nobody need be asked any more in this run."""


class HostedFailure(QVerifyError):
    """The hosted service did not do what it was asked. ``status`` is its HTTP status (0: none came), ``wait_s`` the seconds after
    which it may be asked again (0: not said), ``again`` whether asking again later can help, ``kind`` the name of its problem and
    ``problem`` what else it said (both its own words: not to be trusted)."""

    def __init__(
        self,
        sentence: str,
        remedy: str = "",
        *,
        status: int = 0,
        wait_s: float = 0.0,
        again: bool = False,
        kind: str = "",
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(sentence, remedy)
        self.status, self.wait_s, self.again = status, wait_s, again
        self.kind, self.problem = kind, problem or {}


class EvidenceUnreadable(QVerifyError):
    """A bundle that can't even be read, so that nothing can be said of its content."""

    exit_code = 2


class Cancelled(QVerifyError):
    """A person cancelled the run. What was finished before stays recorded."""
