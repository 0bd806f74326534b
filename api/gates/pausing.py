"""Pausing: a caller's own tickets, and (for operators) an account.

SQL first, then the gates: a gate that starts anew reads the rows, and one that runs is told what the rows say after the
commit, not what was asked for, so that two who contradict each other end with the gate and the rows agreeing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, TypeVar

from fastapi import APIRouter, Body, Depends, Path
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.service import RPCError

from api.door import audit
from api.door.scopes import needs
from api.gates.accounts import account_ids, standings
from api.gates.queue import QueuePage, page_of
from api.gates.queue_schemas import AccountOut
from api.idempotency import IdempotencyKey, once, respond
from api.problems import Problem
from api.service import Here, Service, now
from domain.fields import Asked, not_blank, printable
from domain.orders.line_up import name_of
from domain.people.callers import Scope
from storage.gate import gates
from storage.idempotency import Key, Reply
from storage.people.audit import Action

router = APIRouter()

REASON_MAX = 200
_PATIENCE_SECONDS = 8.0

Told = TypeVar("Told", bool, str | None)
AccountId = Annotated[str, Path(description="An account, such as `runway`.")]


class Nothing(Asked):
    """No fields: what is sent is not looked at, and must not be there."""


async def _no_fields(
    body: Annotated[Nothing | None, Body()] = None,
) -> None:
    """Take no body, or an empty one."""


_BARE = [Depends(_no_fields)]


class PauseRequest(Asked):
    """Why an account is paused: everybody who waits there is told."""

    reason: Annotated[
        str,
        StringConstraints(min_length=1, max_length=REASON_MAX),
        printable,
        not_blank,
        Field(examples=["Their support looks into broken videos"]),
    ]


@router.post(
    "/v1/queue/pause",
    response_model=QueuePage,
    dependencies=_BARE,
    tags=["queue"],
    summary="Pause your own queue",
)
@needs(Scope.GENERATE)
async def pause_own(service: Here, key: IdempotencyKey) -> JSONResponse:
    """Let none of your waiting generations begin; what runs goes on, and others are not held up."""
    return await _own(service, key, paused=True)


@router.post(
    "/v1/queue/resume",
    response_model=QueuePage,
    dependencies=_BARE,
    tags=["queue"],
    summary="Resume your own queue",
)
@needs(Scope.GENERATE)
async def resume_own(service: Here, key: IdempotencyKey) -> JSONResponse:
    """Let your waiting generations begin again, each in its old place."""
    return await _own(service, key, paused=False)


@router.post(
    "/v1/providers/{account}/pause", response_model=AccountOut, tags=["operators"], summary="Pause an account"
)
@needs(Scope.OPERATE)
async def pause(
    service: Here,
    account: AccountId,
    body: PauseRequest,
    key: IdempotencyKey,
) -> JSONResponse:
    """Send no more orders to an account; what runs there is not touched, and whoever waits is told the reason."""
    return await _account(service, key, account, reason=body.reason)


@router.post(
    "/v1/providers/{account}/resume",
    response_model=AccountOut,
    dependencies=_BARE,
    tags=["operators"],
    summary="Resume an account",
)
@needs(Scope.OPERATE)
async def resume(
    service: Here,
    account: AccountId,
    key: IdempotencyKey,
) -> JSONResponse:
    """Send orders to an account again."""
    return await _account(service, key, account, reason=None)


@router.post(
    "/v1/providers/{account}/reset_breaker",
    response_model=AccountOut,
    dependencies=_BARE,
    tags=["operators"],
    summary="Close an account's breaker",
)
@needs(Scope.OPERATE)
async def reset_breaker(
    service: Here,
    account: AccountId,
    key: IdempotencyKey,
) -> JSONResponse:
    """Forget an account's last failures, and send it orders again at once."""
    _is_known(service, account)

    async def work(connection: AsyncConnection) -> Reply:
        await audit.note(service, connection, Action.BREAKER_RESET, account)
        return Reply(200, {}, {})

    reply = await once(service, key, work)
    await _in_time(service.gates.reset_breaker(account))
    return respond(replace(reply, body=await _shown(service, account)))


async def _own(service: Service, key: Key | None, *, paused: bool) -> JSONResponse:
    if service.caller.only_user is not None:
        detail = "The queue is paused for everybody at your tenant; a key of one user cannot do that."
        raise Problem("user_not_allowed", detail)

    async def work(connection: AsyncConnection) -> Reply:
        if paused:
            await gates.pause_tenant(connection, service.tenant, now())
        else:
            await gates.resume_tenant(connection, service.tenant)
        return Reply(200, {}, {})

    async def tell(is_paused: bool) -> None:
        await asyncio.gather(
            *(
                service.gates.pause_tenant(account, service.tenant, paused=is_paused)
                for account in account_ids(service)
            )
        )

    reply = await once(service, key, work)
    await _in_time(_agree(service, lambda connection: gates.is_paused(connection, service.tenant), tell))
    for account in account_ids(service):
        service.hub.forget(account)
    page = await page_of(service)
    return respond(replace(reply, body=page.model_dump(mode="json")))


async def _account(service: Service, key: Key | None, account: str, *, reason: str | None) -> JSONResponse:
    _is_known(service, account)

    async def work(connection: AsyncConnection) -> Reply:
        await gates.pause(connection, account, reason, now())
        done, data = (
            (Action.ACCOUNT_RESUMED, {}) if reason is None else (Action.ACCOUNT_PAUSED, {"reason": reason})
        )
        await audit.note(service, connection, done, account, data)
        return Reply(200, {}, {})

    async def tell(why: str | None) -> None:
        if why is None:
            await service.gates.resume(account)
        else:
            await service.gates.pause(account, why)

    reply = await once(service, key, work)
    await _in_time(_agree(service, lambda connection: gates.pause_reason(connection, account), tell))
    return respond(replace(reply, body=await _shown(service, account)))


async def _agree(
    service: Service,
    read: Callable[[AsyncConnection], Awaitable[Told]],
    tell: Callable[[Told], Awaitable[None]],
) -> None:
    """Tell the gates what the rows say, until nobody has changed that meanwhile."""

    async def said() -> Told:
        async with service.database.read() as connection:
            return await read(connection)

    state = await said()
    while True:
        await tell(state)
        told, state = state, await said()
        if told == state:
            return


async def _in_time(telling: Awaitable[None]) -> None:
    """Wait until the gates are told, but not for ever.

    Raises:
        Problem: They could not be told.
    """
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await telling
    except (RPCError, RuntimeError, TimeoutError) as error:
        raise Problem(
            "gate_away",
            "Temporal does not answer, so what runs now does not know of it yet; repeat the request.",
            headers={"Retry-After": "2"},
        ) from error


async def _shown(service: Service, account: str) -> dict[str, object]:
    service.hub.forget(account)
    statuses = {account: await service.hub.look(account)}
    return (await standings(service, statuses))[account].shown.model_dump(mode="json")


def _is_known(service: Service, account: str) -> None:
    known = account_ids(service)
    if account not in known:
        named = ", ".join(f"{one} ({name_of(one)})" for one in known) or "none"
        raise Problem("unknown_account", f"There is no account of this id; there are: {named}.")
