"""Ordering a video."""

import re
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from api.changes import IdempotencyKey, accepted, once, respond, route_for
from api.costs.quotas import REFUSALS, admit, as_allowed, entitlement_of
from api.door.scopes import needs
from api.door.users import user_of
from api.generations.schemas import GenerationOut
from api.generations.waiting import WAIT_MAX, wait_for_news
from api.pictures.image_urls import with_picture
from api.service import Here, Service, now
from domain.generation import Generation
from domain.ids import new_generation_id
from domain.messages import Signal
from domain.orders.request import GenerationRequest
from domain.people.callers import Scope
from failpoints import Point, reach
from storage.idempotency import Reply
from storage.money.ledger import alone_with_money
from storage.money.quotas import tell
from storage.takes import catalog, duplicates, wishes

router = APIRouter(prefix="/v1/generations", tags=["generations"])

_PREFER_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])")


@router.post(
    "",
    status_code=202,
    response_model=GenerationOut,
    summary="Order a video",
    responses=REFUSALS
    | {
        200: {
            "model": GenerationOut,
            "description": "The same was ordered a moment ago, and is there already",
        }
    },
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
@needs(Scope.GENERATE)
async def create(
    service: Here,
    request: Request,
    body: GenerationRequest,
    idempotency_key: IdempotencyKey = None,
    prefer: Annotated[str | None, Header(description="`wait=N`: answer after at most N seconds.")] = None,
) -> JSONResponse:
    """Write the order down and answer 202: from then on it ends in exactly one terminal state.

    The same order of the same user a moment ago is the answer, with `duplicate_of`: nothing new is made, unless
    `allow_duplicate` is true.
    """
    body = body.model_copy(update={"user_id": user_of(service.caller, body.user_id)})
    generation_id = new_generation_id()
    body = await with_picture(service, request, idempotency_key, body)

    async def work(connection: AsyncConnection) -> Reply:
        entitlement = entitlement_of(service, service.tenant, body.user_id)
        asked = as_allowed(entitlement, body)
        route = await route_for(service, connection, asked, entitlement)
        person = wishes.Person(tenant_id=service.tenant, mode=service.settings.mode)
        moment = now()
        await alone_with_money(connection, service.tenant)
        wish = duplicates.Wish(person, body, moment - service.settings.duplicate_window)
        first = await duplicates.find(connection, wish)
        if first is not None and not body.allow_duplicate:
            return _the_same(service, await catalog.load(connection, first))
        notices = await admit(service, connection, entitlement, route[0], joins=True)
        generation = await wishes.create(connection, generation_id, person, asked, route, moment)
        await duplicates.remember(connection, generation_id, wish)
        generation = await tell(connection, generation, notices, moment)
        reach(Point.WISH_BEFORE_COMMIT)
        return accepted(service, generation)

    reply = await once(service, request, idempotency_key, work)
    reach(Point.WISH_AFTER_COMMIT)
    duplicate_of = reply.body.get("duplicate_of")
    if not reply.replayed and duplicate_of is None:
        service.nudge_soon(generation_id, Signal.REGENERATE, 1)
    seconds = _preferred_wait(prefer)
    if seconds:
        generation = await wait_for_news(service, reply.body["id"], seconds, None)
        shown = await service.show_in_queue(generation)
        body_now = shown.model_copy(update={"duplicate_of": duplicate_of}).model_dump(mode="json")
        answer = respond(replace(reply, body=body_now))
        answer.headers["Preference-Applied"] = f"wait={seconds}"
        return answer
    return respond(reply)


def _the_same(service: Service, first: Generation) -> Reply:
    """Return the generation that is the same as what is asked for, as the answer."""
    reply = accepted(service, first, status=200 if first.status.is_terminal else 202)
    headers = reply.headers | {"Duplicate-Of": first.id}
    return replace(reply, body=reply.body | {"duplicate_of": first.id}, headers=headers)


def _preferred_wait(prefer: str | None) -> int:
    match = _PREFER_WAIT.search(prefer or "")
    return min(int(match[1]), WAIT_MAX) if match else 0
