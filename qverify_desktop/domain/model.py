"""What a call to a language model is accounted with, and its answer, as they pass between the analysis, the gateway and the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: Prefixes of models that are not on this machine, with the host that they go to where no address is given (Azure has none).
PROVIDER_HOSTS = {"openai/": "api.openai.com", "anthropic/": "api.anthropic.com", "azure/": ""}


def default_host(model: str) -> str | None:
    """The host that a model's name alone sends a prompt to; ``None`` where it stays on this machine."""
    return next((host for prefix, host in PROVIDER_HOSTS.items() if model.startswith(prefix)), None)


class CloudPolicy(StrEnum):
    """Whether prompts made of a repository may leave this machine. Nothing leaves it while nobody has decided."""

    UNDECIDED = ""
    LOCAL_ONLY = "local_only"
    ALLOWED = "allowed"


class Purpose(StrEnum):
    """What a model is asked for. Each may have a model of its own."""

    GENERATE = "generate"
    REPAIR = "repair"
    SECOND_OPINION = "second_opinion"


@dataclass(frozen=True)
class Asker:
    """On whose account a question is asked, and what the person allowed for it.

    ``run`` and ``source`` (the repository as it was named) are what a call is counted under. ``cloud`` allows end points that
    are not on this machine: off, because nobody allowed it who was not asked. ``cached`` allows answers out of the response
    cache; ``budget_microusd`` is what the run may cost in all, in millionths of a US dollar (0: no limit). ``request`` makes a
    question one of its own for the ledger and is the same when a step is repeated after a crash.
    """

    run: str = ""
    source: str = ""
    cloud: bool = False
    cached: bool = True
    budget_microusd: int = 0
    request: str = ""


@dataclass(frozen=True)
class Answer:
    """A model's answer. Money in millionths of a US dollar, durations in milliseconds.

    ``provider`` is the protocol that was spoken (``ollama``, ``openai``, ``azure``, ``anthropic``); token counts are the
    server's own, 0 where it did not say. ``cached`` says that it came out of the response cache, and so cost nothing now;
    ``attempts`` names, in order, what was tried before it without success, each as a sentence. ``cached_tokens`` of the prompt's
    were in the provider's own cache, which most of them sell for less.
    """

    text: str
    model: str
    provider: str
    prompt_tokens: int
    completion_tokens: int
    cost_microusd: int
    duration_ms: int
    cached: bool = False
    attempts: tuple[str, ...] = ()
    cached_tokens: int = 0


@dataclass(frozen=True)
class MaskedSecret:
    """A secret that was taken out of message ``message`` (from 0) at its line ``line`` (from 1); ``rule`` says what it looked like.
    Its value is nowhere."""

    rule: str
    message: int
    line: int


@dataclass(frozen=True)
class Masked:
    """Messages as they may be sent and recorded, and what was taken out of them."""

    messages: tuple[dict[str, str], ...]
    secrets: tuple[MaskedSecret, ...] = ()


class CallState(StrEnum):
    """Where a call stands in the ledger. ``IN_DOUBT``: it was sent, and the process died before an answer was recorded, so it
    may have been charged. ``CACHED``: it was answered out of the response cache, so nothing was sent and it cost nothing; its
    tokens are those that were saved."""

    INTENDED = "intended"
    ANSWERED = "answered"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    CACHED = "cached"


@dataclass(frozen=True)
class Intent:
    """A call that is about to be sent: written before it, because what follows may never be written.

    ``deployment`` is the name of the end point in the person's order, ``estimate_microusd`` the most it can cost.
    ``sent_at`` is RFC 3339 UTC.
    """

    run: str
    source: str
    request: str
    purpose: str
    deployment: str
    provider: str
    model: str
    prompt_tokens: int
    estimate_microusd: int
    sent_at: str


@dataclass(frozen=True)
class Settlement:
    """What became of a call. ``sentence`` says why it failed, empty where it was answered; ``cached_tokens`` are those of the prompt
    that the provider had in its own cache."""

    state: CallState
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_microusd: int = 0
    duration_ms: int = 0
    sentence: str = ""
    cached_tokens: int = 0


@dataclass(frozen=True)
class RateLimit:
    """What an end point takes: requests and tokens in a minute, and calls at once (0: no limit)."""

    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    at_once: int = 0


#: The model's name that means the person's own order of end points.
AUTO = "auto"


@dataclass(frozen=True)
class Deployment:
    """An end point in the person's order. ``wire`` is its protocol (``azure``, ``anthropic``, ``ollama``, ``openai``), ``base`` its
    address (empty: the provider's own), ``models`` names another model for a purpose."""

    name: str
    wire: str
    model: str
    base: str = ""
    models: tuple[tuple[str, str], ...] = ()
    api_version: str = ""
    limit: RateLimit = RateLimit()

    def model_for(self, purpose: str) -> str:
        """The model that is asked for this purpose."""
        return dict(self.models).get(str(purpose), self.model)
