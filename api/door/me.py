"""Who asks, and what may be done."""

from fastapi import APIRouter

from api.costs.usage import limits_shown
from api.costs.usage_schemas import AllowedOut, LimitOut, MeOut, period
from api.door.scopes import needs
from api.service import Here, now
from domain.people.callers import Scope
from domain.people.quotas import next_day, next_month
from storage.money import quotas

router = APIRouter(tags=["usage"])


@router.get("/v1/me", summary="Look at who you are")
@needs(Scope.READ)
async def show(service: Here) -> MeOut:
    """Return the tenant and the user that a key stands for, its scopes, what is allowed, and what is used of it."""
    moment, caller, mode = now(), service.caller, service.settings.mode
    entitlement = service.tenants.entitlement(caller.tenant_id, caller.user_id)
    async with service.database.read() as connection:
        used = await quotas.usage_of(connection, caller.tenant_id, caller.only_user, mode, moment)
        limits = await limits_shown(service, connection, moment)
    return MeOut(
        tenant_id=caller.tenant_id,
        user_id=caller.user_id,
        key_id=caller.key_id,
        via=caller.via,
        scopes=sorted(caller.scopes),
        mode=mode,
        tier=entitlement.of_tenant.name if caller.only_user is None else None,
        user_tier=entitlement.of_user.name,
        allowed=AllowedOut.of(entitlement, [facts.id for facts in service.providers]),
        today=period(used.today, next_day(moment)),
        month=period(used.month, next_month(moment)),
        in_flight=used.in_flight,
        limits=[LimitOut.of(gauge) for gauge in limits],
    )
