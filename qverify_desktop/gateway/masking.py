"""Secrets in what is about to be sent: found by rule, taken out, and named by rule and place, never by value.

The rules are those of detect-secrets (Apache 2.0) that know a secret by its shape, its rule for assignments to names such as
``password`` and ``api_key``, and a few of our own. What is only long and random is left alone: digests and identifiers in tests are.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping

from qverify_desktop.domain.model import Masked, MaskedSecret
from qverify_desktop.domain.question import Messages

#: Rules of detect-secrets by the module they are in.
_SHAPES = {
    "artifactory": "ArtifactoryDetector",
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "cloudant": "CloudantDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "ibm_cloud_iam": "IbmCloudIamDetector",
    "jwt": "JwtTokenDetector",
    "mailchimp": "MailchimpDetector",
    "npm": "NpmDetector",
    "openai": "OpenAIDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector",
    "telegram_token": "TelegramBotTokenDetector",
    "twilio": "TwilioKeyDetector",
}
#: A PEM block with its lines (RFC 7468), also where they are joined by written line ends.
_PEM = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----\s*(?P<secret>\S.{1,20000}?)\s*-----END (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY",
    re.DOTALL,
)
#: Shapes that the library does not know, each with what a text must hold, in small letters, to have one: to look for that is cheap.
_OWN = {
    "anthropic-key": ("sk-ant-", re.compile(r"\bsk-ant-[A-Za-z0-9_-]{20,200}")),
    "provider-key": ("sk-", re.compile(r"\bsk-(?:proj-|or-v1-|svcacct-)?[A-Za-z0-9_-]{32,200}")),
    "google-key": ("aiza", re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b")),
    "hugging-face-token": ("hf_", re.compile(r"\bhf_[A-Za-z0-9]{30,60}\b")),
    "bearer-token": (
        "authorization",
        re.compile(
            r"(?i)\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?bearer\s+(?P<secret>[A-Za-z0-9._~+/=-]{16,2000})"
        ),
    ),
    "address-with-password": (
        "://",
        re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>]{0,80}:(?P<secret>[^\s/@\"'<>{}$]{3,200})@"),
    ),
}
_ASSIGNED = re.compile(
    r"(?i)\b[\w.-]{0,40}(?:passw(?:or)?d|passwd|pwd|secret|api_?key|access_?key|private_?key|auth_?token|access_?token|client_?secret)"
    r"[\w-]{0,20}[\"']?\]?\s{0,3}(?::\s{0,3}\w{1,20}\s{0,3})?(?:=|:|=>|:=)\s{0,3}[\"'](?P<secret>[^\"'\s]{8,200})[\"']"
)
#: One of these stands in every name that the two rules for assignments know.
_NAMED = ("passw", "pwd", "secret", "key", "token")
#: A name like those above, compared with what it has to be.
_COMPARED = re.compile(
    r"(?i)\b[\w.-]{0,40}(?:passw(?:or)?d|passwd|pwd|secret|api_?key|access_?key|private_?key|auth_?token|access_?token|client_?secret)"
    r"[\w-]{0,20}\s{0,3}(?:===?|!==?|\.equals\()\s{0,3}[\"'](?P<secret>[^\"'\s]{8,200})[\"']"
)
_ENVIRONMENT = re.compile(
    # Also a line of a patch.
    r"(?m)^[+-]?\s{0,8}(?:export\s+)?[A-Z][A-Z0-9_]{0,60}(?:PASSWORD|SECRET|TOKEN|API_KEY|ACCESS_KEY|PRIVATE_KEY)[A-Z0-9_]{0,20}=(?P<secret>[^\s\"'$#]{8,200})\s*$"
)
#: What every secret of the library's rules holds but those of ``_SHORT``: they are looked for in lines that have one.
_LONG = re.compile(r"[\w+/=.:@-]{16,}")
_SHORT = ("artifactory",)
#: Texts whose secrets are remembered: a prompt is masked for the evidence and again before it is sent.
_REMEMBERED = 64
#: Values that stand for a secret and are none.
_PLACEHOLDER = re.compile(
    r"(?i)^(?:<.*>|\{.*\}|\$.*|%.*%|x{4,}|\*{3,}|\.{3,}|.*(?:example|placeholder|change_?me|your[_-]|dummy|redacted|not[_-]?a[_-]?secret).*"
    r"|(?:[a-z]+[_-])*(?:password|passwd|secret|token|api_?key)(?:[_-][a-z]+)*|pass|pwd|none|null|undefined|true|false|os\.environ.*|process\.env.*|getenv.*)$"
)
#: Names of source that stand where secrets do: types in quotes (``auth_token: "UserTokenCache"``) and names of variables. They are of
#: letters alone; masking one would take a name out of the code that a model is asked about.
_NAME = re.compile(
    r"[A-Z][A-Za-z]{0,80}?(?:Key|Token|Secret|Auth|Password|Credential)[A-Za-z]{0,80}|[A-Z]{1,40}(?:_[A-Z]{1,40}){1,20}"
)
#: The same for shapes that are only a length and an alphabet; a key of 40 random letters and digits without a digit is one of 1,000.
_LETTERS = re.compile(r"[A-Za-z_-]+")
#: Bases of a nucleic acid look like access keys of AWS, which have more letters.
_BASES = re.compile(r"[ACGTUN]+")
#: Characters that a secret has at least.
_LEAST = 8
MASK = "<secret-{}>"
_MASKED = re.compile(r"<secret-\d{1,6}>")
#: A word that may stand anywhere with another meaning; what such a password is called is not looked for elsewhere.
_WORD = re.compile(r"[a-z]+|[A-Z]+|[A-Z][a-z]+|\d{1,8}")


def mask(messages: Messages, known: Iterable[str] = ()) -> Masked:
    """The messages with ``<secret-1>`` and so on in the place of secrets, the same secret under the same number. ``known`` are
    secrets of this installation, taken out wherever they stand. What was masked is left as it is.
    """
    numbers: dict[str, int] = {}
    masked: Messages = []
    findings: list[MaskedSecret] = []
    certain = dict.fromkeys((one for one in known if len(one) >= 6), "key-of-this-installation")
    texts = [message.get("content", "") for message in messages]
    # What is a secret by where it stands in one place is one wherever it stands: in a comparison, a call, an answer.
    for value in values_in(texts):
        certain.setdefault(value, "repeated-secret")
    for index, message in enumerate(messages):
        text = message.get("content", "")
        found = sorted({*secrets_of(text), *_known(text, certain)}, key=_first_rule)
        out, at = [], 0
        for start, end, rule in found:
            if start < at:
                continue
            number = numbers.setdefault(text[start:end], len(numbers) + 1)
            # What follows keeps its line number: reports and places of quoted words count lines.
            out += [text[at:start], MASK.format(number), "\n" * text.count("\n", start, end)]
            at = end
            findings.append(MaskedSecret(rule, index, text.count("\n", 0, start) + 1))
        masked.append({**message, "content": "".join([*out, text[at:]])})
    return Masked(tuple(masked), tuple(findings))


def _first_rule(one: tuple[int, int, str]) -> tuple[int, int, bool]:
    """In the order of the text, longer ones first, and the rule that says most."""
    start, end, rule = one
    return start, -end, rule == "repeated-secret"


def values_in(texts: Iterable[str]) -> frozenset[str]:
    """The secrets themselves, where they are long and strange enough to be known again wherever they stand."""
    return frozenset(
        value
        for text in texts
        for start, end, _ in secrets_of(text)
        if len(value := text[start:end]) >= _LEAST and not _WORD.fullmatch(value)
    )


def _known(text: str, known: Mapping[str, str]) -> Iterator[tuple[int, int, str]]:
    for secret, rule in known.items():
        at = text.find(secret)
        while at >= 0:
            end = at + len(secret)
            # A key is taken out even where it is a part of something longer.
            if rule != "repeated-secret" or _stands_alone(text, at, end):
                yield at, end, rule
            at = text.find(secret, end)


def _stands_alone(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (_is_word(before) and _is_word(text[start])) and not (_is_word(after) and _is_word(text[end - 1]))


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


@functools.lru_cache(_REMEMBERED)
def secrets_of(text: str) -> tuple[tuple[int, int, str], ...]:
    """Start, end and rule of every secret."""
    return tuple(_looked_for(text))


def _looked_for(text: str) -> Iterator[tuple[int, int, str]]:
    small = text.lower()
    if "private key" in small:
        for match in _PEM.finditer(text):
            yield *match.span("secret"), "private-key"
    for rule, (needed, pattern) in _OWN.items():
        if needed in small:
            for match in pattern.finditer(text):
                yield from _meant(match, rule)
    if any(name in small for name in _NAMED):
        for rule, pattern in (
            ("assigned-secret", _ASSIGNED),
            ("compared-secret", _COMPARED),
            ("environment-file", _ENVIRONMENT),
        ):
            for match in pattern.finditer(text):
                yield from _meant(match, rule)
    lines = list(_lines_with_long_words(text))
    for rule, pattern in _library():
        for start, end in [(0, len(text))] if rule in _SHORT else lines:
            for match in pattern.finditer(text, start, end):
                # A group is the secret within its surroundings, or, where it is short, a part of the secret that names its kind.
                group = 1 if match.re.groups and len(match.group(1) or "") >= _LEAST else 0
                secret = match.group(group)
                plain = _BASES if rule == "aws" else _LETTERS
                if len(secret) >= _LEAST and not _PLACEHOLDER.match(secret) and not plain.fullmatch(secret):
                    yield *match.span(group), rule


def _lines_with_long_words(text: str) -> Iterator[tuple[int, int]]:
    """Where lines that have a long word begin and end, each with the next line, and those beside each other as one."""
    begun = ended = -1
    for match in _LONG.finditer(text):
        if match.end() < ended:
            continue
        start = text.rfind("\n", 0, match.start()) + 1
        end = text.find("\n", match.end())
        end = text.find("\n", end + 1) if end >= 0 else -1
        if start > ended >= 0:
            yield begun, ended
        if start > ended:
            begun = start
        ended = end if end >= 0 else len(text)
    if ended >= 0:
        yield begun, ended


def _meant(match: re.Match[str], rule: str) -> Iterator[tuple[int, int, str]]:
    group: int | str = "secret" if "secret" in match.re.groupindex else 0
    text = match.group(group)
    if not _PLACEHOLDER.match(text) and not _MASKED.fullmatch(text) and not _NAME.fullmatch(text):
        yield *match.span(group), rule


@functools.cache
def _library() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The library's rules. Imported at the first use, in whatever thread masks."""
    import importlib

    found: list[tuple[str, re.Pattern[str]]] = []
    for module, name in _SHAPES.items():
        plugin = getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), name)()
        found += [(module.replace("_", "-"), pattern) for pattern in plugin.denylist]
    return tuple(found)
