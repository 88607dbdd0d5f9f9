"""Secrets leave no prompt; ordinary code stays as it is."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from qverify_desktop.gateway.gateway import ModelGateway
from qverify_desktop.gateway.masking import _ASSIGNED, _OWN, _PLACEHOLDER, _library, _meant, mask, secrets_of
from tests.gateway.test_gateway import Keys, complete_with
from tests.model_servers.answers import Say, Script
from tests.model_servers.server import serving

# Put together, so that nobody takes this file for one that holds secrets.
AWS = "AKIA" + "QYLPMN5HHHFPZAM2"
GITHUB = "ghp_" + "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx"
ANTHROPIC = "sk-ant-" + "api03-AbCdEfGhIjKlMnOpQrStUvWxYz012345"
OPENAI = "sk-proj-" + "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcd"
GOOGLE = "AIza" + "SyA1234567890abcdefghijklmnopqrstuv"
STRIPE = "sk_live_" + "ReTllpYQYfIZu2Jnf2lAPFjD"
SLACK = "xoxb-" + "34532454-e039d02840a0b9379c"
JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0."
    + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
)
PEM = "MIIEowIBAAKCAQEAxtuLpWCaS9I1ABC\nDEF0123456789abcdefghij=="


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"key = '{AWS}'", AWS),
        (f"token: {GITHUB}", GITHUB),
        (f"# {ANTHROPIC}", ANTHROPIC),
        (f"client = Client({OPENAI!r})", OPENAI),
        (f"const key = '{GOOGLE}';", GOOGLE),
        (f"stripe = '{STRIPE}'", STRIPE),
        (f'slack("{SLACK}")', SLACK),
        (f"Authorization: Bearer {JWT}", JWT),
        (f"-----BEGIN RSA PRIVATE KEY-----\n{PEM}\n-----END RSA PRIVATE KEY-----", PEM),
        ("db = 'postgres://app:Zx9!kk2@db/prod'", "Zx9!kk2"),
        ('password = "correct-horse-battery"', "correct-horse-battery"),
        ('"apiKey": "q7Hd82ksLw01"', "q7Hd82ksLw01"),
        ('String clientSecret = "q7Hd82ksLw01";', "q7Hd82ksLw01"),
        ('if password == "correct-horse-8471": open()', "correct-horse-8471"),
        ("if (apiKey !== 'q7Hd82ksLw01') throw 1", "q7Hd82ksLw01"),
        ('return this.secret.equals("q7Hd82ksLw01");', "q7Hd82ksLw01"),
        ("+DEPLOY_TOKEN=q7Hd82ksLw01", "q7Hd82ksLw01"),
        ("export DEPLOY_TOKEN=q7Hd82ksLw01", "q7Hd82ksLw01"),
    ],
)
def test_is_masked(text: str, secret: str) -> None:
    before = f"def f():\n    return 1\n{text}\nafter = 2"
    found = mask([{"role": "user", "content": before}])
    (message,) = found.messages
    assert secret not in message["content"]
    left = "<secret-1>" + "\n" * secret.count("\n")
    assert message["content"] == before.replace(secret, left), (
        "nothing but the secret is taken out, and no line is lost"
    )
    assert found.secrets and all(one.line >= 3 and secret not in repr(one) for one in found.secrets)
    assert mask(list(found.messages)).messages == found.messages, "what is masked stays as it is"


@pytest.mark.parametrize(
    "text",
    [
        'password = "<your-password>"',
        'password = os.environ["PASSWORD"]',
        "password: str = get_password()",
        "if password == expected_password:",
        'SECRET = "changeme-please"',
        'api_key = "YOUR_API_KEY"',
        "https://user@example.org/path",
        "https://example.org:8080/a@b",
        "sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
        "id = '123e4567-e89b-12d3-a456-426614174000'",
        "assert token == next_token",
        "def test_token_is_refreshed_when_the_session_ends(): ...",
        "skipped = sk-1",
        'def check(user_api_key: "UserTokenAuth", client_secret: "ClientSecretCredential"): ...',
        'api_key_variable = "SERVICE_REGION_NAME"',
        "postgresql://user:pass@localhost/test",
        'replace("_strip_prompt_cache_breakpoints_from_content")',
        'sequence = "ACCATCTCTACCGGTTCGCT"',
        "https://user:***@example.org",
    ],
)
def test_is_left_alone(text: str) -> None:
    found = mask([{"role": "user", "content": text}])
    assert (found.messages[0]["content"], found.secrets) == (text, ())


def test_one_secret_has_one_number_in_all_messages() -> None:
    found = mask([{"role": "system", "content": f"a {GITHUB}"}, {"role": "user", "content": f"b {AWS} {GITHUB}"}])
    assert [one["content"] for one in found.messages] == ["a <secret-1>", "b <secret-2> <secret-1>"]


def test_this_installations_own_keys_are_masked_wherever_they_stand() -> None:
    found = mask([{"role": "user", "content": "x=plain-looking-key;"}], ["plain-looking-key"])
    assert found.messages[0]["content"] == "x=<secret-1>;"
    assert found.secrets[0].rule == "key-of-this-installation"


async def test_no_secret_is_in_what_a_server_gets() -> None:
    script = Script([Say("yes")])
    said = f"password = 'correct-horse-battery' {AWS} my-own-key"
    with serving(script) as server:
        await complete_with(ModelGateway(Keys(example_org="my-own-key")), server, [{"role": "user", "content": said}])
    sent = str(script.requests) + str(script.headers)
    assert not [one for one in ("correct-horse-battery", AWS, "my-own-key") if one in sent]
    assert "<secret-1>" in sent


@pytest.mark.parametrize(
    "piece", ["password = '", "-----BEGIN RSA PRIVATE KEY-----", "a://b:", "sk-", "TOKEN=", "eyJ", "\n"]
)
def test_no_text_is_slow(piece: str) -> None:
    began = time.process_time()
    mask([{"role": "user", "content": piece * 20_000}])
    assert time.process_time() - began < 20


def test_what_is_looked_for_only_where_it_can_stand_is_found_as_if_it_were_looked_for_everywhere() -> None:
    """This project's own files, with secrets put in at random places, against every rule over the whole text."""
    planted = [
        AWS,
        GITHUB,
        ANTHROPIC,
        OPENAI,
        GOOGLE,
        STRIPE,
        SLACK,
        JWT,
        f'password="{STRIPE}"',
        f"a\nTOKEN={AWS}\n",
    ]
    planted += [
        f"-----BEGIN PRIVATE KEY-----\n{PEM}\n-----END PRIVATE KEY-----",
        "https://u:Zx9!kk2@h",
        f"{AWS}\n" * 3,
    ]
    planted += [
        f"Authorization: Bearer {JWT}",
        "ibm_cloud_iam_key = " + "x1" * 22,
        "AKCp5budTFpbypBqQbGJPz3pGCi28pPi",
    ]
    chosen = random.Random(5)
    files = sorted(Path(__file__).resolve().parents[2].glob("qverify_desktop/gateway/[a-z]*.py"))
    for round_ in range(300):
        text = chosen.choice(files).read_text("utf-8")[:4_000]
        for _ in range(round_ % 4):
            at = chosen.randrange(len(text))
            text = f"{text[:at]}{chosen.choice(['', ' ', chr(10)])}{chosen.choice(planted)} {text[at:]}"
        everywhere = {
            (*match.span(group), rule)
            for rule, pattern in _library()
            for match in pattern.finditer(text)
            for group in [1 if match.re.groups and len(match.group(1) or "") >= 8 else 0]
            if len(match.group(group)) >= 8 and not _PLACEHOLDER.match(match.group(group))
        }
        for rule, pattern in [(rule, pattern) for rule, (_, pattern) in _OWN.items()] + [
            ("assigned-secret", _ASSIGNED)
        ]:
            everywhere |= {found for match in pattern.finditer(text) for found in _meant(match, rule)}
        assert everywhere <= set(secrets_of(text))


def test_what_is_a_secret_in_one_place_is_one_wherever_it_stands() -> None:
    messages = [
        {"role": "system", "content": "Write a test for `opened`; postgres is there."},
        {
            "role": "user",
            "content": 'def opened(password: str = "correct-horse-8471"):\n    db = "pg://a:postgres@db"',
        },
        {
            "role": "assistant",
            "content": 'assert opened("correct-horse-8471")\nassert not opened("xcorrect-horse-8471")',
        },
    ]
    found = mask(messages)
    assert [one["content"] for one in found.messages] == [
        "Write a test for `opened`; postgres is there.",
        'def opened(password: str = "<secret-1>"):\n    db = "pg://a:<secret-2>@db"',
        'assert opened("<secret-1>")\nassert not opened("xcorrect-horse-8471")',
    ]
    assert [(one.rule, one.message, one.line) for one in found.secrets] == [
        ("assigned-secret", 1, 1),
        ("address-with-password", 1, 2),
        ("repeated-secret", 2, 1),
    ]
    assert mask(list(found.messages)).messages == found.messages
