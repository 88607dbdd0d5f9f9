from pathlib import Path

from qverify_desktop.sandbox import entry


def test_a_job_can_set_words_of_its_own_but_not_the_fixed_ones() -> None:
    env = entry.command_environment({"TZ": "UTC", "LANG": "de_DE.UTF-8", "HOME": "/root", "QV_OUT": "/src"})
    assert env == {"LANG": "de_DE.UTF-8", "TZ": "UTC"}
    assert entry.environment() == {"LANG": "C.UTF-8", "HOME": "/tmp/home", "QV_OUT": "/tmp/qv-out"}


def test_certificates_are_named_only_where_there_are_some() -> None:
    assert not any("qverify-ca" in value for value in entry.command_environment({}).values())
    assert entry.command_environment({}, certificates=True)["PIP_CERT"] == "/tmp/qverify-ca.pem"


def test_the_host_s_certificates_are_the_first_file_that_is_there(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("x")
    assert entry.host_certificates({}) is None
    assert entry.host_certificates({"PIP_CERT": "", "SSL_CERT_FILE": str(tmp_path / "missing")}) is None
    assert entry.host_certificates({"PIP_CERT": "ca.pem", "SSL_CERT_FILE": str(tmp_path)}) is None
    assert entry.host_certificates({"PIP_CERT": "relative", "CURL_CA_BUNDLE": str(bundle)}) == bundle
