"""A key of the key file goes to its own end point once the file is open, and is masked wherever it stands in a prompt."""

from __future__ import annotations

from pathlib import Path

from qverify_desktop.gateway.gateway import ModelGateway
from qverify_desktop.settings.key_file import KeyFile
from qverify_desktop.settings.secrets import ApiKeys
from tests.gateway.test_gateway import complete, complete_with
from tests.model_servers.answers import Say, Script
from tests.model_servers.server import serving

KEY = "canary-of-the-key-file-31"
PASSPHRASE = "correct horse battery"


async def test_a_key_is_sent_from_the_moment_its_file_is_open(tmp_path: Path) -> None:
    ApiKeys({}, file=KeyFile(tmp_path, n=2**10)).put("127.0.0.1", KEY, "file", PASSPHRASE)
    keys = ApiKeys({}, file=KeyFile(tmp_path, n=2**10))
    gateway = ModelGateway(keys)
    script = Script([Say("yes"), Say("yes"), Say("yes")])
    with serving(script, "openai") as server:
        await complete(gateway, server)
        keys.unlock(PASSPHRASE)
        await complete(gateway, server)
        keys.remove("127.0.0.1")
        await complete(gateway, server)
    sent = [headers.get("authorization", "") for headers in script.headers]
    assert [KEY in one for one in sent] == [False, True, False]


async def test_a_key_of_the_open_file_is_masked_before_it_was_ever_used(tmp_path: Path) -> None:
    ApiKeys({}, file=KeyFile(tmp_path, n=2**10)).put("elsewhere.example.org", KEY, "file", PASSPHRASE)
    keys = ApiKeys({}, file=KeyFile(tmp_path, n=2**10))
    keys.unlock(PASSPHRASE)
    script = Script([Say("yes")])
    with serving(script, "openai") as server:
        await complete_with(ModelGateway(keys), server, [{"role": "user", "content": f"x = '{KEY}'"}])
    assert KEY not in str(script.requests) + str(script.headers)
    assert "<secret-1>" in str(script.requests)
