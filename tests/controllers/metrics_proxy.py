"""A reverse proxy in front of kube-apiserver that answers the metrics APIs itself: as a server does that aggregates
them. Who shows a token is passed on with it, everyone else as the identity of the kubeconfig."""
import base64
import http.client
import http.server
import json
import ssl
import tempfile
import threading
from pathlib import Path

GROUPS = ("metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io")
HOP = {"connection", "transfer-encoding", "keep-alive"}


def field(text, name):
    """One of a kubeconfig's fields, each of which stands once in ours."""
    return next(line.split(":", 1)[1].strip().strip('"') for line in text.splitlines()
                if line.strip().lstrip("- ").startswith(f"{name}:"))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        group = (self.path.split("?")[0].split("/") + [""] * 3)[2]
        if self.path.startswith("/apis/") and group in GROUPS and self.server.owner.has(group):
            self.metrics()
        else:
            self.relay(body)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = answer

    def metrics(self):
        found = self.server.owner.find(self.path)
        text = json.dumps(found or {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound",
                                    "message": f"no metrics at {self.path}", "code": 404}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def relay(self, body):
        owner = self.server.owner
        trust = owner.bare if "Authorization" in self.headers else owner.known
        upstream = http.client.HTTPSConnection("127.0.0.1", owner.upstream_port, context=trust)
        try:
            headers = {key: value for key, value in self.headers.items() if key.lower() not in HOP}
            upstream.request(self.command, self.path, body or None, headers)
            self.pass_back(upstream.getresponse())
        finally:
            upstream.close()

    def pass_back(self, response):
        self.send_response(response.status)
        for key, value in response.getheaders():
            if key.lower() not in HOP:
                self.send_header(key, value)
        if response.length is not None:
            self.end_headers()
            self.wfile.write(response.read())
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while chunk := response.read1(1 << 16):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Peers that end a watch are no failure."""


class MetricsProxy:
    """`answers` maps paths without their query to objects; a group without any is not served."""

    def __init__(self, plane, config):
        text = Path(config).read_text()
        self.upstream_port, self.answers, self.asked = plane.port, {}, []
        self.bare, self.known = self.context(text), self.context(text)
        with tempfile.NamedTemporaryFile() as pem:
            pem.write(b"".join(base64.b64decode(field(text, f"client-{part}-data")) + b"\n"
                               for part in ("certificate", "key")))
            pem.flush()
            self.known.load_cert_chain(pem.name)
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.owner = self
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.load_cert_chain(plane.pki / "apiserver.crt", plane.pki / "apiserver.key")
        self.server.socket = own.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.kubeconfig = Path(config).with_suffix(".proxied")
        self.kubeconfig.write_text(text.replace(field(text, "server"), self.url))

    @property
    def url(self):
        return f"https://127.0.0.1:{self.server.server_port}"

    @staticmethod
    def context(text):
        made = ssl.create_default_context(cadata=base64.b64decode(field(text, "certificate-authority-data")).decode())
        made.check_hostname = False
        return made

    def has(self, group):
        return any(path.startswith(f"/apis/{group}") for path in self.answers)

    def find(self, path):
        self.asked.append(path)
        return self.answers.get(path.split("?")[0])

    def close(self):
        self.server.shutdown()
        self.server.server_close()
