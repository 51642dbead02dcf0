"""A server without --tls-cert-file makes a certificate and keeps it in --cert-dir."""
import ssl
import stat
import subprocess
import sys
from pathlib import Path

from cluster import running

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "image"))
from watch import Watch  # noqa: E402

NONE = ["--tls-cert-file=", "--tls-private-key-file="]


def shown(plane):
    """The certificate that the server shows."""
    return ssl.get_server_certificate(("127.0.0.1", plane.port))


def test_the_certificate_is_kept(tmp_path):
    folder = tmp_path / "certs"
    flags = {"kube-apiserver": [*NONE, f"--cert-dir={folder}"]}
    with running(tmp_path / "cp", extra=flags) as plane:
        kept = (folder / "apiserver.crt").read_text()
        assert shown(plane) == kept
        assert stat.S_IMODE((folder / "apiserver.key").stat().st_mode) == 0o600
        plane.processes["kube-apiserver"].stop()
        plane.start_one("kube-apiserver", flags["kube-apiserver"])
        assert shown(plane) == kept == (folder / "apiserver.crt").read_text()


def test_without_a_folder_it_is_made_anew(tmp_path):
    flags = {"kube-apiserver": [*NONE, "--cert-dir="]}
    with running(tmp_path / "cp", extra=flags) as plane:
        first = shown(plane)
        plane.processes["kube-apiserver"].stop()
        plane.start_one("kube-apiserver", flags["kube-apiserver"])
        assert shown(plane) != first


def test_a_certificate_that_is_replaced_is_shown(tmp_path):
    """An address is added: connections that stand stay, those to come see the new certificate."""
    with running(tmp_path / "cp") as plane:
        before = shown(plane)
        with Watch(plane.logs / "kube-apiserver.log") as log:
            subprocess.run([plane.bin / "setup", "pki", "--dir", plane.folder, "--server", plane.server,
                            "--addresses", "10.96.0.1,192.0.2.77"], check=True, stdout=subprocess.DEVNULL)
            assert log.until(lambda text: "connections to come get the certificate" in text, 20)
        after = (plane.folder / "pki/apiserver.crt").read_text()
        assert shown(plane) == after != before
        subject = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName"], input=after, text=True,
                                 capture_output=True, check=True).stdout
        assert "192.0.2.77" in subject
