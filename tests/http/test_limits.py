"""What a peer may take: time, memory, streams, connections; and how a server ends."""
import socket
import struct
import threading
import time

import h2.events
import h2.settings
import pytest
from http_server import read_response
from frames import CONTINUATION, DATA, GOAWAY, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, Http2, frame, read_frames

END_HEADERS, END_STREAM = 4, 1
NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM = 0, 1, 7
GET_ROOT = b"\x82\x86\x84\x41\x01a"  # HPACK: GET, http, "/", :authority a


def seconds_until_closed(sock):
    started = time.monotonic()
    data = b""
    try:
        while part := sock.recv(65536):
            data += part
    except ConnectionResetError:
        pass
    return time.monotonic() - started, data


# --- time

@pytest.mark.parametrize("sent", [b"", b"GET /hello HTTP/1.1\r\nHost: a\r\nX-Slow: ", PREFACE[:10], PREFACE], ids=repr)
def test_a_head_that_never_ends_is_cut(start, sent):
    server = start(head_timeout_ms=300, idle_timeout_ms=300)
    with server.connect() as sock:
        sock.sendall(sent)
        seconds, _ = seconds_until_closed(sock)
    assert 0.25 < seconds < 5


def test_a_head_in_drips_is_cut_all_the_same(start):
    server = start(head_timeout_ms=400)
    with server.connect() as sock:
        started = time.monotonic()
        with pytest.raises(OSError):
            for byte in b"GET /hello HTTP/1.1\r\n" + b"X: y\r\n" * 10000:
                sock.sendall(bytes([byte]))
                select_or_fail(sock, 0.02)
    assert 0.3 < time.monotonic() - started < 5


def select_or_fail(sock, seconds):
    """Waits for the server to say something, which it only does by closing."""
    sock.settimeout(seconds)
    try:
        if not sock.recv(1):
            raise ConnectionResetError
    except TimeoutError:
        pass


def test_a_tls_handshake_that_never_ends_is_cut(start):
    server = start(tls=True, head_timeout_ms=300)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        sock.sendall(b"\x16\x03\x01\x02\x00\x01")
        seconds, _ = seconds_until_closed(sock)
    assert 0.25 < seconds < 5


def test_an_open_head_of_http2_is_cut(start):
    server = start(head_timeout_ms=300)
    with server.connect() as sock:
        sock.sendall(PREFACE + frame(SETTINGS) + frame(HEADERS, 0, 1, b"\x82"))
        seconds, _ = seconds_until_closed(sock)
    assert 0.25 < seconds < 5


@pytest.mark.parametrize("http2", [False, True])
def test_an_idle_connection_is_closed_politely(start, http2):
    server = start(idle_timeout_ms=300)
    with server.connect() as sock:
        if http2:
            connection = Http2(sock)
            assert connection.status(connection.request("/hello")) == 200
            assert connection.wait(h2.events.ConnectionTerminated).error_code == NO_ERROR
            assert not connection.read()
        else:
            sock.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            seconds, data = seconds_until_closed(sock)
            assert data.endswith(b"hello\n") and 0.25 < seconds < 5


def test_a_waiting_stream_is_not_idle(start):
    server = start(idle_timeout_ms=200, head_timeout_ms=200)
    with server.connect() as sock:
        connection = Http2(sock)
        stream = connection.request("/watch")
        assert connection.status(stream) == 200
        sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            while connection.read():
                pass
        sock.settimeout(10)
        assert server.get("/publish", "POST", b"still here")[1] == b"1\n"
        connection.wait(h2.events.DataReceived, stream)


@pytest.mark.parametrize("head", [b"Content-Length: 100", b"Transfer-Encoding: chunked"])
def test_a_body_that_never_ends_is_cut(start, head):
    server = start(stall_timeout_ms=300)
    with server.connect() as sock:
        sock.sendall(b"POST /digest HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n\r\n1")
        seconds, _ = seconds_until_closed(sock)
    assert 0.25 < seconds < 5
    server.wait_for("gone", 1)


