"""Servers that do not mean well: what a kit must survive when it is pointed at anything."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Behave = Callable[[socket.socket, threading.Event], None]

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def hang(peer: socket.socket, gone: threading.Event) -> None:
    """Take the request, and never answer."""
    peer.recv(65536)
    gone.wait(30)


def drip(peer: socket.socket, gone: threading.Event) -> None:
    """Send a byte now and then, so that no read times out."""
    peer.sendall(OK + b"content-length: 100000\r\n\r\n")
    while not gone.wait(0.02):
        peer.sendall(b" ")


def endless(peer: socket.socket, gone: threading.Event) -> None:
    """Send a body without an end."""
    peer.sendall(OK + b"connection: close\r\n\r\n")
    while not gone.is_set():
        peer.sendall(b'{"a":' * 20000)


def huge(peer: socket.socket, _gone: threading.Event) -> None:
    """Promise a hundred megabytes and send twenty."""
    peer.sendall(OK + b"content-length: 100000000\r\n\r\n")
    for _ in range(20):
        peer.sendall(b"0" * 1_000_000)


def redirect(peer: socket.socket, _gone: threading.Event) -> None:
    """Send everybody back to where they came from."""
    peer.recv(65536)
    peer.sendall(b"HTTP/1.1 302 Found\r\nlocation: /manifest\r\ncontent-length: 0\r\n\r\n")


def not_utf8(peer: socket.socket, _gone: threading.Event) -> None:
    """Send bytes that are no text."""
    peer.recv(65536)
    peer.sendall(OK + b'content-length: 12\r\n\r\n{"a":"\xff\xfe\xc3"}')


def nested(peer: socket.socket, _gone: threading.Event) -> None:
    """Send JSON that is too deep for a reader that recurses."""
    peer.recv(65536)
    body = b"[" * 200_000
    peer.sendall(OK + b"content-length: %d\r\n\r\n" % len(body) + body)


def odd_shapes(peer: socket.socket, _gone: threading.Event) -> None:
    """Send JSON that is of no shape anybody expects."""
    peer.recv(65536)
    body = b'{"name":[],"compat":7,"ui":null,"endpoints":{"basePath":{}},"health":[1],"paths":3}'
    peer.sendall(OK + b"content-length: %d\r\n\r\n" % len(body) + body)


def reset(peer: socket.socket, _gone: threading.Event) -> None:
    """End the connection in the middle of the headers."""
    peer.recv(10)
    peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def not_http(peer: socket.socket, _gone: threading.Event) -> None:
    """Speak something else."""
    peer.sendall(b"220 mail.example ESMTP\r\n")


BEHAVIOURS: dict[str, Behave] = {
    behave.__name__: behave
    for behave in (
        hang,
        drip,
        endless,
        huge,
        redirect,
        not_utf8,
        nested,
        odd_shapes,
        reset,
        not_http,
    )
}


@contextmanager
def hostile(behave: Behave) -> Iterator[str]:
    """Serve as *behave* does until the block ends; yield the URL."""
    gone = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    peers: list[threading.Thread] = []

    def meet(peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            behave(peer, gone)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listener.accept()
                peers.append(threading.Thread(target=meet, args=(peer,), daemon=True))
                peers[-1].start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        gone.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for one in [thread, *peers]:
            one.join(timeout=5)
