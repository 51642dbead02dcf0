"""A server of lib/http on a port that the kernel chose."""
import contextlib
import http.client
import os
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(os.environ.get("HTTP_TEST_SERVER", ROOT / "out/dev/bin/http-test-server"))
TIMEOUT_S = 10


class Server:
    def __init__(self, process, port, pki):
        self.process, self.port, self.pki = process, port, pki

    @property
    def url(self):
        return f"{'https' if self.pki else 'http'}://127.0.0.1:{self.port}"

    def connect(self, alpn=None, client_cert=False):
        """A raw socket, with TLS when the server has it."""
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S)
        if not self.pki:
            return raw
        context = ssl.create_default_context(cafile=self.pki / "ca.crt")
        if alpn:
            context.set_alpn_protocols(alpn)
        if client_cert:
            context.load_cert_chain(self.pki / "client.crt", self.pki / "client.key")
        return context.wrap_socket(raw, server_hostname="localhost")

    def get(self, path, method="GET", body=None):
        """Status and body, over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        if self.pki:
            connection.sock = self.connect(["http/1.1"])
        with contextlib.closing(connection):
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read()

    def stats(self):
        lines = self.get("/stats")[1].decode().split()
        return {name: int(value) for name, value in (line.split("=") for line in lines)}

    def wait_for(self, name, value):
        """Asks until the server's own count says so; the deadline only bounds a failure."""
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            have = self.stats()[name]
            if have == value:
                return
        pytest.fail(f"{name} is {have}, not {value}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(TIMEOUT_S)
        assert status == 0, f"the server ended with {status}: {self.process.stderr.read()}"


@contextlib.contextmanager
def running(folder=None, **options):
    argv = [str(PROGRAM)]
    if folder:
        argv += ["--pki", str(folder)]
    for name, value in options.items():
        argv += ["--set", f"{name.replace('_', '-')}={value}"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    assert line.startswith("port "), process.stderr.read()
    server = Server(process, int(line.split()[1]), folder)
    try:
        yield server
        if process.poll() is None:
            server.stop()
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def read_response(sock):
    """Everything until the peer closes or nothing is sent for a while: (bytes, closed)."""
    data = b""
    with contextlib.suppress(TimeoutError, socket.timeout):
        while part := sock.recv(65536):
            data += part
        return data, True
    return data, False
