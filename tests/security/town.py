"""The whole service with keys, and who lives around it: two users, a stranger, an operator, and nobody in particular.

One for all tests that are named after OWASP's API Security Top 10 (2023).
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from domain.people.callers import Scope
from tests.api.keyholders import client, new_key
from tests.api.limited import another
from tests.api.paused import pause_account
from tests.line_up import a_picture
from tests.security.liar import Liar, liar
from tests.stack import Stack, free_port

OWN_SCOPES = (Scope.READ, Scope.GENERATE)
MAX_OUTPUT_BYTES = 4_000_000

TENANTS = """
[tenants.frugal]
daily_budget_usd = "0.40"

[tenants.thrifty]
daily_budget_usd = "0.40"

[tenants.broke]
daily_budget_usd = "0.01"

[tenants.daily]
daily_generations = 2

[tenants.few]
in_flight = 2
highest_priority = "normal"
providers = ["seedance"]
"""
"""Of an order for 10.5105 cents, `frugal` and `thrifty` can pay three."""

Operation = tuple[str, str, dict[str, Any]]


@dataclass
class Town:
    """The service and its people, each with an HTTP client.

    Attributes:
        ann: A user of the tenant `default`, as is `ben`, who may make keys for himself, too.
        operator: May look, and operate; of the same tenant.
        admin: Of the same tenant, with every scope.
        stranger: Of another tenant, with every scope.
        nobody: Has no key.
        keys: The texts of their keys.
    """

    stack: Stack
    provider: Liar
    ann: httpx.AsyncClient
    ben: httpx.AsyncClient
    operator: httpx.AsyncClient
    admin: httpx.AsyncClient
    stranger: httpx.AsyncClient
    nobody: httpx.AsyncClient
    keys: Mapping[str, str] = field(default_factory=dict)

    async def operations(self) -> list[Operation]:
        """Every operation that the OpenAPI document lists: its method, its path, and what is said of it."""
        document = (await self.nobody.get("/openapi.json")).json()
        return [
            (method.upper(), path, said)
            for path, item in document["paths"].items()
            for method, said in item.items()
        ]


@dataclass(frozen=True)
class Hers:
    """What ann owns; nobody changes it."""

    generation: dict[str, Any]
    image_id: str
    key_id: str

    @property
    def id(self) -> str:
        """Of the generation."""
        return str(self.generation["id"])

    def fill(self, path: str) -> str:
        """Return a path of the document that names what is hers."""
        names = {"generation_id": self.id, "image_id": self.image_id, "key_id": self.key_id}
        names |= {"number": "1", "attempt": "1", "account": "runway"}
        for name, value in names.items():
            path = path.replace(f"{{{name}}}", value)
        assert "{" not in path, f"say what {path} names, and whose it is"
        return path


@pytest.fixture(scope="session")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """The one that all tests of the ten share."""
    settings = {
        "VIDEOPLANET_DUPLICATE_SECONDS": "60",
        "VIDEOPLANET_MAX_OUTPUT_BYTES": str(MAX_OUTPUT_BYTES),
        "VIDEOPLANET_IMAGE_URL_SECONDS": "3",
    }
    stack = Stack(tmp_path_factory.mktemp("town"), settings, tenants=TENANTS)
    async with AsyncExitStack() as ends:
        ends.push_async_callback(stack.close)
        provider = await ends.enter_async_context(liar(stack.sandbox_url))
        await stack.migrate()
        for part in ("temporal", "sandbox"):
            await stack.start_part(part)
        keys = {
            "admin": (await new_key(stack))[1],
            "ann": (await new_key(stack, *OWN_SCOPES, user="ann"))[1],
            "ben": (await new_key(stack, *OWN_SCOPES, Scope.ADMIN, user="ben"))[1],
            "operator": (await new_key(stack, Scope.READ, Scope.OPERATE))[1],
            "stranger": (await new_key(stack, tenant="somebody-else"))[1],
        }
        stack.environment["VIDEOPLANET_SANDBOX_URL"] = provider.url
        await stack.start_part("api")
        await stack.start_part("worker")
        people = {name: await ends.enter_async_context(client(stack, key)) for name, key in keys.items()}
        stack.http.headers["Authorization"] = f"Bearer {keys['admin']}"
        nobody = await ends.enter_async_context(client(stack))
        await pause_account(stack, "seedance", "Orders of tests that only look at the door wait here")
        yield Town(stack=stack, provider=provider, nobody=nobody, keys=keys, **people)


@pytest.fixture(scope="session")
async def hers(town: Town) -> Hers:
    """A generation of ann's with a video, her picture and her key."""
    done = await made_for(town, town.ann, "ann's own heron, seen by nobody else")
    uploaded = await town.ann.post("/v1/images", files={"file": ("heron.png", a_picture())})
    assert uploaded.status_code == 201, uploaded.text
    return Hers(done, uploaded.json()["id"], town.keys["ann"].split("_")[1])


def an_order(prompt: str, provider: str = "seedance", **fields: Any) -> dict[str, Any]:
    """The body of an order for two seconds; Seedance is paused here, so that it waits and keeps nobody busy."""
    whole = {"provider": provider, "fallback_providers": [], "params": {"duration_seconds": 2}}
    return whole | {"prompt": prompt} | fields


async def made_for(town: Town, whose: httpx.AsyncClient, prompt: str) -> dict[str, Any]:
    """Somebody's generation, made to its end, as they see it."""
    answer = await whose.post("/v1/generations", json=an_order(prompt, "runway"))
    assert answer.status_code == 202, answer.text
    generation_id = answer.json()["id"]
    await town.stack.end_of(generation_id)
    return dict((await whose.get(f"/v1/generations/{generation_id}")).json())


@asynccontextmanager
async def another_api(town: Town, name: str, **settings: str) -> AsyncIterator[Stack]:
    """A second API process of the same town, with settings of its own; its client comes without a key."""
    port = free_port()
    await town.stack.start_part("api", name=name, VIDEOPLANET_API_PORT=str(port), **settings)
    other = another(town.stack, port)
    try:
        yield other
    finally:
        await other.http.aclose()
        await town.stack.kill(name)
