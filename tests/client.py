"""Plain HTTP to the API server, so that a test sees every byte and header."""
import base64
import http.client
import json
import socket
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

    def connection(self):
        return http.client.HTTPSConnection(self.host, int(self.port), context=self.context, timeout=TIMEOUT_S)

    def open(self, method, path, body=None, headers=None):
        """The response, its body not read yet: a watch."""
        connection = self.connection()
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        response.socket = connection.sock
        return response

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

    def wait(self, path, wanted, query="", within_s=TIMEOUT_S):
        """Lists and watches a collection until `wanted` (objects by name) gives something true, and gives that."""
        listed = self.get(f"{path}?{query}")
        objects = {one["metadata"]["name"]: one for one in listed["items"]}
        version = listed["metadata"]["resourceVersion"]
        watch = self.watch(path, f"resourceVersion={version}&timeoutSeconds={within_s}&{query}")
        watch.response.socket.settimeout(2 * within_s)
        try:
            while not (found := wanted(objects)):
                event = watch.next()
                assert event, f"{path} did not get there within {within_s} s: {json.dumps(objects)}"
                assert event["type"] != "ERROR", event
                name = event["object"]["metadata"]["name"]
                objects.pop(name, None)
                if event["type"] != "DELETED":
                    objects[name] = event["object"]
            return found
        finally:
            watch.close()

    def wait_one(self, path, name, wanted):
        """The object of that name once `wanted` holds for it."""
        return self.wait(path, lambda objects: name in objects and wanted(objects[name]) and objects[name],
                         f"fieldSelector=metadata.name%3D{name}")

    def wait_gone(self, path, name):
        self.wait(path, lambda objects: name not in objects, f"fieldSelector=metadata.name%3D{name}")


class Watch:
    """Events as they come."""

    def __init__(self, response):
        assert response.status == 200, response.read()
        self.response, self.ended = response, False

    def next(self):
        """The next event; None when the server, or `end`, has ended the watch."""
        try:
            line = self.response.readline()
        except (OSError, http.client.HTTPException):
            if not self.ended:
                raise
            line = b""
        return json.loads(line) if line else None

    def until(self, wanted):
        """Every event up to the first of that type."""
        events = []
        while True:
            events.append(self.next())
            assert events[-1] is not None, f"the watch ended after {events}"
            if events[-1]["type"] == wanted:
                return events

    def end(self):
        """From another thread than the one in `next`, which then gives None. `close` is still due."""
        self.ended = True
        self.response.socket.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.response.close()
