"""What operators and admins did: rows that are added in the same transaction as the deed, and never changed.

They name who, what and which, never a prompt or a secret, and outlive what they speak of.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from ulid import ULID

from domain.people.callers import Caller
from storage.tables import audit

_ACTOR_MAX, _TARGET_MAX, _REQUEST_ID_MAX = 160, 160, 64


class Action(StrEnum):
    """What was done."""

    ACCOUNT_PAUSED = "account.paused"
    ACCOUNT_RESUMED = "account.resumed"
    BREAKER_RESET = "account.breaker_reset"
    KEY_MADE = "key.made"
    KEY_REVOKED = "key.revoked"
    GENERATION_DELETED = "generation.deleted"
    GENERATION_CANCELLED = "generation.cancelled"
    IMAGE_DELETED = "image.deleted"
    MONEY_RESOLVED = "money.resolved"


@dataclass(frozen=True)
class Deed:
    """One row.

    Attributes:
        actor: Who, as `actor_of` writes it.
        target: The id of the account, key, generation or picture.
        request_id: Of the request with which it was done; empty where there was none.
    """

    id: str
    at: datetime
    actor: str
    action: Action
    target: str
    data: Mapping[str, Any]
    request_id: str


def actor_of(caller: Caller) -> str:
    """Return who a caller is, in few words: its user and its key, or how it came in where it has neither."""
    named = [f"user:{caller.user_id}"] if caller.user_id else []
    named += [f"key:{caller.key_id}"] if caller.key_id else []
    return " ".join(named) or str(caller.via)


async def note(
    connection: AsyncConnection,
    caller: Caller,
    action: Action,
    target: str,
    data: Mapping[str, Any] | None = None,
    request_id: str = "",
    *,
    actor: str | None = None,
) -> None:
    """Write what a caller does, in the transaction in which it is done.

    Args:
        connection: Of that transaction.
        caller: Whose tenant it concerns.
        action: What.
        target: The id of what it is done to.
        data: What else is worth knowing: no prompt, no secret.
        request_id: Of the request.
        actor: Who, where it is not told by the caller, such as `videoplanet keys`.
    """
    await connection.execute(
        insert(audit).values(
            id=f"aud_{str(ULID()).lower()}",
            at=datetime.now(UTC),
            tenant_id=caller.tenant_id,
            actor=(actor or actor_of(caller))[:_ACTOR_MAX],
            action=action,
            target=target[:_TARGET_MAX],
            data=dict(data or {}),
            request_id=request_id[:_REQUEST_ID_MAX],
        )
    )


async def page(
    connection: AsyncConnection,
    tenant_id: str,
    *,
    only_user: str | None = None,
    before_id: str | None,
    limit: int,
) -> Sequence[Deed]:
    """Return what was done at a tenant, the newest first.

    Args:
        connection: To read through.
        tenant_id: Whose.
        only_user: Only what this user did; None: what anybody did.
        before_id: Only what is older than this one.
        limit: How many at most.
    """
    query = select(audit).where(audit.c.tenant_id == tenant_id).order_by(audit.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(audit.c.id < before_id)
    if only_user is not None:
        named = f"user:{only_user} key:"
        query = query.where(
            audit.c.actor.startswith(named, autoescape=True),
            # What follows is a key's id. With a space in it, `named` is the beginning of a longer name only.
            ~func.substr(audit.c.actor, len(named) + 1).contains(" "),
        )
    return [
        Deed(row.id, row.at, row.actor, Action(row.action), row.target, row.data, row.request_id)
        for row in await connection.execute(query)
    ]
