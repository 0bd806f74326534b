"""What is shown right now: stage and progress, written only by those who are not behind.

A projection is a convenience and may be refused; a fact (a job id, a bill, a stored file) never is. Facts live in
`storage.takes.claims` and `storage.attempts.facts`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.status import TERMINAL, Position, Stage
from storage.tables import generations


async def project(
    connection: AsyncConnection,
    generation_id: str,
    position: Position,
    now: datetime,
    *,
    stage: Stage | None = None,
    progress_percent: int | None = None,
    progress_source: str | None = None,
) -> bool:
    """Show where a generation stands, unless a newer writer has shown more.

    Progress never falls within a take; a cancel in the making stays visible.

    Returns:
        False where the writer is behind, or the generation is over: nothing was changed.
    """
    values: dict[str, Any] = {"position": position.as_int(), "updated_at": now}
    conditions = [
        generations.c.id == generation_id,
        generations.c.position <= position.as_int(),
        generations.c.current_take == position.take,
        generations.c.status.not_in(TERMINAL),
    ]
    shown = await connection.execute(update(generations).where(*conditions).values(values))
    if shown.rowcount == 0:
        return False
    if stage is not None:
        await connection.execute(
            update(generations)
            .where(*conditions, generations.c.stage != Stage.CANCELLING)
            .values(stage=stage)
        )
    if progress_percent is not None:
        await connection.execute(
            update(generations)
            .where(*conditions, generations.c.progress_percent <= progress_percent)
            .values(progress_percent=progress_percent, progress_source=progress_source, progress_at=now)
        )
    return True
