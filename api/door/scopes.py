"""What a caller may do: each route needs one scope, and says so with `@needs(Scope.GENERATE)`.

A route that says nothing needs `read` where it only shows something, else `admin`: what was forgotten is closed.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from api.door.auth import is_public
from api.problems import MEDIA_TYPE, Problem
from domain.people.callers import NOBODY, Caller, Scope

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_MARK = "needed_scope"
_READS = frozenset({"GET", "HEAD"})
_SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key: `vp_<id>_<secret>`."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "videoplanet_<deployment>",
        "description": "Of a browser in which a login link was opened.",
    },
}


def needs(scope: Scope) -> Callable[[Endpoint], Endpoint]:
    """Say which scope a route needs; stands right above its function."""

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _MARK, scope)
        return endpoint

    return mark


def needed(route: APIRoute) -> Scope | None:
    """Return the scope that a route needs; None where it is there for everybody."""
    if is_public(route.path):
        return None
    otherwise = Scope.READ if _methods(route) <= _READS else Scope.ADMIN
    scope: Scope = getattr(route.endpoint, _MARK, otherwise)
    return scope


def caller_of(request: Request) -> Caller:
    """Return who asks, as the door has found."""
    caller: Caller = getattr(request.state, "caller", NOBODY)
    return caller


async def allowed(request: Request) -> None:
    """Refuse a caller who has not got the scope of the route.

    Raises:
        Problem: The scope is missing.
    """
    route = request.scope.get("route")
    scope = needed(route) if isinstance(route, APIRoute) else Scope.ADMIN
    caller = caller_of(request)
    if scope is not None and not caller.may(scope):
        has = ", ".join(one for one in Scope if caller.may(one)) or "none"
        raise Problem("missing_scope", f"This needs a key with the scope {scope}; yours has {has}.")


def describe(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Have the OpenAPI document say how to come in, what each route needs, and what others are answered.

    Args:
        app: The app.
        routes: Its routes, as their routers know them.
    """

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            _describe(made(), routes)
        return made()

    made = app.openapi
    app.openapi = document  # type: ignore[method-assign]  # the way that FastAPI names for it


def _describe(document: dict[str, Any], routes: Sequence[BaseRoute]) -> None:
    document.setdefault("components", {})["securitySchemes"] = _SCHEMES
    for route in routes:
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        scope = needed(route)
        for method in _methods(route):
            operation = document["paths"][route.path_format][method.lower()]
            operation["security"] = [] if scope is None else [{name: [scope]} for name in _SCHEMES]
            if scope is not None:
                operation["responses"].setdefault("401", _problem("No valid key."))
                operation["responses"].setdefault("403", _problem(f"The key lacks the scope `{scope}`."))


def _methods(route: APIRoute) -> set[str]:
    return route.methods or set()


def _problem(said: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {"description": said, "content": {MEDIA_TYPE: {"schema": schema}}}
