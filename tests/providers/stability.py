"""Orders for Stable Video in a test: a picture, the form that it is sent in, and an account to send it to."""

import functools
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.types import Message

from domain.attempts.failures import Category
from domain.attempts.outcomes import SubmitResult
from domain.orders.capabilities import Mode
from domain.orders.plans import Plan
from providers.base import JobOrder, ProviderError
from providers.stable_video.account import Stability
from tests.providers.orders import REFERENCE, Permission
from tests.providers.raw import RawServer

PATH = "/v2beta/image-to-video"
MOST_SEED = 4_294_967_294


@functools.cache
def a_picture(width: int = 768, height: int = 768) -> bytes:
    canvas = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(canvas, "JPEG")
    return canvas.getvalue()


def a_plan(**changes: Any) -> Plan:
    told: dict[str, Any] = {
        "provider": "stable-video",
        "model": "svd",
        "mode": Mode.IMAGE,
        "prompt": "A red fox runs over fresh snow",
        "duration_seconds": 4,
        "width": 768,
        "height": 768,
        "seed": 7,
        "least_seed": 1,
        "most_seed": MOST_SEED,
        "price": 200_000,
    }
    return Plan.model_validate(told | changes)


def a_job_order(*, attempt: int = 1, **changes: Any) -> JobOrder:
    plan = a_plan(**changes)
    return JobOrder(plan, REFERENCE, attempt, picture=a_picture(plan.width, plan.height))


async def submitted(
    stability: Stability, permission: Permission | None = None, **changes: Any
) -> SubmitResult:
    """Submit an order for a fox, changed as told."""
    return await stability.submit(a_job_order(**changes), permission or Permission())


@asynccontextmanager
async def stability_at(
    url: str, *, key: str = "secret", answer_seconds: float = 5.0, is_retired: bool = False
) -> AsyncIterator[Stability]:
    """An open Stable Video account at some address."""
    stability = Stability(
        base_url=url,
        api_key=key,
        poll_interval=timedelta(milliseconds=10),
        answer_seconds=answer_seconds,
        is_retired=is_retired,
    )
    try:
        yield stability
    finally:
        await stability.close()


async def broken_looks(stability: Stability, job_id: str, times: int) -> None:
    """Look at a job that answers 500 each time, without an end of it."""
    for _ in range(times):
        with pytest.raises(ProviderError) as raised:
            await stability.status(job_id)
        assert raised.value.failure.category is Category.SERVER_ERROR


def an_error(name: object = "bad_request", *reasons: object) -> dict[str, object]:
    """An error as the wire writes it."""
    return {"id": "0af7651916cd43dd8448eb211c80319c", "name": name, "errors": list(reasons)}


def headers_of(server: RawServer) -> dict[str, str]:
    """The headers of the first request, their names in small letters."""
    lines = server.head.split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


async def form_of(server: RawServer) -> list[tuple[str, str | tuple[str | None, str | None, bytes]]]:
    """The parts of the form in the first request, in their order; a file as its name, its type and its content."""
    headers = [(name.encode(), value.encode()) for name, value in headers_of(server).items()]
    body = server.received[0].partition(b"\r\n\r\n")[2]

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async with Request({"type": "http", "method": "POST", "headers": headers}, receive).form() as form:
        return [
            (name, (value.filename, value.content_type, await value.read()))
            if isinstance(value, UploadFile)
            else (name, value)
            for name, value in form.multi_items()
        ]
