"""The API as an app: its parts are opened when it starts and closed when it stops."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline

from api import description, health, problems
from api.costs import estimates, metrics, resolving, usage
from api.door import audit, keys, me, pace, scopes, sessions, tickets
from api.door.auth import Door
from api.door.doorkeeper import Doorkeeper
from api.door.origins import is_loopback
from api.door.rates import Rates
from api.gates import pausing, providers, queue
from api.gates.queueing import Hub
from api.generations import cancelling, events, lists, media, one, orders, takes, workflows
from api.guards import Guard
from api.headers import DescribedInline
from api.pictures import images
from api.pictures.bounds import fetches_of
from api.service import Parts
from providers.registry import facts_of
from runtime.account_limits import account_limits_of
from runtime.accounts import access_of
from runtime.gates import Gates
from runtime.nudge import Nudger
from runtime.secret import seal_of
from runtime.settings import Settings
from runtime.temporal import connect
from runtime.tenants import tenants_of
from storage.database import Database
from storage.files.assets import LocalAssets
from storage.gate.healths import Healths

STATIC = Path(__file__).parent / "static"
VERSION = "0.1.0"

_DESCRIPTION = """Order a video, watch it being made, fetch it.

Every error is a problem document (RFC 9457) that names the field and says what would be right. Send an
`Idempotency-Key` with each POST and you may repeat it safely.
"""
_CORS: dict[str, Any] = {
    "allow_methods": ["GET", "HEAD", "POST", "DELETE"],
    "allow_headers": [
        *("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match"),
        *("Last-Event-ID", "Prefer", "Range", "X-Request-Id"),
    ],
    "expose_headers": [
        *("Content-Range", "ETag", "Idempotency-Replayed", "Location", "Preference-Applied"),
        *("RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate", "X-Request-Id"),
    ],
}
_ASK_AGAIN = {"Cache-Control": "no-cache"}


class _Static(StaticFiles):
    """The page's files; a browser asks each time whether they changed, so that it never mixes two versions."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        answer = super().file_response(*args, **kwargs)
        answer.headers.update(_ASK_AGAIN)
        return answer


def create_app(settings: Settings) -> FastAPI:
    """Return the app; nothing is opened before it starts.

    Raises:
        Misconfigured: The configuration says something that nobody can work with.
    """
    providers_here, limits = facts_of(access_of(settings)), account_limits_of(settings)
    tenants, rates = tenants_of(settings), Rates(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(Database(settings.effective_database_url))
            stack.push_async_callback(rates.close)
            client = await connect(settings, lazy=True)
            open_to = settings.tenant_id if is_loopback(settings.api_host) else None
            gates = Gates(client)
            app.state.parts = Parts(
                settings=settings,
                database=database,
                doorkeeper=Doorkeeper(database, seal_of(settings), open_to),
                assets=LocalAssets(settings.assets_dir),
                client=client,
                nudger=Nudger(client, database),
                providers=providers_here,
                gates=gates,
                hub=Hub(gates),
                healths=Healths(limits, settings.mode),
                account_limits=limits,
                fetches=fetches_of(settings),
                tenants=tenants,
                rates=rates,
            )
            yield

    app = FastAPIOffline(
        title="VideoPlanet",
        version=VERSION,
        description=_DESCRIPTION,
        lifespan=lifespan,
        responses=description.REFUSALS,
    )
    routers = [
        part.router
        for part in (
            *(lists, orders, one, cancelling, takes, events, media, images, workflows),
            *(estimates, providers, queue, pausing, resolving, health, metrics),
            *(keys, tickets, sessions),
            *(usage, me, audit),
        )
    ]
    routes = [route for router in routers for route in router.routes]
    problems.install(app, routes)
    scopes.describe(app, routes)
    description.complete(app)
    for router in routers:
        app.include_router(router, dependencies=[Depends(pace.counted), Depends(scopes.allowed)])

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers=_ASK_AGAIN)

    app.mount("/static", _Static(directory=STATIC), name="static")
    # The last one stands before all others.
    app.add_middleware(Door)
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, allow_origins=settings.cors_origins, **_CORS)
    app.add_middleware(DescribedInline)
    app.add_middleware(Guard, settings=settings, rates=rates)
    return app
