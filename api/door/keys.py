"""Keys over HTTP: make one, list them, revoke one. A key is shown once, in the answer that made it.

That answer is kept nowhere, so an Idempotency-Key would be of no use here: a key whose answer was lost is revoked.
"""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncConnection

from api.door.scopes import needs
from api.pages import Page, PageQuery
from api.problems import FieldError, Problem, not_found
from api.service import Here, Service, now
from domain.fields import Asked, Name, not_blank, printable
from domain.moments import micros_of, moment_of
from domain.people.callers import Scope
from domain.people.keys import Key, KeyState, is_key_id, not_to_hand_out
from runtime import keyring
from storage.people import keys

router = APIRouter(prefix="/v1/keys", tags=["keys"])

KeyId = Annotated[str, Path(description="The part of a key between `vp_` and its secret.")]
_NEVER_KEPT = {"Cache-Control": "no-store"}


class KeyRequest(Asked):
    """What a new key is to be for."""

    name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=128),
        printable,
        not_blank,
        Field(examples=["The web shop"]),
    ]
    scopes: Annotated[
        list[Annotated[Scope, Field(strict=False)]], Field(min_length=1, max_length=len(Scope))
    ] = Field(examples=[["read", "generate"]])
    user_id: Annotated[Name | None, Field(description="Whose requests these are.")] = None
    expires_at: Annotated[
        AwareDatetime | None, Field(strict=False, description="Until when it is good; for ever if left out.")
    ] = None


class KeyOut(BaseModel):
    """A key, without its secret."""

    id: str = Field(examples=["01k9zq3v5x7b8c9d"])
    name: str
    scopes: list[Scope]
    user_id: str | None
    state: KeyState
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    revoked_at: AwareDatetime | None
    last_used_at: AwareDatetime | None = Field(description="To the minute.")

    @classmethod
    def of(cls, key: Key, /, **shown_once: str) -> Self:
        """Return a key as JSON."""
        told = key.model_dump(exclude={"tenant_id", "scopes"})
        scopes = [scope for scope in Scope if scope in key.scopes]
        return cls(**told, scopes=scopes, state=key.state(now()), **shown_once)


class NewKeyOut(KeyOut):
    """A key, this once with its secret."""

    key: str = Field(examples=["vp_01k9zq3v5x7b8c9d_..."], description="Shown now and never again.")


class KeyPage(Page[KeyOut]):
    """One page of keys."""


@router.post("", status_code=201, response_model=NewKeyOut, summary="Make a key")
@needs(Scope.ADMIN)
async def create(service: Here, body: KeyRequest) -> JSONResponse:
    """Make a key for your tenant, with no scope that yours has not got. Its secret is shown once, here."""
    _may_be_made(service, body)
    wanted = keyring.NewKey(
        tenant_id=service.tenant,
        user_id=body.user_id or service.caller.only_user,
        name=body.name,
        scopes=frozenset(body.scopes),
        expires_at=body.expires_at,
    )
    seal, request_id = service.doorkeeper.seal, service.request_id
    async with service.database.write() as connection:
        key, written = await keyring.make(connection, seal, wanted, service.caller, request_id=request_id)
    service.doorkeeper.forget()
    answer = NewKeyOut.of(key, key=str(written))
    location = {"Location": f"/v1/keys/{key.id}"}
    return JSONResponse(answer.model_dump(mode="json"), status_code=201, headers=location | _NEVER_KEPT)


@router.get("", summary="List keys, the newest first")
@needs(Scope.ADMIN)
async def list_keys(service: Here, query: Annotated[PageQuery, Query()]) -> KeyPage:
    """Return one page of your tenant's keys, without their secrets; those that are over are listed too."""
    async with service.database.read() as connection:
        found = await keys.page(
            connection,
            service.tenant,
            user_id=service.caller.only_user,
            before=query.behind(_read_place),
            limit=query.limit + 1,
        )
    return KeyPage.of(found, query, show=KeyOut.of, place=_place)


@router.get("/{key_id}", summary="Look at a key")
@needs(Scope.ADMIN)
async def show(service: Here, key_id: KeyId) -> KeyOut:
    """Return what is known of a key of your tenant; its secret is not."""
    async with service.database.read() as connection:
        return KeyOut.of(await _own(service, connection, key_id))


@router.delete("/{key_id}", status_code=204, response_class=Response, summary="Revoke a key")
@needs(Scope.ADMIN)
async def revoke(service: Here, key_id: KeyId) -> Response:
    """Make a key worth nothing, with every session, ticket and link that was made with it; within two seconds."""
    async with service.database.write() as connection:
        key = await _own(service, connection, key_id)
        await keyring.revoke(connection, key, service.caller, request_id=service.request_id)
    service.doorkeeper.forget()
    return Response(status_code=204)


def _may_be_made(service: Service, body: KeyRequest) -> None:
    """Refuse a key that would be worth more than the one that makes it, or nothing."""
    caller = service.caller
    if caller.only_user is not None and body.user_id not in {None, caller.only_user}:
        message = f"your key is for {caller.only_user!r}: it makes keys for this user only"
        field = FieldError(pointer="/user_id", code="user_not_allowed", message=message)
        raise Problem("user_not_allowed", f"user_id: {message}", [field])
    if beyond := not_to_hand_out(caller, body.scopes):
        message = f"your key has not got {', '.join(beyond)}, and cannot hand it out"
        own = [scope for scope in Scope if caller.may(scope)]
        field = FieldError(pointer="/scopes", code="missing_scope", message=message, allowed=list(own))
        raise Problem("missing_scope", f"scopes: {message}", [field])
    if body.expires_at is not None and body.expires_at <= now():
        message = "is over already: give a time to come, or leave it out"
        field = FieldError(pointer="/expires_at", code="in_the_past", message=message)
        raise Problem("invalid_request", f"expires_at {message}", [field])


async def _own(service: Service, connection: AsyncConnection, key_id: str) -> Key:
    """Return a key that the caller may see.

    Raises:
        Problem: There is none of that id.
    """
    found = await keys.find(connection, key_id) if is_key_id(key_id) else None
    if (
        found is None
        or found[0].tenant_id != service.tenant
        or service.caller.only_user not in {None, found[0].user_id}
    ):
        raise not_found("key")
    return found[0]


def _place(key: Key) -> str:
    """Return where a key stands in the list: ids of keys say nothing of their age."""
    return f"{micros_of(key.created_at)}/{key.id}"


def _read_place(said: str) -> tuple[datetime, str] | None:
    micros, _, key_id = said.partition("/")
    try:
        moment = moment_of(int(micros))
    except (ValueError, OverflowError, OSError):
        return None
    return (moment, key_id) if is_key_id(key_id) else None