def test_a_peer_that_reads_nothing_is_cut(start):
    server = start(stall_timeout_ms=300)
    with server.connect() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(b"GET /size?bytes=16000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for("connections", 1)  # the one that asks
        assert len(seconds_until_closed(sock)[1]) < 16000000


# --- size

def test_http2_head_too_large_is_answered_431(tls):
    with tls.connect(["h2"]) as sock:
        connection = Http2(sock)
        connection.h2.remote_settings[h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE] = 1 << 30
        assert connection.status(connection.request("/hello", headers=[(f"x-{n}", "y" * 4000) for n in range(17)])) == 431
        assert connection.status(connection.request("/hello", headers=[(f"x-{n}", "y") for n in range(201)])) == 431
        assert connection.status(connection.request("/hello")) == 200


def test_body_over_the_handlers_limit_is_answered(tls):
    assert tls.get("/digest?limit=99", "POST", b"x" * 100)[0] == 413
    assert tls.get("/digest?limit=100", "POST", b"x" * 100)[0] == 200


def test_endless_continuations_end_the_connection(start):
    server = start()
    with server.connect() as sock:
        sock.sendall(PREFACE + frame(SETTINGS) + frame(HEADERS, 0, 1, b"\x82"))
        try:
            for _ in range(10000):
                sock.sendall(frame(CONTINUATION, 0, 1, b"\x00\x01a\x01b"))
        except (BrokenPipeError, ConnectionResetError):
            pass
        seconds_until_closed(sock)
    assert server.get("/hello") == (200, b"hello\n")


# --- HTTP/2 that is malformed

MALFORMED_HEADERS = {
    "upper case": [("X-Upper", "y")],
    "connection": [("connection", "keep-alive")],
    "transfer-encoding": [("transfer-encoding", "chunked")],
    "a line end in a value": [("x", "y\r\nz: 1")],
    "a NUL in a value": [("x", "y\0")],
    "a blank in a name": [("x y", "z")],
    "a late pseudo-header": [("x", "y"), (":path", "/other")],
    "an unknown pseudo-header": [(":other", "y")],
    "two lengths": [("content-length", "1"), ("content-length", "2")],
    "a length that is no number": [("content-length", "x")],
    "te other than trailers": [("te", "gzip")],
}


@pytest.mark.parametrize("name", MALFORMED_HEADERS)
def test_http2_malformed_request_is_reset(plain, name):
    with plain.connect() as sock:
        connection = Http2(sock)
        stream = connection.request("/hello", headers=MALFORMED_HEADERS[name])
        assert connection.wait(h2.events.StreamReset, stream) is not None
        assert connection.status(connection.request("/hello")) == 200


@pytest.mark.parametrize("path", ["hello", "", "/%zz", "*"])
def test_http2_malformed_path_is_refused(plain, path):
    with plain.connect() as sock:
        connection = Http2(sock)
        stream = connection.request(path)
        while not any(getattr(e, "stream_id", None) == stream for e in connection.events):
            connection.read()
        answers = [e for e in connection.events if isinstance(e, h2.events.ResponseReceived)]
        resets = [e for e in connection.events if isinstance(e, h2.events.StreamReset)]
        assert [dict(e.headers)[b":status"] for e in answers] == [b"400"] or resets


@pytest.mark.parametrize("sent", [
    frame(SETTINGS, 0, 1), frame(PING, 0, 0, b"short"), frame(HEADERS, END_HEADERS, 2, b"\x82"),
    frame(HEADERS, END_HEADERS, 1, b"\xff" * 10), frame(CONTINUATION, 0, 1, b""), frame(RST_STREAM, 0, 1, bytes(4)),
    b"\xff\xff\xff\x00\x00\x00\x00\x00\x01", frame(SETTINGS, 0, 0, b"\x00\x05\x00\x00\x00\x01"),
], ids=lambda sent: sent[:12].hex())
def test_http2_broken_frame_ends_the_connection(plain, sent):
    with plain.connect() as sock:
        sock.sendall(PREFACE + frame(SETTINGS) + sent)
        _, data = seconds_until_closed(sock)
    kinds = []
    while data:
        length = int.from_bytes(data[:3], "big")
        kinds.append(data[3])
        data = data[9 + length:]
    assert kinds[-1] == GOAWAY


# --- how many

def test_streams_beyond_100_are_refused(tls):
    with tls.connect(["h2"]) as sock:
        connection = Http2(sock)
        streams = [connection.request("/hang") for _ in range(100)]
        assert all(connection.status(s) == 200 for s in streams)
        assert connection.h2.remote_settings.max_concurrent_streams == 100
        sock.sendall(frame(HEADERS, END_HEADERS | END_STREAM, 201, GET_ROOT))
        reset = next(f for f in read_frames(sock) if f[0] in (RST_STREAM, GOAWAY))
    # The client knows the limit by now, so that it is a breach of the protocol (RFC 9113, 5.1.2).
    assert (reset[0], reset[3][4:8]) == (GOAWAY, struct.pack(">I", PROTOCOL_ERROR))


def test_streams_beyond_100_are_refused_before_the_limit_is_known(tls):
    with tls.connect(["h2"]) as sock:
        sock.sendall(PREFACE + frame(SETTINGS) +
                     b"".join(frame(HEADERS, END_HEADERS, 1 + 2 * n, GET_ROOT) for n in range(110)))
        resets = []
        for kind, _, stream, payload in read_frames(sock):
            if kind == RST_STREAM:
                resets.append((stream, int.from_bytes(payload, "big")))
            if len(resets) == 10:
                break
    assert resets == [(1 + 2 * n, REFUSED_STREAM) for n in range(100, 110)]


def test_connections_beyond_the_limit_wait(start):
    server = start(connections_max=3)
    held = [server.connect() for _ in range(3)]
    for sock in held:
        sock.sendall(b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 200")
    with server.connect() as late:
        late.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        late.settimeout(0.2)
        with pytest.raises(TimeoutError):
            late.recv(1)
        held.pop().close()
        late.settimeout(10)
        assert seconds_until_closed(late)[1].endswith(b"hello\n")
    for sock in held:
        sock.close()


def memory_kib(server, field="RssAnon"):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field))


