"""The same wish twice in a row: a double click, an impatient retry. The second is answered with the first.

Two orders are the same where everything that says what is made, how, and for which project is the same; what only
labels it (`metadata`) is not looked at. Whose they are is looked at apart from that. Of the texts only a hash is kept.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.money import from_usd
from domain.orders.request import GenerationRequest
from domain.status import Stage, Status
from storage.tables import generations
from storage.takes.wishes import Person

_LABELS = {"metadata", "user_id"}


@dataclass(frozen=True)
class Wish:
    """What somebody asks for.

    Attributes:
        person: Whose; the user is named by the request.
        since: How long ago the same may have been accepted.
    """

    person: Person
    request: GenerationRequest
    since: datetime

    @cached_property
    def sha256(self) -> str:
        """A hash that requests for the same thing share; defaults that are spelt out make no difference."""
        said = self.request.model_dump(mode="json", exclude=_LABELS)
        if self.request.max_cost_usd is not None:
            said["max_cost_usd"] = from_usd(self.request.max_cost_usd)
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


async def find(connection: AsyncConnection, wish: Wish) -> str | None:
    """Return the id of a generation that is the same thing, asked for by the same user a moment ago.

    Not one that failed, was cancelled or is about to be, was deleted, or has another take by now: whoever asks again
    after that means it.

    Args:
        connection: The transaction that would write the order; it holds the tenant's money, so nobody else orders now.
        wish: What is asked for.
    """
    person, user_id = wish.person, wish.request.user_id
    query = (
        select(generations.c.id)
        .where(
            generations.c.tenant_id == person.tenant_id,
            generations.c.request_sha256 == wish.sha256,
            generations.c.mode == person.mode,
            generations.c.user_id.is_(None) if user_id is None else generations.c.user_id == user_id,
            generations.c.created_at > wish.since,
            generations.c.status.not_in([Status.FAILED, Status.CANCELLED]),
            generations.c.stage != Stage.CANCELLING,
            generations.c.deleted_at.is_(None),
            generations.c.current_take == 1,
        )
        .order_by(generations.c.id.desc())
        .limit(1)
    )
    found: str | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def remember(connection: AsyncConnection, generation_id: str, wish: Wish) -> None:
    """Write of a new generation what it is, so that the same is recognised."""
    await connection.execute(
        update(generations).where(generations.c.id == generation_id).values(request_sha256=wish.sha256)
    )
