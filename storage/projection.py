"""What is shown right now: stage and progress, written only by those who are not behind.

A projection is a convenience and may be refused; a fact (a job id, a bill, a stored file) never is. Facts live in
`storage.attempts` and `storage.takes`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import case, literal, update
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
    row = generations.c
    values: dict[str, Any] = {"position": position.as_int(), "updated_at": now}
    if stage is not None:
        values["stage"] = case((row.stage == Stage.CANCELLING, row.stage), else_=stage)
    if progress_percent is not None:
        progress = {
            "progress_percent": progress_percent,
            "progress_source": progress_source,
            "progress_at": now,
        }
        falls = row.progress_percent > progress_percent
        values |= {
            name: case((falls, row[name]), else_=literal(value, row[name].type))
            for name, value in progress.items()
        }
    shown = await connection.execute(
        update(generations)
        .where(
            row.id == generation_id,
            row.position <= position.as_int(),
            row.current_take == position.take,
            row.status.not_in(TERMINAL),
        )
        .values(values)
    )
    return shown.rowcount == 1
