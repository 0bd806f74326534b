"""Writing the books: the only place where an attempt's money changes.

Each change is written three times in one transaction: as entries (what happened), in the attempt's row (how it
stands), and added up by day and user (what limits are checked against). `storage.money.drift` compares the three.

The caller holds the generation's row. The money of a tenant is changed by one transaction at a time, from its first
change to its end; so whoever needs both takes the generation first.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.costs.ledger import Entry, EntryKind, balance, entries_for
from domain.events import EventType
from domain.generation import Cost
from domain.ids import attempt_ref
from domain.money import to_usd
from storage import events
from storage.database import one_at_a_time
from storage.event_data import cost_json
from storage.tables import attempts, generations, ledger, spending, takes
from storage.tables.joins import GENERATION_OF_ATTEMPT, GENERATION_OF_TAKE, TAKE_OF_ATTEMPT, is_take

NOTHING = Cost()


@dataclass(frozen=True)
class _Account:
    """One attempt's page in the books."""

    ref: str
    take: int
    attempt: int
    generation_id: str
    provider: str
    whose: dict[str, str]


@dataclass(frozen=True)
class _Standing:
    """How an attempt's money stands by its row, and what is held for its take."""

    account: _Account
    cost: Cost
    held: int


async def alone_with_money(connection: AsyncConnection, tenant_id: str) -> None:
    """Wait until no other transaction changes a tenant's money, until this one ends."""
    await one_at_a_time(connection, f"money/{tenant_id}")


async def hold(
    connection: AsyncConnection, generation_id: str, take: int, provider: str, price: int, now: datetime
) -> None:
    """Reserve a new take's price for its first attempt, which does not exist yet, and count the order.

    Args:
        connection: The transaction that writes the take.
        generation_id: Whose.
        take: Its number.
        provider: Who is likely to make it.
        price: In micro-dollars.
        now: The time.
    """
    account = await _account_of_take(connection, generation_id, take, provider)
    await _hold(connection, generation_id, take, price)
    await _post(connection, account, entries_for(NOTHING, Cost(reserved=price), is_first=True), now, orders=1)


async def begin(connection: AsyncConnection, ref: str, price: int, now: datetime) -> None:
    """Reserve the price of an attempt whose row was written just now; the first one takes over what is held.

    Args:
        connection: The transaction that wrote it.
        ref: Which.
        price: In micro-dollars.
        now: The time.
    """
    standing = await _standing(connection, ref)
    account = standing.account
    held = standing.held if account.attempt == 1 else 0
    if held:
        await _hold(connection, account.generation_id, account.take, 0)
        holder = await _holder(connection, ref)
        if holder != account.provider:
            given_back = entries_for(Cost(reserved=held), NOTHING, is_first=False)
            await _post(connection, replace(account, provider=holder), given_back, now)
            held = 0
    is_first = not await _count(connection, ref)
    await _set(connection, ref, Cost(reserved=price))
    posted = entries_for(Cost(reserved=held), Cost(reserved=price), is_first=is_first)
    await _post(connection, account, posted, now)


async def let_go(connection: AsyncConnection, generation_id: str, take: int, now: datetime) -> None:
    """Give back what is held for a take that ends before its first attempt; nothing where nothing is."""
    query = select(takes.c.reserved_micros).where(is_take(generation_id, take))
    held: int = (await connection.execute(query)).scalar_one()
    if not held:
        return
    by = await _holder(connection, attempt_ref(generation_id, take, 1))
    account = await _account_of_take(connection, generation_id, take, by)
    await _hold(connection, generation_id, take, 0)
    await _post(connection, account, entries_for(Cost(reserved=held), NOTHING, is_first=False), now)


async def write(connection: AsyncConnection, ref: str, after: Cost, now: datetime) -> None:
    """Write how the money of an attempt stands from now on; nothing where it stands so already."""
    await _change(connection, await _standing(connection, ref), after, now)


async def put_at_risk(connection: AsyncConnection, ref: str, now: datetime) -> None:
    """Write that what an attempt was promised may be owed: nobody has seen its end."""
    standing = await _standing(connection, ref)
    owed = standing.cost.at_risk + standing.cost.reserved
    await _change(connection, standing, Cost(settled=standing.cost.settled, at_risk=owed), now)


async def _change(connection: AsyncConnection, standing: _Standing, after: Cost, now: datetime) -> None:
    if standing.cost == after:
        return
    await _set(connection, standing.account.ref, after)
    await _post(connection, standing.account, entries_for(standing.cost, after, is_first=False), now)


async def cost_of(connection: AsyncConnection, generation_id: str) -> Cost:
    """Return the three numbers of a generation: those of its attempts, and what is held for takes without one."""
    of_attempts = attempts.c.generation_id == generation_id
    held = select(func.sum(takes.c.reserved_micros)).where(takes.c.generation_id == generation_id)
    query = select(
        func.sum(attempts.c.reserved_micros),
        func.sum(attempts.c.settled_micros),
        func.sum(attempts.c.at_risk_micros),
        held.scalar_subquery(),
    ).where(of_attempts)
    reserved, settled, at_risk, waiting = (
        int(number or 0) for number in (await connection.execute(query)).one()
    )
    return Cost(reserved=reserved + waiting, settled=settled, at_risk=at_risk)


