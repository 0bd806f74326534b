"""The route of an order: what may serve it here, for this caller, as things stand now."""

import secrets

from sqlalchemy.ext.asyncio import AsyncConnection

from api.service import Service, now
from domain.attempts.routing import route
from domain.orders.params import SEED_MAX
from domain.orders.planning import Wanted, plans
from domain.orders.plans import Plan
from domain.orders.request import GenerationRequest
from domain.people.tenants import Entitlement
from storage.files import images


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
