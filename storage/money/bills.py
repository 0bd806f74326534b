"""The last word about what a video costs, when it is stored: the provider's own, else by its real length."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.outcomes import JobStatus
from domain.costs.billing import bill_of_length, reported
from domain.generation import Cost
from domain.messages import Job
from storage.money import ledger
from storage.tables import attempts


async def settle_stored(
    connection: AsyncConnection, job: Job, look: JobStatus, seconds: float, now: datetime
) -> None:
    """Correct the bill of a job whose video is about to be stored; nothing where there is nothing to correct.

    When the job was seen to end it cost what its provider said, or else its price. By now the provider may say more,
    and the video shows how long it is.

    Args:
        connection: The transaction that completes the take; to be called before it does.
        job: Whose.
        look: The last look at it.
        seconds: How long the video is.
        now: The time.
    """
    query = select(attempts.c.ended_at, attempts.c.settled_micros).where(attempts.c.ref == job.ref)
    row = (await connection.execute(query)).one()
    if row.ended_at is None:
        return
    bill = reported(look)
    if bill is None and row.settled_micros == job.plan.price:
        bill = bill_of_length(job.plan, look, seconds)
    if bill is not None:
        await ledger.write(connection, job.ref, Cost(settled=bill), now)
