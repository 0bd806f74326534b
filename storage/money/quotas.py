"""What a tenant and its users use of their limits, and whether an order fits.

Whoever asks holds the tenant's money (`ledger.alone_with_money`) until the order is written: so of many orders at once
only as many are taken as fit.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Label, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.events import EventType
from domain.generation import Cost, DeploymentMode, Generation
from domain.money import Micros
from domain.people.quota_words import notice, quota_json, refusal
from domain.people.quotas import (
    Allowed,
    Ask,
    Gauge,
    Refused,
    Spent,
    Usage,
    Whose,
    decide,
    gauges,
    next_month,
    this_month,
)
from domain.people.quotas import room as room_in
from domain.people.tenants import Entitlement
from domain.status import TERMINAL
from storage import catalog, events
from storage.money.ledger import alone_with_money, day_of
from storage.tables import generations, spending


async def admit(
    connection: AsyncConnection, entitlement: Entitlement, mode: DeploymentMode, ask: Ask, now: datetime
) -> Allowed | Refused:
    """Decide whether an order fits; nobody else changes the tenant's money until the transaction ends.

    Args:
        connection: The transaction that writes the order next; it holds the generation already, where there is one.
        entitlement: What the caller may do.
        mode: Whose money: pretended and real money have budgets of their own.
        ask: What the order needs.
        now: The time.
    """
    await alone_with_money(connection, entitlement.tenant_id)
    return decide(await gauges_of(connection, entitlement, mode, now), ask)


async def room(
    connection: AsyncConnection, entitlement: Entitlement, mode: DeploymentMode, accepted_at: datetime
) -> Micros | None:
    """Return how much money may still be promised for a take, in micro-dollars; None where no budget limits it.

    Args:
        connection: A transaction that writes the promise next; it holds the generation already.
        entitlement: What the take's tenant and user may do.
        mode: Of the generation.
        accepted_at: When the take was accepted: whatever it costs counts on that day and in that month.
    """
    await alone_with_money(connection, entitlement.tenant_id)
    return room_in(await gauges_of(connection, entitlement, mode, accepted_at))


async def gauges_of(
    connection: AsyncConnection, entitlement: Entitlement, mode: DeploymentMode, now: datetime
) -> tuple[Gauge, ...]:
    """Return every limit that holds for a caller with what is used of it: the tenant's, then the user's."""
    found: tuple[Gauge, ...] = ()
    tenant, user = entitlement.of_tenant.allowance, entitlement.of_user.allowance
    if tenant.has_numbers:
        used = await usage_of(connection, entitlement.tenant_id, None, mode, now)
        found += gauges(Whose.TENANT, tenant, used, now)
    if user.has_numbers and entitlement.user_id is not None:
        used = await usage_of(connection, entitlement.tenant_id, entitlement.user_id, mode, now)
        found += gauges(Whose.USER, user, used, now)
    return found


async def usage_of(
    connection: AsyncConnection, tenant_id: str, user_id: str | None, mode: DeploymentMode, now: datetime
) -> Usage:
    """Return what a tenant uses, or one of its users.

    Args:
        connection: Where to read.
        tenant_id: Whose.
        user_id: Of this user only; None: of the whole tenant.
        mode: Of which mode.
        now: The time, which says which day and which month.
    """
    query = select(*sums(now)).where(*in_month(tenant_id, user_id, mode, now))
    today, month = spent_of(tuple((await connection.execute(query)).one()))
    flying = select(func.count()).where(
        generations.c.status.not_in(TERMINAL),
        generations.c.tenant_id == tenant_id,
        generations.c.mode == mode,
        *([] if user_id is None else [generations.c.user_id == user_id]),
    )
    return Usage(today=today, month=month, in_flight=(await connection.execute(flying)).scalar_one())


async def tell(
    connection: AsyncConnection, generation: Generation, notices: Sequence[Gauge], now: datetime
) -> Generation:
    """Tell in the log of a generation which limits its newest take has nearly used up; return it as it stands then."""
    for gauge in notices:
        await events.append(
            connection,
            EventType.USER_NOTICE,
            generation_id=generation.id,
            take=generation.current.number,
            at=now,
            message=notice(gauge),
            data=quota_json(gauge),
        )
    return await catalog.load(connection, generation.id) if notices else generation


async def tell_refusal(
    connection: AsyncConnection, generation: Generation, refused: Refused, now: datetime, *, wish_key: str
) -> None:
    """Tell in the log of a generation, once, that a take which was asked for by a signal was not taken, and why."""
    await events.append(
        connection,
        EventType.USER_NOTICE,
        generation_id=generation.id,
        take=generation.current.number,
        at=now,
        message=f"Another take was asked for, and not taken. {refusal(refused)}",
        data=quota_json(refused.gauge) | {"refused": True},
        key=f"refused/{wish_key}",
    )


_COUNTED = ("orders", "reserved_micros", "settled_micros", "at_risk_micros")


def sums(now: datetime) -> tuple[Label[int], ...]:
    """Return the sums over rows of `spending` that `spent_of` reads: of today, and of all the rows."""
    is_today = spending.c.day == day_of(now)
    return tuple(
        func.coalesce(func.sum(value), 0).label(f"{period}_{name}")
        for period, values in (
            ("today", [case((is_today, spending.c[name]), else_=0) for name in _COUNTED]),
            ("month", [spending.c[name] for name in _COUNTED]),
        )
        for name, value in zip(_COUNTED, values, strict=True)
    )


def spent_of(values: tuple[int, ...]) -> tuple[Spent, Spent]:
    """Return what was spent today and in the month, from the values of `sums`."""
    today, month = (
        Spent(
            orders=int(orders), cost=Cost(reserved=int(reserved), settled=int(settled), at_risk=int(at_risk))
        )
        for orders, reserved, settled, at_risk in (values[:4], values[4:])
    )
    return today, month


def in_month(
    tenant_id: str, user_id: str | None, mode: DeploymentMode, now: datetime
) -> list[ColumnElement[bool]]:
    """Return what rows of `spending` must be to count in the month of a moment."""
    first, last = day_of(this_month(now)), day_of(next_month(now) - timedelta(days=1))
    return [
        spending.c.mode == mode,
        spending.c.tenant_id == tenant_id,
        spending.c.day.between(first, last),
        *([] if user_id is None else [spending.c.user_id == user_id]),
    ]
