"""Plain HTTP to the API server, so that a test sees every byte and header."""
import base64
import http.client
import json
import ssl
import tempfile
from pathlib import Path

import yaml

TIMEOUT_S = 30


class Refused(Exception):
    """An answer that is no success; `status` is its code, `body` the Status."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


class Answer:
    def __init__(self, response, data):
        self.status, self.headers, self.data = response.status, response.headers, data

    @property
    def json(self):
        return json.loads(self.data)


class Client:
    def __init__(self, kubeconfig):
        config = yaml.safe_load(Path(kubeconfig).read_text())
        user, cluster = config["users"][0]["user"], config["clusters"][0]["cluster"]
        self.host, self.port = cluster["server"].removeprefix("https://").split(":")
        self.context = ssl.create_default_context(cadata=base64.b64decode(
            cluster["certificate-authority-data"]).decode())
        with tempfile.TemporaryDirectory() as folder:
            pem = Path(folder) / "client.pem"
            pem.write_bytes(base64.b64decode(user["client-certificate-data"]) + b"\n" +
                            base64.b64decode(user["client-key-data"]))
            self.context.load_cert_chain(pem)

    def open(self, method, path, body=None, headers=None):
        """The response, its body not read yet: a watch."""
        connection = http.client.HTTPSConnection(self.host, int(self.port), context=self.context, timeout=TIMEOUT_S)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        connection.request(method, path, body, headers or {})
        return connection.getresponse()

    def ask(self, method, path, body=None, **headers):
        """Any answer, whatever its status. Header names are written with underscores."""
        with self.open(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()}) as response:
            return Answer(response, response.read())

    def call(self, method, path, body=None, **headers):
        answer = self.ask(method, path, body, **headers)
        if answer.status >= 300:
            raise Refused(answer.status, answer.json)
        return answer.json

    def get(self, path, **headers):
        return self.call("GET", path, **headers)

    def post(self, path, body, **headers):
        return self.call("POST", path, body, **headers)

    def put(self, path, body, **headers):
        return self.call("PUT", path, body, **headers)

    def delete(self, path, body=None, **headers):
        return self.call("DELETE", path, body, **headers)

    def patch(self, path, body, kind="merge"):
        return self.call("PATCH", path, body, Content_Type=f"application/{kind}-patch+json")

    def watch(self, path, query=""):
        return Watch(self.open("GET", f"{path}?watch=1&{query}"))


class Watch:
    """Events as they come."""

    def __init__(self, response):
        assert response.status == 200, response.read()
        self.response = response

    def next(self):
        line = self.response.readline()
        return json.loads(line) if line else None

    def until(self, wanted):
        """Every event up to the first of that type."""
        events = []
        while True:
            events.append(self.next())
            assert events[-1] is not None, f"the watch ended after {events}"
            if events[-1]["type"] == wanted:
                return events

    def close(self):
        self.response.close()
