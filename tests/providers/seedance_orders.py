"""Seedance in a test: an order for it, an account at some address, tasks and lists as it writes them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.attempts.outcomes import SubmitResult
from domain.orders.capabilities import Mode
from domain.orders.plans import FirstFrame, Plan
from providers.base import JobOrder
from providers.seedance.account import Seedance
from tests.providers.orders import REFERENCE, Permission

PATH = "/api/v3/contents/generations/tasks"
PRO, PRO_15 = "seedance-1-0-pro-250528", "seedance-1-5-pro-251215"
TWO, TWO_AND_A_HALF = "dreamina-seedance-2-0-260128", "dreamina-seedance-2-5-260628"
SENT_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SEED = 4_211_008_613
KEY = "ark-secret-0123"


def a_seedance_plan(**changes: Any) -> Plan:
    """Five seconds of a fox at 720p, by the first model of the line-up."""
    told: dict[str, Any] = {
        "provider": "seedance",
        "model": PRO,
        "mode": Mode.TEXT,
        "prompt": "A red fox runs over fresh snow",
        "duration_seconds": 5,
        "width": 1248,
        "height": 704,
        "has_exact_size": False,
        "resolution": "720p",
        "aspect_ratio": "16:9",
        "seed": SEED,
        "price": 259_545,
    }
    return Plan.model_validate(told | changes)


def a_seedance_order(*, picture: bytes | None = None, **changes: Any) -> JobOrder:
    """The order of that plan, or of one that starts from a picture."""
    if picture is not None:
        frame = FirstFrame(image_id="img_1", sha256="a" * 64, width=1248, height=704)
        changes = {"mode": Mode.IMAGE, "first_frame": frame} | changes
    return JobOrder(plan=a_seedance_plan(**changes), client_reference=REFERENCE, picture=picture)


@asynccontextmanager
async def seedance_at(url: str, *, key: str = KEY, answer_seconds: float = 5.0) -> AsyncIterator[Seedance]:
    """An open account at some address."""
    seedance = Seedance(
        base_url=url, api_key=key, poll_interval=timedelta(milliseconds=10), answer_seconds=answer_seconds
    )
    try:
        yield seedance
    finally:
        await seedance.close()


async def sent(seedance: Seedance, permission: Permission | None = None, **changes: Any) -> SubmitResult:
    """Submit an order for a fox, changed as told."""
    return await seedance.submit(a_seedance_order(**changes), permission or Permission())


def a_task(status: str = "succeeded", **fields: object) -> dict[str, Any]:
    """A task as `GET` shows it."""
    return {"id": "cgt-1", "model": PRO, "status": status, "created_at": int(SENT_AT.timestamp()), **fields}


def error_body(code: object, message: object = "It was not done.") -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "param": "", "type": "Whatever"}}
