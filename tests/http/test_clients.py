"""Other people's clients, unchanged, against a server of lib/http: curl, nghttp, h2load, Go's net/http."""
import functools
import hashlib
import re
import subprocess

import pytest
from http_server import ROOT

VERSIONS = ["--http1.1", "--http2"]
BIG = 8 << 20


def curl(server, *argv, data=None):
    command = ["curl", "-sS", "--max-time", "20"]
    if server.pki:
        command += ["--cacert", str(server.pki / "ca.crt")]
    done = subprocess.run([*command, *argv], input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@functools.cache
def pattern(size):
    """What the server's /size gives."""
    return bytes(((i * 2654435761 & 0xffffffffffffffff) >> 13) & 0xff for i in range(size))


@pytest.mark.parametrize("version", VERSIONS)
def test_curl_gets_status_headers_and_body(tls, version):
    answer = curl(tls, version, "-i", tls.url + "/hello").decode()
    head, body = answer.split("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 OK" if version == "--http1.1" else "HTTP/2 200")
    assert re.search(r"^date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r?$", head, re.I | re.M)
    assert re.search(r"^content-length: 6\r?$", head, re.I | re.M)
    assert body == "hello\n"


@pytest.mark.parametrize("version", VERSIONS)
def test_curl_head_has_the_length_and_no_body(tls, version):
    answer = curl(tls, version, "-I", tls.url + "/hello").decode().lower()
    assert "content-length: 6" in answer and "hello" not in answer


@pytest.mark.parametrize("version", VERSIONS)
def test_curl_target_is_decoded_and_headers_arrive(tls, version):
    answer = curl(tls, version, "-H", "X-Test: a b", tls.url + "/inf%6f?labelSelector=a%3Db&x=%zz").decode()
    assert "path=/info\nquery=labelSelector=a%3Db&x=%zz\n" in answer
    assert "x-test: a b\n" in answer


@pytest.mark.parametrize("version", VERSIONS)
def test_curl_sends_a_large_body(tls, version, tmp_path):
    body = pattern(BIG)
    (tmp_path / "body").write_bytes(body)
    want = f"{BIG} {hashlib.sha256(body).hexdigest()} \n".encode()
    assert curl(tls, version, "--data-binary", f"@{tmp_path}/body", tls.url + "/digest") == want
    assert curl(tls, version, "-X", "POST", "-T", "-", tls.url + "/digest", data=body) == want


@pytest.mark.parametrize("version", VERSIONS)
def test_curl_gets_a_large_body_and_one_echoed(tls, version, tmp_path):
    body = pattern(BIG)
    (tmp_path / "body").write_bytes(body)
    assert curl(tls, version, f"{tls.url}/size?bytes={BIG}") == body
    assert curl(tls, version, "--data-binary", f"@{tmp_path}/body", tls.url + "/echo") == body


@pytest.mark.parametrize("version", VERSIONS)
def test_curl_waits_for_100_continue(tls, version):
    answer = curl(tls, version, "-i", "-H", "Expect: 100-continue", "-d", "hello", tls.url + "/digest").decode()
    assert re.match(r"HTTP/\S+ 100", answer) and "5 2cf24dba" in answer


def test_curl_early_answer_ends_the_connection(tls, tmp_path):
    (tmp_path / "body").write_bytes(bytes(BIG))
    answer = curl(tls, "--http1.1", "-i", "--data-binary", f"@{tmp_path}/body", tls.url + "/digest?limit=10").decode()
    assert " 413 " in answer and "Connection: close" in answer and "larger than 10 bytes" in answer


@pytest.mark.parametrize("version", VERSIONS)
def test_answers_come_from_another_thread(tls, version):
    assert curl(tls, version, tls.url + "/thread") == b"from a thread: /thread\n"


@pytest.mark.parametrize("version", VERSIONS)
def test_one_connection_serves_many_requests(tls, version):
    urls = [f"{tls.url}/size?bytes={n}" for n in range(1, 50)]
    command = [version, "-w", "%{num_connects}\n"]
    for n, url in enumerate(urls):
        command += ["-o", "/dev/null", url]
    assert curl(tls, *command).decode().split() == ["1"] + ["0"] * 48


def test_client_certificate_is_seen_and_none_is_needed(tls):
    cert = ["--cert", str(tls.pki / "client.crt"), "--key", str(tls.pki / "client.key")]
    assert curl(tls, *cert, tls.url + "/whoami") == b"test-client\n"
    assert curl(tls, tls.url + "/whoami") == b"nobody\n"
    # The server's own certificate is from the same CA, but not for clients.
    wrong = ["--cert", str(tls.pki / "server.crt"), "--key", str(tls.pki / "server.key")]
    assert b"not trusted" in curl(tls, *wrong, tls.url + "/whoami")


def test_tls_below_1_2_is_refused(tls):
    for version in ("--tls-max", "1.1"), ("--tls-max", "1.0"):
        done = subprocess.run(["curl", "-sS", "-k", "--ciphers", "DEFAULT@SECLEVEL=0", *version, tls.url + "/hello"],
                              capture_output=True, check=False)
        assert done.returncode == 35
    assert curl(tls, "--tlsv1.2", "--tls-max", "1.2", tls.url + "/hello") == b"hello\n"


def test_prior_knowledge_http2_without_tls(plain):
    assert curl(plain, "--http2-prior-knowledge", plain.url + "/info").startswith(b"version=2\n")
    assert curl(plain, "--http1.1", plain.url + "/info").startswith(b"version=1\n")


def test_nghttp_gets_many_streams_and_trailers(tls, tmp_path):
    (tmp_path / "body").write_bytes(b"x" * 100000)
    done = subprocess.run(["nghttp", "-v", "--no-verify-peer", "-d", str(tmp_path / "body"), "-m", "20", tls.url + "/echo"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.count("x-echo: done") == 20


def test_nghttp_hears_no_error_with_an_early_answer(tls, tmp_path):
    (tmp_path / "body").write_bytes(bytes(1 << 20))
    done = subprocess.run(["nghttp", "-nv", "--no-verify-peer", "-d", str(tmp_path / "body"), tls.url + "/digest?limit=10"],
                          capture_output=True, text=True, check=False)
    text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    assert ":status: 413" in text and "(error_code=NO_ERROR(0x00))" in text


@pytest.mark.parametrize("streams", [1, 10, 100])
def test_h2load_succeeds_with_every_request(tls, streams):
    done = subprocess.run(["h2load", "-n", "5000", "-c", "50", "-m", str(streams), tls.url + "/hello"],
                          capture_output=True, text=True, check=False)
    assert "5000 succeeded, 0 failed, 0 errored, 0 timeout" in done.stdout


@pytest.fixture(scope="module")
def goclient():
    out = ROOT / "out/test/goclient"
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([ROOT / "rootfs/packages/go-build", ROOT / "tests/http/goclient", out], check=True)
    return out


@pytest.mark.parametrize("version", ["1", "2"])
def test_go_client(tls, goclient, version):
    done = subprocess.run([goclient, tls.url, tls.pki / "ca.crt", version], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
