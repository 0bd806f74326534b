"""What an account's gate and the rows disagree about: slots that nobody uses, and tickets that the gate does not know.

The gate judges a slot by its row only when somebody waits for it and its time is over; the rows may know much earlier.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.outcomes import AttemptState
from domain.gate.tickets import Lease, Release, Ticket
from domain.generation import DeploymentMode
from domain.messages import Limits
from domain.moments import moment_of
from domain.status import TERMINAL
from storage.gate.gates import in_use_until
from storage.gate.tickets import ticket_of_row
from storage.tables import attempts, gates, generations, takes


async def accounts(connection: AsyncConnection) -> Sequence[str]:
    """Return the accounts that have a gate, or should have one."""
    with_gate = (await connection.execute(select(gates.c.account))).scalars().all()
    waiting = select(attempts.c.account).where(attempts.c.state == AttemptState.QUEUED).distinct()
    return sorted({*with_gate, *(await connection.execute(waiting)).scalars().all()})


async def nobodys(
    connection: AsyncConnection,
    leases: Sequence[Lease],
    limits: Limits,
    now: datetime,
    *,
    quiet_for: timedelta,
) -> Sequence[Release]:
    """Return how to give back the slots that nobody uses any more.

    A slot whose attempt still waits is none of these, whatever its lease says: giving it back would also withdraw its
    ticket. It joins again instead (`unknown_tickets`), which does both.

    Args:
        connection: Where to read; the rows must be read after the leases.
        leases: As the gate told them.
        limits: How long a job without an end keeps its slot.
        now: The time.
        quiet_for: How long an attempt is over before its slot counts as forgotten: its release may be on its way.
    """
    refs = [lease.ref for lease in leases]
    rows = {
        row.ref: row for row in await connection.execute(select(attempts).where(attempts.c.ref.in_(refs)))
    }
    releases = []
    for lease in leases:
        row = rows.get(lease.ref)
        if row is None:
            is_over = moment_of(lease.send_by) < now - quiet_for
        elif row.state == AttemptState.QUEUED or in_use_until(row, limits, now) is not None:
            is_over = False
        else:
            is_over = row.ended_at is None or row.ended_at < now - quiet_for
        if is_over:
            releases.append(Release(ref=lease.ref, was_sent=row is not None and row.sent_at is not None))
    return releases


async def waiting_tickets(
    connection: AsyncConnection,
    account: str,
    now: datetime,
    *,
    mode: DeploymentMode,
    older_than: timedelta,
    after: str | None = None,
    limit: int = 500,
) -> Sequence[Ticket]:
    """Return a page of the tickets that should have been in an account's queue for a while, oldest ref first.

    Also those that have given up waiting: the gate is the one who tells their holders so.
    """
    since = func.coalesce(attempts.c.not_before, attempts.c.started_at)
    query = (
        select(attempts)
        .join(
            takes, and_(takes.c.generation_id == attempts.c.generation_id, takes.c.number == attempts.c.take)
        )
        .join(generations, generations.c.id == attempts.c.generation_id)
        .where(
            attempts.c.account == account,
            attempts.c.state == AttemptState.QUEUED,
            since < now - older_than,
            takes.c.status.not_in(TERMINAL),
            generations.c.mode == mode,
        )
        .order_by(attempts.c.ref)
        .limit(limit)
    )
    if after is not None:
        query = query.where(attempts.c.ref > after)
    return [ticket_of_row(row) for row in await connection.execute(query)]
