from pathlib import Path

from qverify_desktop.sandbox import entry


def test_a_job_can_set_words_of_its_own_but_not_the_fixed_ones() -> None:
    env = entry.environment({"TZ": "UTC", "LANG": "de_DE.UTF-8", "HOME": "/root", "QV_OUT": "/src"})
    assert sorted(env) == ["HOME=/tmp/home", "LANG=de_DE.UTF-8", "QV_OUT=/tmp/qv-out", "TZ=UTC"]


def test_certificates_are_named_only_where_they_are_mounted() -> None:
    assert not any("qverify-ca" in line for line in entry.environment({}))
    assert "PIP_CERT=/qverify-ca.pem" in entry.environment({}, certificates=True)


def test_the_host_s_certificates_are_the_first_file_that_is_there(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("x")
    assert entry.host_certificates({}) is None
    assert entry.host_certificates({"PIP_CERT": "", "SSL_CERT_FILE": str(tmp_path / "missing")}) is None
    assert entry.host_certificates({"PIP_CERT": "ca.pem", "SSL_CERT_FILE": str(tmp_path)}) is None
    assert entry.host_certificates({"PIP_CERT": "relative", "CURL_CA_BUNDLE": str(bundle)}) == bundle
