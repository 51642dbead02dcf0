"""A reverse proxy in front of kube-apiserver that answers the metrics APIs itself: as a server does that aggregates
them. Who shows a token is passed on with it, everyone else as the identity of the kubeconfig."""
import base64
import contextlib
import http.client
import json
import socketserver
import ssl
import tempfile
import threading
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import h2.exceptions

GROUPS = ("metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io")
HOP = {"connection", "transfer-encoding", "keep-alive"}


def field(text, name):
    """One of a kubeconfig's fields, each of which stands once in ours."""
    return next(line.split(":", 1)[1].strip().strip('"') for line in text.splitlines()
                if line.strip().lstrip("- ").startswith(f"{name}:"))


class Link(socketserver.BaseRequestHandler):
    """One HTTP/2 connection; each stream is answered by a thread of its own."""

    def handle(self):
        self.request.do_handshake()
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.changed, self.streams = threading.Condition(), {}
        self.h2.initiate_connection()
        self.flush()
        while data := self.request.recv(1 << 16):
            with self.changed:
                for event in self.h2.receive_data(data):
                    self.take(event)
                self.flush()
                self.changed.notify_all()

    def flush(self):
        self.request.sendall(self.h2.data_to_send())

    def take(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.streams[event.stream_id] = (dict(event.headers), bytearray())
        elif isinstance(event, h2.events.DataReceived):
            self.streams[event.stream_id][1].extend(event.data)
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            threading.Thread(target=self.answer, args=(event.stream_id, *self.streams[event.stream_id]),
                             daemon=True).start()

    def answer(self, stream, headers, body):
        group = (headers[":path"].split("?")[0].split("/") + [""] * 3)[2]
        with contextlib.suppress(OSError, h2.exceptions.ProtocolError, http.client.HTTPException):
            if headers[":path"].startswith("/apis/") and group in GROUPS and self.server.owner.has(group):
                self.metrics(stream, headers[":path"])
            else:
                self.relay(stream, headers, bytes(body))

    def metrics(self, stream, path):
        found = self.server.owner.find(path)
        self.head(stream, 200 if found else 404, [("content-type", "application/json")])
        self.body(stream, json.dumps(found or {
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound",
            "message": f"no metrics at {path}", "code": 404}).encode())
        self.end(stream)

    def relay(self, stream, headers, body):
        owner = self.server.owner
        trust = owner.bare if "authorization" in headers else owner.known
        upstream = http.client.HTTPSConnection("127.0.0.1", owner.upstream_port, context=trust)
        try:
            upstream.request(headers[":method"], headers[":path"], body or None,
                             {key: value for key, value in headers.items() if not key.startswith(":")})
            response = upstream.getresponse()
            self.head(stream, response.status, [(key.lower(), value) for key, value in response.getheaders()
                                                if key.lower() not in HOP])
            while chunk := response.read1(1 << 16):
                self.body(stream, chunk)
            self.end(stream)
        finally:
            upstream.close()

    def head(self, stream, status, headers):
        with self.changed:
            self.h2.send_headers(stream, [(":status", str(status)), *headers])
            self.flush()

    def body(self, stream, data):
        with self.changed:
            while data:
                self.changed.wait_for(lambda: self.h2.local_flow_control_window(stream) > 0)
                size = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
                self.h2.send_data(stream, data[:size])
                self.flush()
                data = data[size:]

    def end(self, stream):
        with self.changed:
            self.h2.end_stream(stream)
            self.flush()


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Peers that end a connection are no failure."""


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
        self.server = Server(("127.0.0.1", 0), Link)
        self.server.owner = self
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.set_alpn_protocols(["h2"])
        own.load_cert_chain(plane.pki / "apiserver.crt", plane.pki / "apiserver.key")
        self.server.socket = own.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.kubeconfig = Path(config).with_suffix(".proxied")
        self.kubeconfig.write_text(text.replace(field(text, "server"), self.url))

    @property
    def url(self):
        return f"https://127.0.0.1:{self.server.server_address[1]}"

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
