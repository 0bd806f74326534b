"""How the accounts of this deployment stand: what their gates say, or else what SQL knows."""

import asyncio
from collections.abc import Collection, Mapping
from typing import NamedTuple

from api.gates.queue_schemas import AccountOut
from api.service import Service, now
from domain.attempts.routing import Health, health_at
from domain.gate.status import GateStatus
from storage.gate import gates

Refs = Mapping[str, Collection[str]]


class Standing(NamedTuple):
    """How an account stands: as it is shown to people, and as routing sees it."""

    shown: AccountOut
    health: Health


def account_ids(service: Service) -> list[str]:
    """Return the accounts, the preferred one first."""
    return [facts.id for facts in service.providers]


async def ask_gates(service: Service, refs: Refs | None = None) -> dict[str, GateStatus | None]:
    """Ask every account's gate how it stands.

    Args:
        service: The parts of this process.
        refs: The tickets to be told about, by account.
    """
    accounts = account_ids(service)
    wanted = refs or {}
    answers = await asyncio.gather(
        *(service.hub.look(account, wanted.get(account, ())) for account in accounts)
    )
    return dict(zip(accounts, answers, strict=True))


async def standings(service: Service, statuses: Mapping[str, GateStatus | None]) -> dict[str, Standing]:
    """Return how the accounts stand, in the words of their gates where those have answered."""
    moment = now()
    async with service.database.read() as connection:
        healths = await service.healths.look(connection, moment)
        rows = await gates.known(connection)
    found = {}
    for account, status in statuses.items():
        health = health_at(account, healths)
        if status is None:
            known = rows.get(account) or gates.Account()
            shown = AccountOut.of_rows(known, health, service.account_limits[account], moment)
        else:
            shown = AccountOut.of_gate(status, health)
        found[account] = Standing(shown, health)
    return found
