"""Ordering a video."""

import re
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from api.costs.quotas import REFUSALS, admit, as_allowed
from api.door.scopes import needs
from api.door.users import user_of
from api.generations.routing import route_for
from api.generations.schemas import GenerationOut
from api.generations.showing import reply, shown_in_queue
from api.generations.waiting import WAIT_MAX, wait_for_news
from api.idempotency import IdempotencyKey, once, respond
from api.pictures.image_urls import with_picture
from api.service import Here, Service, now
from domain.generation import Generation
from domain.ids import new_generation_id
from domain.names import Signal
from domain.orders.request import GenerationRequest
from domain.people.callers import Scope
from failpoints import Point, reach
from storage import catalog
from storage.idempotency import Reply
from storage.money.ledger import alone_with_money
from storage.money.quotas import tell
from storage.takes import duplicates, wishes

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
    body: GenerationRequest,
    key: IdempotencyKey,
    prefer: Annotated[str | None, Header(description="`wait=N`: answer after at most N seconds.")] = None,
) -> JSONResponse:
    """Write the order down and answer 202: from then on it ends in exactly one terminal state.

    The same order of the same user a moment ago is the answer, with `duplicate_of`: nothing new is made, unless
    `allow_duplicate` is true.
    """
    body = body.model_copy(update={"user_id": user_of(service.caller, body.user_id)})
    generation_id = new_generation_id()
    body = await with_picture(service, key, body)

    async def work(connection: AsyncConnection) -> Reply:
        entitlement = service.tenants.entitlement(service.tenant, body.user_id)
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
        return reply(service, generation, 202)

    answer = await once(service, key, work)
    reach(Point.WISH_AFTER_COMMIT)
    duplicate_of = answer.body.get("duplicate_of")
    if not answer.replayed and duplicate_of is None:
        service.nudge_soon(generation_id, Signal.REGENERATE, 1)
    seconds = _preferred_wait(prefer)
    if not seconds:
        return respond(answer)
    generation = await wait_for_news(service, answer.body["id"], seconds, None)
    now_shown = (await shown_in_queue(service, generation)).model_copy(update={"duplicate_of": duplicate_of})
    response = respond(replace(answer, body=now_shown.model_dump(mode="json")))
    response.headers["Preference-Applied"] = f"wait={seconds}"
    return response


def _the_same(service: Service, first: Generation) -> Reply:
    """Return the generation that is the same as what is asked for, as the answer."""
    same = reply(service, first, 200 if first.status.is_terminal else 202)
    headers = same.headers | {"Duplicate-Of": first.id}
    return replace(same, body=same.body | {"duplicate_of": first.id}, headers=headers)


def _preferred_wait(prefer: str | None) -> int:
    match = _PREFER_WAIT.search(prefer or "")
    return min(int(match[1]), WAIT_MAX) if match else 0
