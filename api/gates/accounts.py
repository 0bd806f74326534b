"""How the accounts of this deployment stand: what their gates say, or else what SQL knows."""

import asyncio
from collections.abc import Collection, Mapping

from api.gates.queue_schemas import AccountOut
from api.service import Service, now
from domain.attempts.routing import health_at
from domain.gate.status import GateStatus
from storage.gate import queue

Refs = Mapping[str, Collection[str]]


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


async def accounts_of(service: Service, statuses: Mapping[str, GateStatus | None]) -> list[AccountOut]:
    """Return how the accounts stand, in the words of their gates where those have answered."""
    moment = now()
    async with service.database.read() as connection:
        healths = await service.healths.look(connection, moment)
        rows = await queue.accounts(connection)
    shown = []
    for account, status in statuses.items():
        health = health_at(account, healths)
        if status is None:
            known = rows.get(account) or queue.Account()
            shown.append(AccountOut.of_rows(known, health, service.account_limits[account], moment))
        else:
            shown.append(AccountOut.of_gate(status, health))
    return shown
