"""Ordering a video."""

import re
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from api.changes import IdempotencyKey, accepted, once, respond, route_for
from api.schemas import GenerationOut
from api.service import Here, now
from api.waiting import WAIT_MAX, wait_for_news
from domain.ids import new_generation_id
from domain.messages import Signal
from domain.request import GenerationRequest
from failpoints import Point, reach
from storage import wishes
from storage.idempotency import Reply

router = APIRouter(prefix="/v1/generations", tags=["generations"])

_PREFER_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])")


@router.post(
    "",
    status_code=202,
    response_model=GenerationOut,
    summary="Order a video",
    openapi_extra={
        "requestBody": {
            "content": {
                "application/json": {
                    "examples": {
                        "shortest": {"value": {"prompt": "A red fox runs over fresh snow, low sun"}},
                        "in full": {
                            "value": {
                                "prompt": "A red fox runs over fresh snow, low sun",
                                "provider": "runway",
                                "model": "gen4.5",
                                "params": {
                                    "duration_seconds": 5,
                                    "aspect_ratio": "16:9",
                                    "resolution": "720p",
                                    "seed": 7,
                                    "camera": {"pan": 0.3},
                                    "style": {"preset": "cinematic"},
                                },
                                "project_id": "winter",
                                "metadata": {"scene": "12b"},
                                "max_cost_usd": "1.00",
                                "priority": "high",
                                "fallback_providers": ["seedance"],
                                "deadline_seconds": 600,
                                "on_unknown_submission": "hold",
                                "on_content_policy": "fail",
                            }
                        },
                    }
                }
            }
        }
    },
)
async def create(
    service: Here,
    request: Request,
    body: GenerationRequest,
    idempotency_key: IdempotencyKey = None,
    prefer: Annotated[str | None, Header(description="`wait=N`: answer after at most N seconds.")] = None,
) -> JSONResponse:
    """Write the order down and answer 202: from then on it ends in exactly one terminal state."""
    generation_id = new_generation_id()

    async def work(connection: AsyncConnection) -> Reply:
        route = await route_for(service, connection, body)
        person = wishes.Person(tenant_id=service.tenant, mode=service.settings.mode)
        generation = await wishes.create(connection, generation_id, person, body, route, now())
        reach(Point.WISH_BEFORE_COMMIT)
        return accepted(service, generation)

    reply = await once(service, request, idempotency_key, work)
    reach(Point.WISH_AFTER_COMMIT)
    if not reply.replayed:
        service.nudge_soon(generation_id, Signal.REGENERATE, 1)
    seconds = _preferred_wait(prefer)
    if seconds:
        generation = await wait_for_news(service, reply.body["id"], seconds, None)
        shown = await service.show_in_queue(generation)
        answer = respond(replace(reply, body=shown.model_dump(mode="json")))
        answer.headers["Preference-Applied"] = f"wait={seconds}"
        return answer
    return respond(reply)


def _preferred_wait(prefer: str | None) -> int:
    match = _PREFER_WAIT.search(prefer or "")
    return min(int(match[1]), WAIT_MAX) if match else 0
