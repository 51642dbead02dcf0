"""Requests that two readers could understand differently, and plain rubbish: refused, and the connection with them.

Each case is sent whole. The answer must begin with the status given (None: closed without an answer) and
the connection must end, so that nothing behind it is taken for another request.
"""
import socket

import pytest
from http_server import TIMEOUT_S

SMUGGLED = b"GET /hello HTTP/1.1\r\nHost: smuggled\r\n\r\n"


def post(*lines, body=b""):
    head = [b"POST /digest HTTP/1.1", b"Host: a", *(line.encode("latin-1") if isinstance(line, str) else line for line in lines)]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def get(first=b"GET /hello HTTP/1.1", *lines):
    return b"\r\n".join([first, b"Host: a", *lines]) + b"\r\n\r\n"


CHUNKED = "Transfer-Encoding: chunked"

REFUSED = {
    # both lengths, and lengths that say two things
    "both lengths": (400, post("Content-Length: 5", CHUNKED, body=b"0\r\n\r\n" + SMUGGLED)),
    "both lengths, other order": (400, post(CHUNKED, "Content-Length: 5", body=b"0\r\n\r\n" + SMUGGLED)),
    "two lengths": (400, post("Content-Length: 5", "Content-Length: 6", body=b"hello" + SMUGGLED)),
    "the same length twice": (400, post("Content-Length: 5", "Content-Length: 5", body=b"hello" + SMUGGLED)),
    "a list of lengths": (400, post("Content-Length: 5, 5", body=b"hello" + SMUGGLED)),
    "a signed length": (400, post("Content-Length: +5", body=b"hello" + SMUGGLED)),
    "a negative length": (400, post("Content-Length: -1", body=SMUGGLED)),
    "a hexadecimal length": (400, post("Content-Length: 0x5", body=b"hello" + SMUGGLED)),
    "a length with a blank inside": (400, post("Content-Length: 5 0", body=b"hello" + SMUGGLED)),
    "an empty length": (400, post("Content-Length:", body=b"hello" + SMUGGLED)),
    "a fraction": (400, post("Content-Length: 5.0", body=b"hello" + SMUGGLED)),
    "an overflowing length": (400, post("Content-Length: 18446744073709551621", body=b"hello" + SMUGGLED)),
    "a length beyond 63 bits": (400, post("Content-Length: 9223372036854775808", body=b"hello")),
    # transfer codings
    "two codings": (400, post(CHUNKED, CHUNKED, body=b"0\r\n\r\n" + SMUGGLED)),
    "chunked, then identity": (501, post("Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n")),
    "identity": (501, post("Transfer-Encoding: identity", body=b"hello" + SMUGGLED)),
    "gzip, chunked": (501, post("Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n")),
    "xchunked": (501, post("Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + SMUGGLED)),
    "chunked in quotes": (501, post('Transfer-Encoding: "chunked"', body=b"0\r\n\r\n")),
    "a vertical tab before chunked": (400, post("Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n")),
    "an empty coding": (501, post("Transfer-Encoding:", body=b"0\r\n\r\n" + SMUGGLED)),
    "a coding in HTTP/1.0": (400, b"POST /digest HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    # field lines
    "a blank before the colon": (400, post("Content-Length : 5", body=b"hello" + SMUGGLED)),
    "a tab before the colon": (400, post("Transfer-Encoding\t: chunked", body=b"0\r\n\r\n" + SMUGGLED)),
    "a blank before the name": (400, get(b"GET /hello HTTP/1.1", b" X: y")),
    "a folded line": (400, get(b"GET /hello HTTP/1.1", b"X: y", b" folded")),
    "a folded line with a tab": (400, get(b"GET /hello HTTP/1.1", b"X: y", b"\tfolded")),
    "a field without a colon": (400, get(b"GET /hello HTTP/1.1", b"nothing")),
    "a field without a name": (400, get(b"GET /hello HTTP/1.1", b": value")),
    "a control character in a name": (400, get(b"GET /hello HTTP/1.1", b"X\x01: y")),
    "a blank in a name": (400, get(b"GET /hello HTTP/1.1", b"X Y: z")),
    "a NUL in a value": (400, get(b"GET /hello HTTP/1.1", b"X: a\x00b")),
    "a CR in a value": (400, get(b"GET /hello HTTP/1.1", b"X: a\rb")),
    "a CR before the end of a line": (400, get(b"GET /hello HTTP/1.1", b"X: a\r")),
    "an escape in a value": (400, get(b"GET /hello HTTP/1.1", b"X: \x1b[0m")),
    "bare LF after a field": (400, b"GET /hello HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
    "bare LF after the request line": (400, b"GET /hello HTTP/1.1\nHost: a\r\n\r\n"),
    "bare LF everywhere": (400, b"GET /hello HTTP/1.1\nHost: a\n\n"),
    "bare LF as the empty line": (400, b"GET /hello HTTP/1.1\r\nHost: a\r\n\n" + SMUGGLED),
    # the request line
    "no version": (400, b"GET /hello\r\nHost: a\r\n\r\n"),
    "HTTP/0.9": (505, b"GET /hello HTTP/0.9\r\nHost: a\r\n\r\n"),
    "HTTP/1.2": (505, b"GET /hello HTTP/1.2\r\nHost: a\r\n\r\n"),
    "HTTP/2.0": (505, b"GET /hello HTTP/2.0\r\nHost: a\r\n\r\n"),
    "http/1.1": (400, b"GET /hello http/1.1\r\nHost: a\r\n\r\n"),
    "two blanks": (400, b"GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a tab for a blank": (400, b"GET\t/hello HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a blank in the target": (400, b"GET /hel lo HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a blank behind the version": (400, b"GET /hello HTTP/1.1 \r\nHost: a\r\n\r\n"),
    "a blank in front": (400, b" GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a bracket in the method": (400, b"G(T /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
    "an empty method": (400, b" /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a NUL in the target": (400, b"GET /he\x00llo HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a raw UTF-8 target": (400, "GET /hellö HTTP/1.1\r\nHost: a\r\n\r\n".encode()),
    "a fragment": (400, b"GET /hello#x HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a relative target": (400, b"GET hello HTTP/1.1\r\nHost: a\r\n\r\n"),
    "an asterisk for GET": (400, b"GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a broken escape": (400, b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
    "an escape cut off": (400, b"GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n"),
    "another scheme": (400, b"GET ftp://a/hello HTTP/1.1\r\nHost: a\r\n\r\n"),
    "CONNECT": (501, b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
    "a TLS hello": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    "two empty lines in front": (400, b"\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
    # Host
    "no Host": (400, b"GET /hello HTTP/1.1\r\n\r\n"),
    "two Hosts": (400, b"GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    "a Host with a user": (400, b"GET /hello HTTP/1.1\r\nHost: a@b\r\n\r\n"),
    "a Host with a path": (400, b"GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    "a list of Hosts": (400, b"GET /hello HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    # chunks
    "a chunk without a size": (400, post(CHUNKED, body=b"\r\nhello\r\n0\r\n\r\n")),
    "a chunk size that is no number": (400, post(CHUNKED, body=b"g\r\nhello\r\n0\r\n\r\n")),
    "a chunk size with 0x": (400, post(CHUNKED, body=b"0x5\r\nhello\r\n0\r\n\r\n")),
    "a signed chunk size": (400, post(CHUNKED, body=b"+5\r\nhello\r\n0\r\n\r\n")),
    "a negative chunk size": (400, post(CHUNKED, body=b"-5\r\nhello\r\n0\r\n\r\n")),
    "a chunk size of 17 digits": (400, post(CHUNKED, body=b"00000000000000005\r\nhello\r\n0\r\n\r\n")),
    "a chunk size beyond 63 bits": (400, post(CHUNKED, body=b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n")),
    "a blank in front of a chunk size": (400, post(CHUNKED, body=b" 5\r\nhello\r\n0\r\n\r\n")),
    "a blank behind a chunk size": (400, post(CHUNKED, body=b"5 \r\nhello\r\n0\r\n\r\n")),
    "bare LF behind a chunk size": (400, post(CHUNKED, body=b"5\nhello\r\n0\r\n\r\n")),
    "bare LF behind a chunk": (400, post(CHUNKED, body=b"5\r\nhello\n0\r\n\r\n")),
    "a chunk longer than its size": (400, post(CHUNKED, body=b"4\r\nhello\r\n0\r\n\r\n")),
    "a bare CR in an extension": (400, post(CHUNKED, body=b"5;a\rb\r\nhello\r\n0\r\n\r\n")),
    "a bare LF in an extension": (400, post(CHUNKED, body=b"5;a\nb\r\nhello\r\n0\r\n\r\n")),
    "endless extensions": (400, post(CHUNKED, body=b"5;" + b"x" * 5000 + b"\r\nhello\r\n0\r\n\r\n")),
    "extensions a bit a chunk": (400, post(CHUNKED, body=b"1;xxxxxxxxx\r\na\r\n" * 600 + b"0\r\n\r\n")),
    "a trailer without a colon": (400, post(CHUNKED, body=b"0\r\nnothing\r\n\r\n" + SMUGGLED)),
    "bare LF in trailers": (400, post(CHUNKED, body=b"0\r\nX: y\n\r\n" + SMUGGLED)),
    "endless trailers": (400, post(CHUNKED, body=b"0\r\n" + b"X: yyyyyyyy\r\n" * 2000 + b"\r\n")),
    # too much
    "a head too large": (431, get(b"GET /hello HTTP/1.1", b"X: " + b"y" * 70000)),
    "a target too large": (431, get(b"GET /" + b"x" * 70000 + b" HTTP/1.1")),
    "a line without an end": (431, b"GET /" + b"x" * 100000),
    "too many fields": (431, get(b"GET /hello HTTP/1.1", *[b"X: y"] * 201)),
    "another expectation": (417, post("Content-Length: 5", "Expect: a-miracle", body=b"hello")),
}

TAKEN = {
    "an ordinary one": get(),
    "a field of many bytes": get(b"GET /hello HTTP/1.1", b"X: " + b"y" * 60000),
    "200 fields": get(b"GET /hello HTTP/1.1", *[b"X: y"] * 199),
    "blanks around a value": get(b"GET /hello HTTP/1.1", b"X: \t y \t "),
    "an empty value": get(b"GET /hello HTTP/1.1", b"X:"),
    "bytes beyond ASCII in a value": get(b"GET /hello HTTP/1.1", b"X: \xc3\xbc\xff"),
    "one empty line in front": b"\r\n" + get(),
    "the absolute form": get(b"GET http://b/hello HTTP/1.1"),
    "an empty Host": b"GET /hello HTTP/1.1\r\nHost:\r\n\r\n",
    "an IPv6 Host": b"GET /hello HTTP/1.1\r\nHost: [::1]:443\r\n\r\n",
    "an escaped path": get(b"GET /%68ello HTTP/1.1"),
    "a length of 0": get(b"GET /hello HTTP/1.1", b"Content-Length: 0"),
    "a length with zeros": post("Content-Length: 005", body=b"hello"),
    "chunks": post(CHUNKED, body=b"5\r\nhello\r\n0\r\n\r\n"),
    "chunks with capitals and extensions": post("TRANSFER-ENCODING: Chunked", body=b"0A;a=\"b c\"\r\nhellohello\r\n000;x\r\n\r\n"),
    "chunks with trailers": post(CHUNKED, body=b"5\r\nhello\r\n0\r\nX-Check: 1\r\n\r\n"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_and_closed(plain, name):
    status, request = REFUSED[name]
    with plain.connect() as sock:
        sock.sendall(request)
        data = b""
        while part := sock.recv(65536):
            data += part
    assert data.startswith(b"HTTP/1.1 %d " % status), data[:200]
    assert data.count(b"\r\nDate: ") == 1
    assert b"\r\nConnection: close\r\n" in data


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_byte_by_byte_alike(plain, name):
    """However the bytes are cut into segments, the answer is the same."""
    status, request = REFUSED[name]
    if len(request) > 1000:
        request_parts = [request[i:i + 999] for i in range(0, len(request), 999)]
    else:
        request_parts = [bytes([byte]) for byte in request]
    with plain.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for part in request_parts:
                sock.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass
        data = b""
        try:
            while part := sock.recv(65536):
                data += part
        except ConnectionResetError:
            pass
    assert data.startswith(b"HTTP/1.1 %d " % status), data[:200]
    assert data.count(b"\r\nDate: ") == 1


@pytest.mark.parametrize("name", TAKEN)
def test_is_taken_and_the_connection_kept(plain, name):
    request = TAKEN[name]
    with plain.connect() as sock:
        sock.settimeout(TIMEOUT_S)
        stream = sock.makefile("rb")
        for _ in range(2):
            sock.sendall(request)
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
            length = 0
            while (line := stream.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            assert len(stream.read(length)) == length > 0


def test_pipelined_requests_are_answered_in_order(plain):
    with plain.connect() as sock:
        stream = sock.makefile("rb")
        sock.sendall(b"".join(get(b"GET /size?bytes=%d HTTP/1.1" % n) for n in range(1, 200)) +
                     get(b"GET /hello HTTP/1.1", b"Connection: close"))
        answer = stream.read()
    lengths = [int(line.split(b":")[1]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length")]
    assert lengths == [*range(1, 200), 6]