def test_rapid_resets_are_bounded(start):
    """Requests that are taken back at once, by the ten thousand: cut, with no memory left behind."""
    server = start()
    with server.connect() as sock:
        sock.sendall(PREFACE + frame(SETTINGS))
        before = memory_kib(server)
        try:
            for n in range(200):
                sock.sendall(b"".join(frame(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * (200 * n + m), GET_ROOT) +
                                      frame(RST_STREAM, 0, 1 + 2 * (200 * n + m), struct.pack(">I", 8))
                                      for m in range(200)))
        except (BrokenPipeError, ConnectionResetError):
            pass
        seconds_until_closed(sock)
        assert memory_kib(server) - before < 8192
    assert server.stats()["requests"] < 10000


def test_ping_flood_of_a_peer_that_reads_nothing_is_bounded(start):
    server = start(stall_timeout_ms=2000)
    with server.connect() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(PREFACE + frame(SETTINGS))
        before = memory_kib(server)
        sock.settimeout(5)
        with pytest.raises(OSError):
            for _ in range(100000):
                sock.sendall(frame(PING, 0, 0, bytes(8)) * 100)
        assert memory_kib(server) - before < 8192


# --- watches

def test_200_watchers_get_every_frame_in_order(tls):
    watchers = []
    for _ in range(200):
        connection = Http2(tls.connect(["h2"]))
        watchers.append((connection, connection.request("/watch")))
    for connection, stream in watchers:
        assert connection.status(stream) == 200
    frames = [b'{"type":"ADDED","number":%d}\n' % n for n in range(50)]
    for part in frames:
        assert tls.get("/publish", "POST", part) == (200, b"200\n")
    for connection, stream in watchers:
        want, got = b"".join(frames), b""
        while len(got) < len(want):
            connection.read()
            got = b"".join(e.data for e in connection.events if isinstance(e, h2.events.DataReceived))
        assert got == want
        connection.sock.close()
    tls.wait_for("watchers", 0)


@pytest.mark.parametrize("http2", [False, True])
def test_a_slow_watcher_is_cut_and_a_quick_one_is_not(start, http2):
    server = start()
    slow = server.connect()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    if http2:
        connection = Http2(slow)
        assert connection.status(connection.request("/watch?limit=100000")) == 200
    else:
        slow.sendall(b"GET /watch?limit=100000 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert slow.recv(12) == b"HTTP/1.1 200"
    quick = Http2(server.connect())
    stream = quick.request("/watch?limit=100000")
    assert quick.status(stream) == 200
    sent = 0
    while server.stats()["cut"] == 0 and sent < 1000:
        assert server.get("/publish", "POST", b"x" * 50000)[0] == 200
        sent += 1
        while sum(len(e.data) for e in quick.events if isinstance(e, h2.events.DataReceived)) < 50000 * sent:
            assert quick.read()
    assert 2 <= sent < 1000
    assert server.stats()["watchers"] == 1
    slow.close()
    quick.sock.close()


@pytest.mark.parametrize("http2", [False, True])
def test_a_handler_hears_when_its_peer_goes(start, http2):
    server = start(tls=True)
    with server.connect(["h2"] if http2 else None) as sock:
        if http2:
            connection = Http2(sock)
            assert connection.status(connection.request("/watch")) == 200
        else:
            sock.sendall(b"GET /watch HTTP/1.1\r\nHost: a\r\n\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 200")
        server.wait_for("watchers", 1)
    server.wait_for("watchers", 0)


# --- upgrade, drain

def test_upgrade_hands_over_the_connection(tls):
    with tls.connect(["http/1.1"]) as sock:
        stream = sock.makefile("rb")
        sock.sendall(b"GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly")
        assert stream.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"
        while stream.readline() != b"\r\n":
            pass
        assert stream.read(5) == b"early"
        blob = bytes(range(256)) * 4000
        sender = threading.Thread(target=sock.sendall, args=(blob,))
        sender.start()
        assert stream.read(len(blob)) == blob
        sender.join()


def test_drain_lets_streams_end_and_takes_no_more(start):
    server = start(tls=True)
    watcher, idle = Http2(server.connect(["h2"])), Http2(server.connect(["h2"]))
    stream = watcher.request("/watch")
    assert watcher.status(stream) == 200
    assert idle.status(idle.request("/hello")) == 200
    kept = server.connect(["http/1.1"])
    kept.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
    assert kept.recv(1000).endswith(b"hello\n")
    assert server.get("/drain", "POST", b"")[1] == b"draining\n"
    assert idle.wait(h2.events.ConnectionTerminated).error_code == NO_ERROR
    seen = [(kind, flags & END_STREAM) for kind, flags, _, _ in read_frames(watcher.sock)]
    assert seen == [(GOAWAY, 0), (DATA, END_STREAM)]
    assert read_response(kept) == (b"", True)
    while idle.read():
        pass
    for connection in (watcher.sock, idle.sock, kept):
        connection.close()
    assert server.process.wait(10) == 0