async def _post(
    connection: AsyncConnection, account: _Account, posted: Iterable[Entry], now: datetime, *, orders: int = 0
) -> None:
    """Add entries, add them up, and tell the new numbers; an order's own event tells its first ones."""
    posted = tuple(posted)
    if not posted and not orders:
        return
    await alone_with_money(connection, account.whose["tenant_id"])
    count = await _count(connection, account.ref)
    for n, entry in enumerate(posted, start=count + 1):
        await connection.execute(
            insert(ledger).values(
                ref=account.ref,
                n=n,
                kind=entry.kind,
                amount_micros=entry.amount,
                at=now,
                provider=account.provider,
                generation_id=account.generation_id,
                **account.whose,
            )
        )
    await _add_up(connection, account, balance(posted), orders)
    if posted and not orders:
        await _tell(connection, account, posted, count, now)


async def _tell(
    connection: AsyncConnection, account: _Account, posted: tuple[Entry, ...], count: int, now: datetime
) -> None:
    await events.append(
        connection,
        EventType.COST_CHANGED,
        generation_id=account.generation_id,
        take=account.take,
        attempt=account.attempt,
        at=now,
        message=" ".join(_SAID[one.kind].format(usd=to_usd(one.amount)) for one in posted),
        data=cost_json(await cost_of(connection, account.generation_id))
        | {"entry": [{"kind": one.kind, "amount_usd": to_usd(one.amount)} for one in posted]},
        key=f"cost/{account.ref}/{count + len(posted)}",
    )


_SAID = {
    EntryKind.RESERVE: "${usd} are reserved.",
    EntryKind.TOP_UP: "${usd} more are needed.",
    EntryKind.SETTLE: "${usd} were billed.",
    EntryKind.REFUND: "${usd} are free again.",
    EntryKind.AT_RISK: "${usd} may be owed.",
    EntryKind.RESOLVE: "${usd} are at risk no more.",
}


async def _add_up(connection: AsyncConnection, account: _Account, change: Cost, orders: int) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    key = account.whose | {"provider": account.provider}
    added = {
        "orders": orders,
        "reserved_micros": change.reserved,
        "settled_micros": change.settled,
        "at_risk_micros": change.at_risk,
    }
    await connection.execute(
        dialect.insert(spending)
        .values(**key, **added)
        .on_conflict_do_update(
            index_elements=list(spending.primary_key.columns),
            set_={name: spending.c[name] + amount for name, amount in added.items()},
        )
    )


async def _hold(connection: AsyncConnection, generation_id: str, take: int, price: int) -> None:
    await connection.execute(update(takes).where(is_take(generation_id, take)).values(reserved_micros=price))


async def _holder(connection: AsyncConnection, ref: str) -> str:
    """Return the provider for which something is held."""
    newest = select(ledger.c.provider).where(ledger.c.ref == ref).order_by(ledger.c.n.desc()).limit(1)
    provider: str = (await connection.execute(newest)).scalar_one()
    return provider


async def _set(connection: AsyncConnection, ref: str, cost: Cost) -> None:
    await connection.execute(
        update(attempts)
        .where(attempts.c.ref == ref)
        .values(reserved_micros=cost.reserved, settled_micros=cost.settled, at_risk_micros=cost.at_risk)
    )


async def _count(connection: AsyncConnection, ref: str) -> int:
    newest = select(func.coalesce(func.max(ledger.c.n), 0)).where(ledger.c.ref == ref)
    count: int = (await connection.execute(newest)).scalar_one()
    return count


_WHOSE = (
    generations.c.mode,
    generations.c.tenant_id,
    generations.c.user_id,
    generations.c.project_id,
    takes.c.created_at,
)


async def _standing(connection: AsyncConnection, ref: str) -> _Standing:
    query = (
        select(attempts, takes.c.reserved_micros.label("held"), *_WHOSE)
        .join(takes, TAKE_OF_ATTEMPT)
        .join(generations, GENERATION_OF_ATTEMPT)
        .where(attempts.c.ref == ref)
    )
    row = (await connection.execute(query)).mappings().one()
    return _Standing(
        account=_Account(
            ref=ref,
            take=row[attempts.c.take],
            attempt=row[attempts.c.number],
            generation_id=row[attempts.c.generation_id],
            provider=row[attempts.c.provider],
            whose=_whose(row),
        ),
        cost=Cost(
            reserved=row[attempts.c.reserved_micros],
            settled=row[attempts.c.settled_micros],
            at_risk=row[attempts.c.at_risk_micros],
        ),
        held=row["held"],
    )


async def _account_of_take(
    connection: AsyncConnection, generation_id: str, take: int, provider: str
) -> _Account:
    query = (
        select(*_WHOSE)
        .join(takes, GENERATION_OF_TAKE)
        .where(generations.c.id == generation_id, takes.c.number == take)
    )
    whose = _whose((await connection.execute(query)).mappings().one())
    return _Account(attempt_ref(generation_id, take, 1), take, 1, generation_id, provider, whose)


def day_of(moment: datetime) -> str:
    """Return the day of a moment as the books name it: `YYYY-MM-DD`, UTC."""
    return moment.astimezone(UTC).date().isoformat()


def _whose(row: RowMapping) -> dict[str, str]:
    return {
        "mode": row[generations.c.mode],
        "tenant_id": row[generations.c.tenant_id],
        "user_id": row[generations.c.user_id] or "",
        "project_id": row[generations.c.project_id] or "",
        "day": day_of(row[takes.c.created_at]),
    }
