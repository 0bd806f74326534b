"""What operators and admins did, for the admins of the same tenant: who, what, to which, with which request."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from api.door.scopes import needs
from api.generations.lists import unknown_cursor
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
        return cls(**{name: getattr(deed, name) for name in cls.model_fields})


class DeedPage(BaseModel):
    """One page of deeds."""

    data: list[DeedOut]
    has_more: bool
    next: str | None = Field(description="Pass it as `cursor` for the next page.")


class DeedQuery(BaseModel):
    """How deeds are paged."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(20, ge=1, le=100)
    cursor: str | None = Field(None, max_length=200, description="`next` of the page before.")


@router.get("", summary="What operators and admins did, the newest first")
@needs(Scope.ADMIN)
async def list_deeds(service: Here, query: Annotated[DeedQuery, Query()]) -> DeedPage:
    """Return one page of what was done at your tenant: accounts paused, keys made and revoked, things deleted."""
    before_id = None if query.cursor is None else _read_cursor(query.cursor)
    async with service.database.read() as connection:
        found = await audit.page(
            connection,
            service.tenant,
            only_user=service.caller.only_user,
            before_id=before_id,
            limit=query.limit + 1,
        )
    shown, has_more = found[: query.limit], len(found) > query.limit
    return DeedPage(
        data=[DeedOut.of(deed) for deed in shown],
        has_more=has_more,
        next=_write_cursor(shown[-1]) if has_more else None,
    )


async def note(
    service: Service,
    request: Request,
    connection: AsyncConnection,
    action: Action,
    target: str,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write what the caller of a request does, in the transaction in which it is done."""
    request_id = request.scope["state"]["request_id"]
    await audit.note(connection, service.caller, action, target, data, request_id)


def is_somebody_elses(service: Service, generation: Generation) -> bool:
    """Tell whether a caller acts as an operator, on what another user has ordered."""
    caller = service.caller
    return caller.may(Scope.OPERATE) and generation.user_id not in {None, caller.user_id}


def _write_cursor(deed: Deed) -> str:
    return base64.urlsafe_b64encode(deed.id.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> str:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        raise unknown_cursor() from None
    if not _DEED_ID.fullmatch(text):
        raise unknown_cursor()
    return text
