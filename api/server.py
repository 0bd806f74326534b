"""One API process."""

import asyncio
import os
import sys
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from api.app import create_app
from api.connections import impatient
from api.door.origins import is_loopback
from runtime.logs import configure
from runtime.misconfigured import Misconfigured
from runtime.secret import seal_of
from runtime.settings import Settings
from storage.database import Database
from storage.people import keys

_GRACE_SECONDS = 5
_REFUSED = 2

log = structlog.get_logger("api")


class Server(uvicorn.Server):
    """Uvicorn that tells open streams to end when it is told to stop; it would wait for them otherwise."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Hear SIGTERM or SIGINT."""
        parts = getattr(self._app.state, "parts", None)
        if parts is not None:
            parts.stopping.set()
        super().handle_exit(sig, frame)


async def why_not(settings: Settings) -> str | None:
    """Return why this API must not be started; None where it may be.

    Whoever can reach a house without keys may do everything in it; so it is not opened to other machines.
    """
    try:
        seal_of(settings)
    except (OSError, ValueError) as error:
        return f"the deployment's secret cannot be read or made: {error}"
    if is_loopback(settings.api_host):
        return None
    try:
        async with Database(settings.effective_database_url) as database, database.read() as connection:
            if await keys.exist(connection):
                return None
    except SQLAlchemyError:
        return f"{settings.api_host} can be reached from other machines, and the database does not say who has a key"
    return (
        f"{settings.api_host} can be reached from other machines, and there is no key: everybody would be let in. "
        "Make a key first (`videoplanet keys create`), or listen on 127.0.0.1"
    )


def main() -> int:
    """Run an API process with settings from the environment; return its exit status where it is not started."""
    settings = Settings()
    configure(as_json=settings.log_json)
    refusal = asyncio.run(why_not(settings))
    if refusal is not None:
        sys.stderr.write(f"The API does not start: {refusal}.\n")
        return _REFUSED
    try:
        app = create_app(settings)
    except Misconfigured as error:
        log.error("the API cannot start", error=str(error))  # noqa: TRY400  # one line for the operator says it
        sys.exit(1)
    config = uvicorn.Config(
        app,
        host=settings.api_host,
        port=settings.api_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=30,
        http=impatient(settings.request_seconds),
        server_header=False,
    )
    server = Server(config, app)
    server.run()
    # The Temporal SDK's threads can abort the interpreter's exit after everything is done.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if server.started else 1)


if __name__ == "__main__":
    sys.exit(main())
