"""Run the core: `python -m mosaiclife_devcore`."""

from __future__ import annotations

import sys
from types import FrameType

import structlog
import uvicorn

from mosaiclife_devcore.app import create_core
from mosaiclife_devcore.bus import Bus
from mosaiclife_devcore.logs import set_up_logs
from mosaiclife_devcore.settings import Settings, SettingsError, read_settings

GRACE_SECONDS = 5


class Server(uvicorn.Server):
    """A server that ends open streams first and leaves with exit code 0."""

    def __init__(self, config: uvicorn.Config, bus: Bus) -> None:
        super().__init__(config)
        self._bus = bus

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # uvicorn's
        """Begin to stop; a second signal stops at once.

        The signal is not kept: uvicorn would raise it again at the end, and a stop that was
        asked for is no failure.
        """
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True
        self._bus.close()


def serve(settings: Settings) -> None:
    """Serve until a signal says to stop."""
    app = create_core(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    structlog.get_logger(__name__).info("core_starts", host=settings.host, port=settings.port)
    Server(config, app.state.bus).run()


def main() -> None:
    """Read the settings and serve; a bad setting is one line and exit code 2."""
    try:
        settings = read_settings()
        set_up_logs(settings.log_level)
        serve(settings)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
