"""What operators and admins did, for the admins of the same tenant: who, what, to which, with which request."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from api.door.scopes import needs
from api.pages import Page, PageQuery
from api.service import Here, Service
from domain.generation import Generation
from domain.people.callers import Scope
from storage.people import audit
from storage.people.audit import Action, Deed

router = APIRouter(prefix="/v1/audit", tags=["operators"])

_DEED_ID = re.compile(r"aud_[0-9a-hjkmnp-tv-z]{26}")


class DeedOut(BaseModel):
    """One thing that was done."""

    id: str = Field(examples=["aud_01k9zq3v5x7b8c9d0e1f2g3h4j"])
    at: AwareDatetime
    actor: str = Field(examples=["user:ann key:01k9zq3v5x7b8c9d"], description="The user and key, or `open`.")
    action: Action
    target: str = Field(examples=["runway"], description="The id of what it was done to.")
    data: dict[str, Any] = Field(examples=[{"reason": "Their support looks into broken videos"}])
    request_id: str

    @classmethod
    def of(cls, deed: Deed) -> "DeedOut":
        """Return a deed as JSON."""
        return cls.model_validate(deed, from_attributes=True)


class DeedPage(Page[DeedOut]):
    """One page of deeds."""


@router.get("", summary="What operators and admins did, the newest first")
@needs(Scope.ADMIN)
async def list_deeds(service: Here, query: Annotated[PageQuery, Query()]) -> DeedPage:
    """Return one page of what was done at your tenant: accounts paused, keys made and revoked, things deleted."""
    async with service.database.read() as connection:
        found = await audit.page(
            connection,
            service.tenant,
            only_user=service.caller.only_user,
            before_id=query.behind(lambda said: said if _DEED_ID.fullmatch(said) else None),
            limit=query.limit + 1,
        )
    return DeedPage.of(found, query, show=DeedOut.of, place=lambda deed: deed.id)


async def note(
    service: Service,
    connection: AsyncConnection,
    action: Action,
    target: str,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write what the caller of a request does, in the transaction in which it is done."""
    await audit.note(connection, service.caller, action, target, data, service.request_id)


def is_somebody_elses(service: Service, generation: Generation) -> bool:
    """Tell whether a caller acts as an operator, on what another user has ordered."""
    caller = service.caller
    return caller.may(Scope.OPERATE) and generation.user_id not in {None, caller.user_id}
