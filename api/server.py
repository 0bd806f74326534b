"""One API process."""

import os
import sys
from types import FrameType

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from runtime.logs import configure
from runtime.settings import Settings

_GRACE_SECONDS = 5


class Server(uvicorn.Server):
    """Uvicorn that tells open streams to end when it is told to stop; it would wait for them otherwise."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Hear SIGTERM or SIGINT."""
        service = getattr(self._app.state, "service", None)
        if service is not None:
            service.stopping.set()
        super().handle_exit(sig, frame)


def main() -> None:
    """Run an API process with settings from the environment."""
    settings = Settings()
    configure(as_json=settings.log_json)
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.api_host,
        port=settings.api_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 * 1024,
        server_header=False,
    )
    server = Server(config, app)
    server.run()
    # The Temporal SDK's threads can abort the interpreter's exit after everything is done.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if server.started else 1)


if __name__ == "__main__":
    main()
