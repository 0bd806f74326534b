"""Tickets and links over HTTP: what a browser is given instead of a key, to watch for a few minutes.

A ticket opens streams and files, with `?ticket=`; a link opens one file. Both show something and change nothing, and
end with the key that they were made with. They are kept nowhere, so an Idempotency-Key would be of no use here.
"""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, Field

from api.door import links
from api.door.scopes import needs
from api.generations.finding import find
from api.generations.paths import path_of
from api.service import Here, Service, now
from domain.fields import Asked
from domain.generation import Generation
from domain.people.callers import Scope
from domain.people.keys import Pass, PassKind, new_token
from storage.people import passes

router = APIRouter(prefix="/v1/tickets", tags=["keys"])

SECONDS_MAX = 3600
_NEVER_KEPT = {"Cache-Control": "no-store"}


class TicketRequest(Asked):
    """What a ticket is to open, and for how long."""

    generation_id: Annotated[
        str | None, Field(max_length=64, description="The one that it opens; all of yours if left out.")
    ] = None
    expires_in_seconds: Annotated[int, Field(ge=10, le=SECONDS_MAX)] = 300


class FileLinks(BaseModel):
    """Addresses that open one take's files by themselves."""

    take: int
    video: str
    poster: str


class TicketLinks(BaseModel):
    """Addresses that a browser can open as they are."""

    events: str = Field(description="For an EventSource.")
    files: list[FileLinks] = Field(description="Of each take that has a video, the oldest first.")


class TicketOut(BaseModel):
    """A ticket, shown this once."""

    ticket: str = Field(examples=["vpt_..."], description="For `?ticket=` of streams and files.")
    generation_id: str | None
    expires_at: AwareDatetime
    links: TicketLinks | None = Field(description="Null where the ticket is for no single generation.")


@router.post("", status_code=201, response_model=TicketOut, summary="Let a browser watch")
@needs(Scope.READ)
async def create(service: Here, request: Request, body: TicketRequest | None = None) -> JSONResponse:
    """Make a ticket for streams and files, and for one generation also ready links; all of it ends by itself."""
    asked = body or TicketRequest()
    generation = None if asked.generation_id is None else await find(service, asked.generation_id)
    token = new_token(PassKind.TICKET)
    caller, moment = service.caller, now()
    made = Pass(
        kind=PassKind.TICKET,
        key_id=caller.key_id or "",
        tenant_id=caller.tenant_id,
        user_id=caller.only_user,
        scopes=frozenset({Scope.READ}),
        created_at=moment,
        expires_at=moment + timedelta(seconds=asked.expires_in_seconds),
        generation_id=asked.generation_id,
    )
    async with service.database.write() as connection:
        await passes.add(connection, service.doorkeeper.sealed(token), made)
    answer = TicketOut(
        ticket=token,
        generation_id=made.generation_id,
        expires_at=made.expires_at,
        links=None if generation is None else _links(service, request, generation, token, made),
    )
    return JSONResponse(answer.model_dump(mode="json"), status_code=201, headers=_NEVER_KEPT)


def _links(service: Service, request: Request, generation: Generation, token: str, made: Pass) -> TicketLinks:
    base = base_url(service, request)
    path = path_of(generation.id)

    def signed(name: str, take: int) -> str:
        expires = int(made.expires_at.timestamp())
        seal = service.doorkeeper.seal
        link = links.sign(seal, f"{path}/{name}", take=take, key_id=made.key_id, expires=expires)
        return f"{base}{link}"

    return TicketLinks(
        events=f"{base}{path}/events?ticket={token}",
        files=[
            FileLinks(
                take=take.number, video=signed("video", take.number), poster=signed("poster", take.number)
            )
            for take in generation.takes
            if take.video is not None
        ],
    )


def base_url(service: Service, request: Request) -> str:
    """Return where people reach us: as it is set, else as this request did."""
    return service.settings.public_url or str(request.base_url).rstrip("/")
