"""A server without --tls-cert-file makes a certificate and keeps it in --cert-dir."""
import ssl
import stat

from cluster import running

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
