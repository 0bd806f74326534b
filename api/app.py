"""The API as an app: its parts are opened when it starts and closed when it stops."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline

from api import (
    events,
    generations,
    house,
    images,
    lists,
    media,
    orders,
    pausing,
    previews,
    problems,
    providers,
    queue,
    takes,
    workflows,
)
from api.guards import Guard
from api.queueing import Hub
from api.service import Service
from providers.registry import facts_of
from runtime.account_limits import account_limits_of
from runtime.accounts import access_of
from runtime.gates import Gates
from runtime.nudge import Nudger
from runtime.settings import Settings
from runtime.temporal import connect
from storage.assets import LocalAssets
from storage.database import Database
from storage.healths import Healths

STATIC = Path(__file__).parent / "static"
VERSION = "0.1.0"

_DESCRIPTION = """Order a video, watch it being made, fetch it.

Every error is a problem document (RFC 9457) that names the field and says what would be right. Send an
`Idempotency-Key` with each POST and you may repeat it safely.
"""
_PROBLEMS = {
    status: {"model": problems.ProblemDocument, "content": {problems.MEDIA_TYPE: {}}}
    for status in (400, 404, 409, 410, 413, 415, 422, 503)
}


_ASK_AGAIN = {"Cache-Control": "no-cache"}


class _Static(StaticFiles):
    """The page's files; a browser asks each time whether they changed, so that it never mixes two versions."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        answer = super().file_response(*args, **kwargs)
        answer.headers.update(_ASK_AGAIN)
        return answer


def create_app(settings: Settings) -> FastAPI:
    """Return the app; nothing is opened before it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(Database(settings.effective_database_url))
            client = await connect(settings, lazy=True)
            limits = account_limits_of(settings)
            gates = Gates(client)
            app.state.service = Service(
                settings=settings,
                database=database,
                assets=LocalAssets(settings.assets_dir),
                client=client,
                nudger=Nudger(client, database),
                providers=facts_of(access_of(settings)),
                gates=gates,
                hub=Hub(gates),
                healths=Healths(limits, settings.mode),
                account_limits=limits,
            )
            yield

    app = FastAPIOffline(
        title="VideoPlanet",
        version=VERSION,
        description=_DESCRIPTION,
        lifespan=lifespan,
        responses=_PROBLEMS,
    )
    routers = [
        part.router
        for part in (
            *(lists, orders, generations, previews, takes, events, media, images, workflows),
            *(providers, queue, pausing, house),
        )
    ]
    problems.install(app, [route for router in routers for route in router.routes])
    for router in routers:
        app.include_router(router)

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers=_ASK_AGAIN)

    app.mount("/static", _Static(directory=STATIC), name="static")
    app.add_middleware(Guard)
    return app
