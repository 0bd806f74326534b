"""The users of a chaos run: they order, repeat what was not answered, change their minds, and watch."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import httpx

from tests.chaos.plan import Cancel, Order, Regenerate
from tests.eventually import eventually, eventually_so
from tests.line_up import EVERY, a_picture

Json = dict[str, Any]
OVER = frozenset({"completed", "failed", "cancelled"})
_ANSWER_SECONDS = 15.0
_PATIENCE_SECONDS = 180.0
_LOOK_EVERY_SECONDS = 0.5
_SECONDS = {shortest.provider: shortest.seconds for shortest in EVERY}
_WITH_PICTURE = frozenset(shortest.provider for shortest in EVERY if shortest.needs_image)


class Unanswered(Exception):
    """Nobody answered for minutes."""


class Lookout:
    """Looks at every generation that is not over, again and again, as a page would."""

    def __init__(self) -> None:
        self.shown: dict[str, Json] = {}
        self._takes: dict[str, int] = {}
        self._clients: dict[str, httpx.AsyncClient] = {}

    def expect(self, generation_id: str, client: httpx.AsyncClient, takes: int = 1) -> None:
        """Look at a generation until it has so many takes and is over."""
        self._clients[generation_id] = client
        self._takes[generation_id] = max(takes, self._takes.get(generation_id, 0))

    def is_over(self, generation_id: str) -> bool:
        """Tell whether its last take that we know of is over."""
        shown = self.shown.get(generation_id)
        return (
            shown is not None
            and shown["status"] in OVER
            and len(shown["takes"]) >= self._takes[generation_id]
        )

    @property
    def open(self) -> list[str]:
        """The generations that are not over."""
        return [generation_id for generation_id in self._takes if not self.is_over(generation_id)]

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            for generation_id in self.open:
                with suppress(httpx.HTTPError):
                    answer = await self._clients[generation_id].get(f"/v1/generations/{generation_id}")
                    if answer.status_code == httpx.codes.OK:
                        self.shown[generation_id] = answer.json()
            await asyncio.sleep(_LOOK_EVERY_SECONDS)


class Tenant:
    """One tenant's users, at the tenant's own API.

    Attributes:
        known: The fields of an order that the API knows; others are not sent.
        orders: What was ordered and what was answered: rows of the report.
    """

    def __init__(self, name: str, url: str, lookout: Lookout) -> None:
        self.name = name
        self.client = httpx.AsyncClient(base_url=url, timeout=_ANSWER_SECONDS, trust_env=False)
        self.known: frozenset[str] = frozenset()
        self.orders: list[Json] = []
        self._lookout = lookout
        self._image_id = ""

    async def close(self) -> None:
        """Leave."""
        await self.client.aclose()

    async def move_in(self) -> None:
        """Read what can be ordered, and upload the picture that videos begin with."""
        schema = (await self.client.get("/openapi.json")).json()["components"]["schemas"]
        self.known = frozenset(schema["GenerationRequest"]["properties"])
        answer = await self.client.post("/v1/images", files={"file": ("fox.png", a_picture())})
        self._image_id = str(answer.raise_for_status().json()["id"])

    async def order(self, order: Order) -> None:
        """Order, perhaps again, and do what was planned for afterwards; write everything down."""
        row: Json = {
            "number": order.number,
            "tenant": self.name,
            "key": f"order-{order.number}",
            "body": self._body(order),
            "answers": [],
            "lost_replies": 0,
            "afterwards": [],
        }
        self.orders.append(row)
        with suppress(Unanswered):
            for _ in range(1 + order.repeats):
                answer = await self._post("/v1/generations", row["key"], row["body"], row)
                row["answers"].append(_told(answer) | {"id": answer.json().get("id")})
                if answer.status_code != httpx.codes.ACCEPTED:
                    return
                self._lookout.expect(answer.json()["id"], self.client)
            await self._afterwards(order, row, row["answers"][0]["id"])

    async def _afterwards(self, order: Order, row: Json, generation_id: str) -> None:
        match order.then:
            case Cancel(after_seconds):
                await asyncio.sleep(after_seconds)
                await self._change(row, generation_id, "cancel", {})
            case Regenerate(prompt, None):
                with suppress(AssertionError):  # never over: that is counted as lost
                    await eventually_so(
                        lambda: self._lookout.is_over(generation_id), within=_PATIENCE_SECONDS
                    )
                    await self._change(row, generation_id, "regenerate", {"prompt": prompt})
            case Regenerate(prompt, float() as after_seconds):
                await asyncio.sleep(after_seconds)
                body = {"prompt": prompt, "if_running": "replace"}
                await self._change(row, generation_id, "regenerate", body)

    async def _change(self, row: Json, generation_id: str, what: str, body: Json) -> None:
        key = f"{what}-{row['number']}"
        answer = await self._post(f"/v1/generations/{generation_id}/{what}", key, body, row)
        row["afterwards"].append(_told(answer) | {"what": what})
        if what == "regenerate" and answer.status_code == httpx.codes.ACCEPTED:
            self._lookout.expect(generation_id, self.client, takes=len(answer.json()["takes"]))

    async def _post(self, path: str, key: str, body: Json, row: Json) -> httpx.Response:
        """POST until it is answered, with the same key."""

        async def answered() -> httpx.Response | None:
            try:
                answer = await self.client.post(path, json=body, headers={"Idempotency-Key": key})
            except httpx.ConnectError:
                return None
            except httpx.HTTPError:
                row["lost_replies"] += 1
                return None
            return None if answer.is_server_error else answer

        return await insistently(answered, f"an answer to {path}")

    def _body(self, order: Order) -> Json:
        params: Json = {"duration_seconds": _SECONDS.get(order.provider, 2)}
        if order.provider in _WITH_PICTURE:
            params["image_id"] = self._image_id
        body: Json = {
            "prompt": order.prompt,
            "provider": order.provider,
            "params": params,
            "priority": order.priority,
        }
        if not order.may_fall_back:
            body["fallback_providers"] = []
        if order.on_unknown is not None:
            body["on_unknown_submission"] = order.on_unknown
        return {name: value for name, value in body.items() if name in self.known}

    async def everything(self) -> list[str]:
        """The ids of all that the tenant is shown in lists."""
        found: list[str] = []
        cursor: str | None = None
        while True:
            query: Mapping[str, str | int] = {"limit": 100} | ({"cursor": cursor} if cursor else {})
            page = (await self.client.get("/v1/generations", params=query)).raise_for_status().json()
            found += [generation["id"] for generation in page["data"]]
            cursor = page["next"]
            if cursor is None:
                return found

    async def story_of(self, generation_id: str) -> tuple[Json | None, list[Json]]:
        """A generation as the tenant is shown it, None if it is not, and its events."""
        path = f"/v1/generations/{generation_id}"
        answer = await self.client.get(path)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None, []
        events: list[Json] = []
        after: int | None = 0
        while after is not None:
            page = (
                (await self.client.get(f"{path}/events", params={"after": after})).raise_for_status().json()
            )
            events += page["data"]
            after = page["next"]
        return answer.raise_for_status().json(), events


async def insistently(ask: Callable[[], Awaitable[httpx.Response | None]], what: str) -> httpx.Response:
    """Ask until there is an answer.

    Raises:
        Unanswered: There was none for minutes.
    """

    async def answered() -> tuple[httpx.Response] | None:
        answer = await ask()
        return None if answer is None else (answer,)  # a refusal is an answer, but it is false

    try:
        return (await eventually(answered, within=_PATIENCE_SECONDS, what=what))[0]
    except AssertionError as error:
        raise Unanswered(what) from error


def _told(answer: httpx.Response) -> Json:
    told: Json = {"at": time.time(), "status": answer.status_code}
    if not answer.is_success:
        told["code"] = answer.json().get("code")
    return told
