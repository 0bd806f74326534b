"""Changing something over HTTP: once per Idempotency-Key, in one transaction, and never in the other mode."""

import secrets
from typing import Annotated

from fastapi import Header, Path, Request
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from api.problems import FieldError, Problem, not_found
from api.service import Service, now
from domain.attempts.routing import route
from domain.generation import Generation
from domain.ids import is_generation_id
from domain.orders.params import SEED_MAX
from domain.orders.planning import Wanted, plans
from domain.orders.plans import Plan
from domain.orders.request import GenerationRequest
from domain.people.tenants import Entitlement
from storage.database import alone_with
from storage.files import images
from storage.idempotency import Gone, Key, KeyReused, Reply, Work, was_used
from storage.idempotency import once as once_per_key
from storage.takes import catalog

GenerationId = Annotated[str, Path(description="`gen_` and 26 characters.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Repeat a request with the same key and it is done once; kept for 48 hours.",
    ),
]


async def once(service: Service, request: Request, key: str | None, work: Work) -> Reply:
    """Do a request's work, or return what it was answered the first time.

    Raises:
        Problem: The key was used for another body, or what it made was deleted since.
    """
    try:
        return await once_per_key(service.database, await _key(service, request, key), now(), work)
    except KeyReused as error:
        field = FieldError(pointer="/header/Idempotency-Key", code="reused", message=str(error))
        raise Problem("idempotency_key_reused", str(error), [field]) from error
    except Gone as error:
        raise Problem("deleted", "What this Idempotency-Key made was deleted since.") from error


async def was_done(service: Service, request: Request, key: str | None) -> bool:
    """Tell whether a request was answered before, so that `once` will answer it again without any work."""
    known = await _key(service, request, key)
    return known is not None and await was_used(service.database, known, now())


async def _key(service: Service, request: Request, key: str | None) -> Key | None:
    if key is None:
        return None
    return Key.of(
        tenant_id=service.tenant,
        user_id=service.caller.user_id,
        method=request.method,
        path=request.url.path,
        key=key,
        body=await request.body(),
    )


async def load_to_change(service: Service, connection: AsyncConnection, generation_id: str) -> Generation:
    """Return a generation that nobody else changes before the transaction ends.

    Raises:
        Problem: There is none of that id, or it belongs to the other mode.
    """
    generation = None
    if is_generation_id(generation_id):
        await alone_with(connection, generation_id)
        generation = await catalog.find(connection, generation_id)
    if generation is None or not service.is_shown(generation):
        raise not_found("generation")
    if generation.mode is not service.settings.mode:
        detail = (
            f"It was ordered in {generation.mode} mode, and this service is in {service.settings.mode} mode."
        )
        raise Problem("other_mode", detail)
    return generation


async def route_for(
    service: Service, connection: AsyncConnection, request: GenerationRequest, entitlement: Entitlement
) -> tuple[Plan, ...]:
    """Fit a request to what its owner may use here: every plan that may serve it, the preferred one first.

    Raises:
        RequestRefused: Nothing can serve it, or the picture that it names is not there.
    """
    frame = await images.first_frame(connection, service.tenant, request, service.caller.only_user)
    wanted = Wanted(request=request, seed=secrets.randbelow(SEED_MAX + 1), first_frame=frame)
    moment = now()
    healths = await service.healths.look(connection, moment)
    allowed = [facts for facts in service.providers if entitlement.allows(facts.id)]
    return route(request, plans(wanted, allowed), healths, moment)


def accepted(service: Service, generation: Generation, status: int = 202) -> Reply:
    """Return the generation as the reply of a request that changed it."""
    body = service.show(generation).model_dump(mode="json")
    return Reply(status, body, location(generation.id), generation.id)


def location(generation_id: str) -> dict[str, str]:
    """Return the header that says where the generation is."""
    return {"Location": f"/v1/generations/{generation_id}"}


def respond(reply: Reply) -> JSONResponse:
    """Return a reply as an HTTP answer."""
    headers = reply.headers | ({"Idempotency-Replayed": "true"} if reply.replayed else {})
    return JSONResponse(reply.body, status_code=reply.status, headers=headers)
