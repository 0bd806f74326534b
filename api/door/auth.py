"""The door: every request passes it, and whoever has not said who they are stays outside.

It stands before the routes, so that a new route is never open by mistake, and nothing of a stranger's body is read.
What a caller may do once inside is said by each route: see `api.door.scopes`.
"""

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.door import links, origins
from api.door.doorkeeper import Doorkeeper, not_let_in, unknown
from api.problems import Problem, database_away, response
from domain.people.callers import NOBODY, Caller
from runtime.secret import Purpose, Seal

PUBLIC = frozenset({"/", "/healthz", "/readyz", "/login", "/logout", "/docs", "/redoc", "/openapi.json"})
"""What is there for everybody; and the files of these pages."""

_PUBLIC_FOLDERS = ("/static/", "/static-offline-docs/")
_POLICY_VIOLATION = 1008


class Door:
    """ASGI middleware around the routes.

    Leaves in `request.state.caller` who asks, and in `look_again` what tells whether they are still let in: for
    answers that take long.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or answer it here."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        try:
            caller = await _caller(connection)
        except Problem as problem:
            await _refuse(problem, scope, receive, send)
            return
        except SQLAlchemyError as error:
            await _refuse(database_away(error), scope, receive, send)
            return
        scope.setdefault("state", {}).update(caller=caller, look_again=lambda: _caller(connection))
        if caller.key_id is not None:
            structlog.contextvars.bind_contextvars(key_id=caller.key_id)
        await self._app(scope, receive, send)


def is_public(path: str) -> bool:
    """Tell whether a path is there for everybody."""
    return path in PUBLIC or path.startswith(_PUBLIC_FOLDERS)


def cookie_of(seal: Seal) -> str:
    """Return what the session's cookie is called: browsers share cookies between all services of one machine."""
    return f"videoplanet_{seal.of(Purpose.COOKIE)[:8]}"


async def _caller(connection: HTTPConnection) -> Caller:
    """Return who asks.

    Raises:
        Problem: Nobody whom we know.
    """
    parts = connection.app.state.parts
    doorkeeper: Doorkeeper = parts.doorkeeper
    if is_public(connection.url.path):
        return NOBODY
    authorization = connection.headers.get("authorization")
    if authorization is not None:
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise not_let_in("Send a key as `Authorization: Bearer vp_...`.")
        return await doorkeeper.by_key(key.strip())
    anybody = await doorkeeper.anybody()
    if anybody is not None:
        _must_be_at_home(connection, parts.settings.cors_origins)
        return anybody
    return await _without_key(connection, doorkeeper)


async def _without_key(connection: HTTPConnection, doorkeeper: Doorkeeper) -> Caller:
    path, query = connection.scope["path"], connection.query_params
    is_read = connection.scope.get("method", "GET") in {"GET", "HEAD"}
    if is_read and links.SIGNATURE in query:
        return await doorkeeper.by_link(links.signer_of(doorkeeper.seal, path, query))
    if is_read and "ticket" in query:
        caller, generation_id = await doorkeeper.by_ticket(query["ticket"])
        if not links.takes_tickets(path, generation_id):
            raise not_let_in(
                "The ticket is not for this: it opens the streams and files that it was made for."
            )
        return caller
    token = connection.cookies.get(cookie_of(doorkeeper.seal))
    if token is None:
        raise unknown()
    caller = await doorkeeper.by_session(token)
    _must_come_from_our_page(connection)
    return caller


def _must_be_at_home(connection: HTTPConnection, allowed: tuple[str, ...]) -> None:
    """Refuse what a foreign page sends to the house without keys of whoever looks at it."""
    if not origins.names_loopback(connection.headers):
        detail = "The house has no keys: make one with `videoplanet keys create`, then others can come in."
        raise Problem("host_not_allowed", detail)
    if _may_change(connection) and origins.is_foreign(connection.headers, allowed):
        raise cross_site()


def _must_come_from_our_page(connection: HTTPConnection) -> None:
    """Refuse what a foreign page sends with a visitor's cookie."""
    headers = connection.headers
    if _may_change(connection) and (not origins.is_from_a_page(headers) or origins.is_foreign(headers, ())):
        raise cross_site()


def _may_change(connection: HTTPConnection) -> bool:
    return connection.scope["type"] == "websocket" or connection.scope["method"] not in origins.SAFE_METHODS


def cross_site() -> Problem:
    """Return the problem of a request that another site's page has sent in a visitor's name."""
    return Problem(
        "cross_site", "Only our own pages may do that with a visitor's session; programs send a key."
    )


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": problem.code})
        return
    await response(Request(scope), problem)(scope, receive, send)
