"""Be a pod, or the node, of a small cluster: listen on ports and try connections.

`tests.support.cluster` starts it as a program in a network namespace of its own. It takes one order
a line, answers each with one line, and ends with its input, so that nothing outlives a test.
"""

import contextlib
import errno
import json
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

PATIENCE_SECONDS = 20.0
AGAIN_SECONDS = 0.1
BACKLOG = 64


def run(order: Any) -> Any:
    """Run a program in this namespace; answer what went wrong, or nothing."""
    command, text = order
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def listen(order: Any) -> Any:
    """Answer with the pod's name on each port, over TCP and UDP."""
    name, ports = order
    chosen = selectors.DefaultSelector()
    for port in ports:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            door = socket.socket(socket.AF_INET, kind)
            door.bind(("0.0.0.0", port))
            if kind == socket.SOCK_STREAM:
                door.listen(BACKLOG)
            chosen.register(door, selectors.EVENT_READ, kind)
    threading.Thread(target=serve, args=(chosen, name.encode()), daemon=True).start()
    return ""


def serve(chosen: selectors.BaseSelector, name: bytes) -> None:
    while True:
        for key, _ in chosen.select():
            door: Any = key.fileobj
            if key.data == socket.SOCK_DGRAM:
                _, sender = door.recvfrom(64)
                door.sendto(name, sender)
            else:
                line, _ = door.accept()
                line.sendall(name)
                line.close()


def attempt(order: Any) -> Any:
    """Return who answers at each target; nobody where the way is forbidden."""
    return [who_answers(protocol, (address, port)) for protocol, address, port in order]


def who_answers(protocol: str, target: tuple[str, int]) -> str | None:
    """Ask until there is an answer or the policy's refusal; anything else is a fault."""
    try:
        return ask_tcp(target) if protocol == "TCP" else ask_udp(target)
    except ConnectionRefusedError:
        if protocol == "TCP":
            return None
        raise
    except OSError as error:
        if error.errno != errno.EHOSTUNREACH:
            raise
        return None


def ask_tcp(target: tuple[str, int]) -> str:
    with socket.create_connection(target, PATIENCE_SECONDS) as line:
        return line.recv(64).decode()


def ask_udp(target: tuple[str, int]) -> str:
    """Ask again and again: the kernel limits how many refusals it writes in a second."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.connect(target)
        line.settimeout(AGAIN_SECONDS)
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            line.send(b"?")
            with contextlib.suppress(TimeoutError):
                return line.recv(64).decode()
    raise TimeoutError(target)


ORDERS: dict[str, Callable[[Any], Any]] = {"run": run, "listen": listen, "try": attempt}


def main() -> None:
    for line in sys.stdin:
        name, order = json.loads(line)
        try:
            answer = {"answer": ORDERS[name](order)}
        except OSError as error:
            answer = {"fault": repr(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
