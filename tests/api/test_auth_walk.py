"""Every operation of the OpenAPI document: nobody without a key, nobody without the scope, and nobody else's things."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from domain.people.callers import Scope
from tests.api.keyholders import client, new_key, somebody
from tests.api.refusals import problem_of
from tests.line_up import a_picture
from tests.stack import Stack

Operation = tuple[str, str, dict[str, Any]]

PUBLIC = {("GET", "/healthz"), ("GET", "/readyz")}
NO_TENANTS_OWN = {"account"}
"""What a path may name that belongs to the house, not to a tenant."""
BODIES: dict[str, dict[str, Any]] = {
    "/v1/generations/{generation_id}/feedback": {"rating": 5},
    "/v1/generations/{generation_id}/takes/{number}/attempts/{attempt}/resolve": {"billed": False},
    "/v1/tickets": {},
}
STRANGER = "somebody-else"


@pytest.fixture(scope="module")
async def operations(house: Stack) -> list[Operation]:
    """What the document lists."""
    paths = (await house.http.get("/openapi.json")).json()["paths"]
    return [
        (method.upper(), path, said)
        for path, methods in paths.items()
        for method, said in methods.items()
        if (method.upper(), path) not in PUBLIC
    ]


@pytest.fixture(scope="module")
async def ids(house: Stack, made: dict[str, Any]) -> dict[str, str]:
    """One of everything that a tenant owns."""
    uploaded = await house.http.post("/v1/images", files={"file": ("a.png", a_picture())})
    key, _ = await new_key(house, Scope.READ)
    return {
        "generation_id": made["id"],
        "image_id": uploaded.json()["id"],
        "key_id": key.id,
        "number": "1",
        "attempt": "1",
        "account": "runway",
    }


def scope_of(said: dict[str, Any]) -> Scope:
    """The scope that an operation says it needs, which must be the same however one comes in."""
    needed = {scope for way in said["security"] for scopes in way.values() for scope in scopes}
    assert len(needed) == 1, said
    return Scope(needed.pop())


def filled(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path, f"say what {path} names, and whose it is"
    return path


async def ask(http: httpx.AsyncClient, operation: Operation, ids: dict[str, str]) -> httpx.Response:
    method, path, _ = operation
    json = None if method == "GET" else BODIES.get(path)
    return await http.request(method, filled(path, ids), json=json)


async def test_nobody_comes_in_without_a_key(
    house: Stack, operations: list[Operation], ids: dict[str, str]
) -> None:
    assert len(operations) > 20
    async with client(house) as http:
        for operation in operations:
            answer = await ask(http, operation, ids)
            problem_of(answer, 401, "unauthenticated")
            assert answer.headers["www-authenticate"].startswith("Bearer"), operation[:2]


async def test_what_is_there_for_everybody_is_little(house: Stack) -> None:
    async with client(house) as http:
        for path in ("/", "/healthz", "/readyz", "/docs", "/openapi.json", "/login", "/static/app.js"):
            assert (await http.get(path)).status_code == 200, path
        for path in ("/metrics", "/nothing", "/v1", "/v1/", "/static", "/healthz/", "//v1/generations"):
            assert (await http.get(path)).status_code in {401, 404}, path
            assert "data" not in (await http.get(path)).text, path


async def test_each_operation_asks_for_its_scope(
    house: Stack, operations: list[Operation], ids: dict[str, str]
) -> None:
    for scope in Scope:
        others = [one for one in Scope if one is not scope]
        async with somebody(house, *others) as http:
            for operation in operations:
                if scope_of(operation[2]) is scope:
                    document = problem_of(await ask(http, operation, ids), 403, "missing_scope")
                    assert f"scope {scope};" in document["detail"], operation[:2]


def expected(operations: list[Operation]) -> Iterator[tuple[str, str, Scope]]:
    for method, path, _ in operations:
        if path.startswith(("/v1/keys", "/v1/audit")):
            yield method, path, Scope.ADMIN
        elif (
            path == "/metrics"
            or path.endswith(("/workflow", "/resolve"))
            or path.startswith("/v1/providers/")
        ):
            yield method, path, Scope.OPERATE
        elif method == "GET" or path in {"/v1/tickets", "/v1/login-links", "/v1/estimates"}:
            yield method, path, Scope.READ
        else:
            yield method, path, Scope.GENERATE


async def test_the_scopes_are_these(operations: list[Operation]) -> None:
    said = {(method, path, scope_of(one)) for method, path, one in operations}
    assert said == set(expected(operations))


async def test_the_document_tells_of_refusals_and_of_ways_in(
    house: Stack, operations: list[Operation]
) -> None:
    document = (await house.http.get("/openapi.json")).json()
    assert set(document["components"]["securitySchemes"]) == {"key", "session"}
    for _, _, said in operations:
        assert {"401", "403"} <= set(said["responses"])
        assert [set(way) for way in said["security"]] == [{"key"}, {"session"}]
    for method, path in PUBLIC:
        assert document["paths"][path][method.lower()]["security"] == []


async def test_a_strangers_key_opens_nothing_of_ours(
    house: Stack, operations: list[Operation], ids: dict[str, str], made: dict[str, Any]
) -> None:
    tried, before = set(), await house.look(made["id"])
    async with somebody(house, tenant=STRANGER) as http:
        for operation in operations:
            method, path, _ = operation
            named = {name for name in ids if f"{{{name}}}" in path}
            if named - NO_TENANTS_OWN:
                answer = await ask(http, operation, ids)
                problem_of(answer, 404, "not_found")
                tried.add((method, path))
    assert len(tried) > 12
    assert await house.look(made["id"]) == before
    assert (await house.http.get(f"/v1/images/{ids['image_id']}")).status_code == 200
    assert (await house.http.get(f"/v1/keys/{ids['key_id']}")).json()["state"] == "good"


async def test_a_stranger_learns_nothing_from_bodies_and_lists(
    house: Stack, ids: dict[str, str], made: dict[str, Any]
) -> None:
    async with somebody(house, tenant=STRANGER) as http:
        problem_of(await http.post("/v1/tickets", json={"generation_id": made["id"]}), 404, "not_found")
        body = {"prompt": "A fox", "provider": "seedance", "params": {"image_id": ids["image_id"]}}
        refused = await http.post("/v1/generations", json=body)
        assert refused.json()["errors"][0]["code"] == "unknown_image"
        for path in ("/v1/generations", "/v1/keys", "/v1/queue"):
            text = (await http.get(path)).text
            assert made["id"] not in text, path
            assert ids["key_id"] not in text, path
