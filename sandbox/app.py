"""The sandbox as an ASGI application: every provider's routes, the outputs, and the sandbox's own doors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox import control
from sandbox.arrivals import ArrivalBook
from sandbox.callbacks import Callbacks
from sandbox.films import outputs
from sandbox.films.filmlab import FilmLab
from sandbox.house import House
from sandbox.jobbook import JobBook
from sandbox.settings import Settings
from sandbox.wires import WIRES


def create_app(settings: Settings) -> Starlette:
    """The application.

    Args:
        settings: What it is told.

    Returns:
        An application for one process and one event loop; some faults need `sandbox.server` around it.
    """
    jobs = JobBook(settings.data_dir, settings.max_concurrent)
    callbacks = Callbacks(jobs, settings.callback_patience_seconds)
    arrivals = ArrivalBook(settings.data_dir)
    house = House(settings, jobs, arrivals, FilmLab(settings.film_cache_bytes), callbacks)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with callbacks.running():
            yield
        house.close()

    routes = [*control.routes(house, tuple(WIRES)), *outputs.routes(house)]
    for routes_of in WIRES.values():
        routes += routes_of(house)
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: _unknown})


async def _unknown(_: Request, error: Exception) -> Response:
    """No such path, or not with this method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return JSONResponse({"error": getattr(error, "detail", str(error))}, status)
