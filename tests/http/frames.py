"""HTTP/2 by hand, for what well-behaved clients do not do: python3-h2 for the ordinary part, raw frames beside it."""
import struct

import h2.config
import h2.connection
import h2.events

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def read_frames(sock):
    """Kind, flags, stream and payload of each frame, until the peer closes."""
    data = b""
    while part := sock.recv(65536):
        data += part
        while len(data) >= 9 and len(data) >= 9 + (length := int.from_bytes(data[:3], "big")):
            kind, flags, stream = struct.unpack(">BBI", data[3:9])
            yield kind, flags, stream, data[9:9 + length]
            data = data[9 + length:]


class Http2:
    """One connection. Events are read until what is waited for has come."""

    def __init__(self, sock):
        self.sock = sock
        config = h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False,
                                           validate_inbound_headers=False)
        self.h2 = h2.connection.H2Connection(config)
        self.h2.initiate_connection()
        self.events = []
        self.flush()

    def flush(self):
        self.sock.sendall(self.h2.data_to_send())

    def request(self, path, method="GET", headers=(), end=True):
        stream = self.h2.get_next_available_stream_id()
        pseudo = [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path)]
        self.h2.send_headers(stream, pseudo + list(headers), end_stream=end)
        self.flush()
        return stream

    def read(self):
        """False at the end of the connection."""
        data = self.sock.recv(65536)
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.DataReceived):
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            self.events.append(event)
        self.flush()
        return bool(data)

    def wait(self, kind, stream=None):
        seen = 0
        while True:
            for event in self.events[seen:]:
                if isinstance(event, kind) and stream in (None, getattr(event, "stream_id", None)):
                    return event
            seen = len(self.events)
            if not self.read():
                return None

    def status(self, stream):
        event = self.wait(h2.events.ResponseReceived, stream)
        return int(dict(event.headers)[b":status"])

    def body(self, stream):
        self.wait(h2.events.StreamEnded, stream)
        return b"".join(e.data for e in self.events
                        if isinstance(e, h2.events.DataReceived) and e.stream_id == stream)
