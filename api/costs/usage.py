"""What was spent, on what, and what is left: for the tenant, or for the user whom a key belongs to."""

from datetime import datetime

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection

from api.costs.usage_schemas import LimitOut, ShareOut, UsageOut, WastedOut, period
from api.door.scopes import needs
from api.service import Here, Service, now
from domain.people.callers import Scope
from domain.people.quotas import Gauge, Whose, next_day, next_month
from storage.money import quotas, usage

router = APIRouter(tags=["usage"])


@router.get("/v1/usage", summary="Look at what was spent")
@needs(Scope.READ)
async def show(service: Here) -> UsageOut:
    """Return what was ordered today and this month, what it costs, and what of it was for nothing.

    What something costs counts on the day on which its take was accepted. The key of a user sees that user's numbers.
    """
    moment, user_id, mode = now(), service.caller.only_user, service.settings.mode
    async with service.database.read() as connection:
        used = await quotas.usage_of(connection, service.tenant, user_id, mode, moment)
        by_project, by_provider, by_user = [
            await usage.shares(connection, column, service.tenant, user_id, mode, moment)
            for column in usage.COLUMNS
        ]
        wasted = await usage.wasted(connection, service.tenant, user_id, mode, moment)
        limits = await limits_shown(service, connection, moment)
    return UsageOut(
        mode=mode,
        user_id=user_id,
        as_of=moment,
        today=period(used.today, next_day(moment)),
        month=period(used.month, next_month(moment)),
        in_flight=used.in_flight,
        limits=[LimitOut.of(gauge) for gauge in limits],
        by_project=[ShareOut.of(share) for share in by_project],
        by_provider=[ShareOut.of(share) for share in by_provider],
        by_user=[ShareOut.of(share) for share in by_user],
        wasted=WastedOut.of(wasted),
    )


async def limits_shown(service: Service, connection: AsyncConnection, moment: datetime) -> tuple[Gauge, ...]:
    """Return the limits that hold for the caller; the tenant's only where the caller may see the tenant's numbers."""
    caller = service.caller
    entitlement = service.tenants.entitlement(caller.tenant_id, caller.user_id)
    found = await quotas.gauges_of(connection, entitlement, service.settings.mode, moment)
    return tuple(gauge for gauge in found if caller.only_user is None or gauge.whose is Whose.USER)
