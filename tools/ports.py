"""Find ports on which a server of this machine can listen."""

import socket

LOOPBACK = "127.0.0.1"
ATTEMPTS = 200


def port_free(port: int) -> bool:
    """Tell whether a server could listen on *port* now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(wanted: int, taken: set[int]) -> int:
    """Return *wanted*, or the next port above it that is free and not in *taken*."""
    for port in range(wanted, min(wanted + ATTEMPTS, 65536)):
        if port not in taken and port_free(port):
            return port
    raise SystemExit(f"no free port from {wanted} to {wanted + ATTEMPTS - 1}")
