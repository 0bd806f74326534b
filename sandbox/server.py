"""Runs the sandbox as a real server: `python -m sandbox`, or inside a test with `running`.

It says one line when it listens, and leaves at once on SIGTERM and SIGINT, whoever is still connected.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import uvicorn
from pydantic import ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.app import create_app
from sandbox.settings import Settings
from sandbox.wire import SandboxProtocol

# Longer than clients keep connections: a server that closes an idle one just as it is used again
# looks like a lost reply.
_KEEP_ALIVE_SECONDS: Final = 300
_START_SECONDS: Final = 30.0
_BACKLOG: Final = 2048


class SandboxServer(uvicorn.Server):
    """One sandbox on a bound socket; `listening` is set once it answers."""

    def __init__(self, settings: Settings) -> None:
        self.listening = threading.Event()
        config = uvicorn.Config(
            _quiet_when_stopped(create_app(settings)),
            http=SandboxProtocol,
            ws="none",
            loop="asyncio",  # its transports give out their socket, which a reset needs
            lifespan="on",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=2,
        )
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to listen."""
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drops every connection and whatever was being answered, and ends."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, HttpToolsProtocol):
                connection.transport.abort()
        for task in list(self.server_state.tasks):
            task.cancel()
        await super().shutdown(sockets)


@contextmanager
def running(settings: Settings) -> Iterator[str]:
    """A sandbox in a thread of this process, for tests.

    Args:
        settings: What it is told; port 0 takes a free one.

    Yields:
        Its base URL, without a slash at the end.
    """
    listener = _bind(settings)
    server = SandboxServer(settings)
    thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
    thread.start()
    try:
        if not server.listening.wait(_START_SECONDS):
            raise RuntimeError("the sandbox did not start")
        yield _url(listener)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Serves until it is told to stop.

    Args:
        argv: Arguments without the program's name; None takes those of the process.

    Returns:
        The exit status.
    """
    defaults = Settings()
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="The providers' side, pretended.")
    parser.add_argument("--host", default=defaults.host)
    parser.add_argument(
        "--port", type=int, default=defaults.port, help="0 takes a free one (default: %(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=defaults.seconds, help="how long a job takes")
    parser.add_argument("--data-dir", default=defaults.data_dir, help="keeps the jobs (default: in memory)")
    try:
        settings = Settings(**vars(parser.parse_args(argv)))
    except ValidationError as error:
        parser.error("; ".join(f"{problem['loc'][0]}: {problem['msg']}" for problem in error.errors()))
    try:
        listener = _bind(settings)
    except OSError as error:
        sys.stderr.write(f"sandbox: cannot listen on {settings.host}:{settings.port}: {error.strerror}\n")
        return 1
    kept = "in memory" if settings.data_dir is None else f"in {settings.data_dir}"
    server = SandboxServer(settings)
    threading.Thread(
        target=_announce, args=(server, _url(listener), settings.seconds, kept), daemon=True
    ).start()
    server.run([listener])
    return 0


def _announce(server: SandboxServer, url: str, seconds: float, kept: str) -> None:
    server.listening.wait()
    sys.stdout.write(f"sandbox: listening on {url}, a job takes {seconds:g} s, jobs are kept {kept}\n")
    sys.stdout.flush()


def _bind(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol is spelled out because asyncio switches Nagle's algorithm off only where it can read it;
    # with it on, each answer takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _quiet_when_stopped(app: ASGIApp) -> ASGIApp:
    """The application, without a traceback for each request that the end of the process cuts off."""

    async def quiet(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise

    return quiet
