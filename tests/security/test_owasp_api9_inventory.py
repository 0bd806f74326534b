"""OWASP API9:2023, improper inventory management: what is served is known, described and meant to be there."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount, Route

from api.app import create_app
from runtime.settings import Settings
from tests.security.town import Town

PAGES = {"/", "/login", "/logout", "/docs", "/redoc", "/docs/oauth2-redirect", "/openapi.json"}
"""What is no operation of the API: the page, logging in and out, and the description itself."""
FOLDERS = {"/static", "/static-offline-docs"}


def everything(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """Each route, also those of the routers that are included."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from everything(included.routes)


async def test_every_route_is_in_the_document_or_on_the_short_list(town: Town, tmp_path: Path) -> None:
    routes = list(everything(create_app(Settings(data_dir=tmp_path)).routes))
    listed = {(method, path) for method, path, _ in await town.operations()}
    served = {
        (method, route.path_format)
        for route in routes
        if isinstance(route, Route) and route.path not in PAGES
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert served == listed
    assert {route.path for route in routes if isinstance(route, Mount)} == FOLDERS
    assert {type(route) for route in routes} == {Route, APIRoute, Mount}, "nothing of another kind"
    assert {route.path for route in routes if isinstance(route, Route)} >= PAGES


async def test_there_is_one_version_and_one_description(town: Town) -> None:
    document = (await town.nobody.get("/openapi.json")).json()
    assert document["info"]["title"] == "VideoPlanet"
    versioned = {path.split("/")[1] for path in document["paths"]} - {"healthz", "readyz", "metrics"}
    assert versioned == {"v1"}
    page = (await town.nobody.get("/docs")).text
    assert "/openapi.json" in page


async def test_every_operation_says_who_may_use_it_and_how_it_refuses(town: Town) -> None:
    for method, path, said in await town.operations():
        if path in {"/healthz", "/readyz"}:
            assert said["security"] == []
            continue
        ways = [set(way) for way in said["security"]]
        assert ways == [{"key"}, {"session"}], (method, path)
        assert {"401", "403", "422", "429"} <= set(said["responses"]), (method, path)


@pytest.mark.parametrize(
    "path",
    [
        *("/_sandbox/jobs", "/_sandbox/faults", "/_sandbox/reset", "/_output/runway/x.mp4", "/v1/tasks/x"),
        *("/v1/text_to_video", "/api/v3/contents/generations/tasks", "/v2beta/image-to-video"),
        *("/debug", "/admin", "/console", "/graphql", "/actuator/env", "/server-status", "/swagger.json"),
        *("/v0/generations", "/v2/generations", "/internal", "/test", "/.env", "/.git/config", "/backup.sql"),
        *("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/.env", "/app.py"),
        *("/static/%2e%2e/%2e%2e/pyproject.toml", "/static//etc/passwd", "/static/", "/static"),
        *("/secret.key", "/operator.key", "/videoplanet.db", "/processes.json"),
    ],
)
async def test_nothing_else_is_served_to_anybody(town: Town, path: str) -> None:
    for person in (town.nobody, town.admin):
        for method in ("GET", "POST"):
            answer = await person.request(method, path)
            assert answer.status_code in {401, 404, 405, 307}, (path, answer.status_code)
            assert "import" not in answer.text


async def test_the_sandbox_serves_what_is_asked_here_in_vain(town: Town) -> None:
    """The paths above are real ones: of another process, on another port."""
    answer = await town.stack.http.get(f"{town.stack.sandbox_url}/_sandbox/jobs")
    assert answer.status_code == 200
