"""Serve an ASGI app on a real loopback socket, in this process, with the shipped parser."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from tests.support.processes import eventually, free_port


@contextmanager
def served(app: Any, *, lifespan: bool = True, http: Any = "httptools") -> Iterator[str]:
    """Serve *app* until the block ends, and give its origin; *http* is what speaks the protocol."""
    port = free_port()
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        http=http,
        ws="none",
        lifespan="on" if lifespan else "off",
        log_config=None,
        access_log=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started, what="the server's start", every=0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
