"""Comparing the books with themselves: entries, rows and sums by day must tell the same, to the micro-dollar."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, case, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.costs.ledger import EntryKind
from domain.status import TERMINAL
from storage.tables import attempts, ledger, spending, takes
from storage.tables.joins import TAKE_OF_ATTEMPT

_KEY = ("mode", "tenant_id", "day", "user_id", "project_id", "provider")
_NUMBERS = ("reserved", "settled", "at_risk")


@dataclass(frozen=True)
class Drift:
    """How far the books disagree; all zero, or something is wrong with our code or somebody edited the rows.

    Attributes:
        micros: The differences, added up without their signs, in micro-dollars.
        refs: Attempts whose entries and rows differ, or that hold a reserve though their take is over; a few of them.
        sums: How many sums by day differ from their entries.
    """

    micros: int = 0
    refs: tuple[str, ...] = ()
    sums: int = 0

    def __bool__(self) -> bool:
        return bool(self.micros or self.refs or self.sums)


async def drift(connection: AsyncConnection, since: datetime | None = None, few: int = 20) -> Drift:
    """Return how far the books disagree.

    Args:
        connection: Where to read; one snapshot.
        since: Only attempts of generations with an entry since then, and no sums; None: everything.
        few: How many refs are named.
    """
    by_ref = await _by_attempt(connection, since)
    by_key = [] if since is not None else await _by_day(connection)
    idle = await _reserved_for_nothing(connection)
    micros = sum(difference for _, difference in by_ref) + sum(by_key) + sum(held for _, held in idle)
    refs = dict.fromkeys(ref for ref, _ in (*by_ref, *idle))
    return Drift(micros=micros, refs=tuple(refs)[:few], sums=len(by_key))


async def _by_attempt(connection: AsyncConnection, since: datetime | None) -> list[tuple[str, int]]:
    """Return the attempts, and takes that hold a reserve, whose rows are not what their entries add up to."""
    written = _entries((ledger.c.ref,), since)
    stands = union_all(
        select(
            attempts.c.ref.label("ref"),
            attempts.c.reserved_micros.label("reserved"),
            attempts.c.settled_micros.label("settled"),
            attempts.c.at_risk_micros.label("at_risk"),
        ).where(*_recent(attempts.c.generation_id, since)),
        select(
            (takes.c.generation_id + "." + func.cast(takes.c.number, attempts.c.ref.type) + ".1").label(
                "ref"
            ),
            takes.c.reserved_micros,
            literal(0),
            literal(0),
        ).where(takes.c.reserved_micros != 0, *_recent(takes.c.generation_id, since)),
    ).subquery()
    return await _differing(connection, stands, written, ("ref",))


async def _by_day(connection: AsyncConnection) -> list[int]:
    stands = select(
        *(spending.c[name] for name in _KEY), *(spending.c[f"{name}_micros"].label(name) for name in _NUMBERS)
    ).subquery()
    written = _entries(tuple(ledger.c[name] for name in _KEY), None)
    return [difference for _, difference in await _differing(connection, stands, written, _KEY)]


async def _reserved_for_nothing(connection: AsyncConnection) -> list[tuple[str, int]]:
    """Return what is still reserved though its take is over: then nobody would ever settle it."""
    query = (
        select(attempts.c.ref, attempts.c.reserved_micros)
        .join(takes, TAKE_OF_ATTEMPT)
        .where(takes.c.status.in_(TERMINAL), attempts.c.reserved_micros != 0)
    )
    return [(row.ref, abs(row.reserved_micros)) for row in await connection.execute(query)]


def _recent(generation_id: ColumnElement[str], since: datetime | None) -> list[ColumnElement[bool]]:
    if since is None:
        return []
    return [generation_id.in_(select(ledger.c.generation_id).where(ledger.c.at >= since))]


def _entries(key: tuple[Any, ...], since: datetime | None) -> Subquery:
    """Return the three numbers that the entries of each key add up to."""

    def sum_of(*signs: tuple[EntryKind, int]) -> ColumnElement[int]:
        weights = {kind: sign * ledger.c.amount_micros for kind, sign in signs}
        return func.coalesce(func.sum(case(weights, value=ledger.c.kind, else_=0)), 0)

    at_risk = ((EntryKind.AT_RISK, 1), (EntryKind.RESOLVE, -1))
    promised = ((EntryKind.RESERVE, 1), (EntryKind.TOP_UP, 1), (EntryKind.REFUND, -1), (EntryKind.SETTLE, -1))
    return (
        select(
            *key,
            sum_of(*promised, *((kind, -sign) for kind, sign in at_risk)).label("reserved"),
            sum_of((EntryKind.SETTLE, 1)).label("settled"),
            sum_of(*at_risk).label("at_risk"),
        )
        .where(*_recent(ledger.c.generation_id, since))
        .group_by(*key)
        .subquery()
    )


async def _differing(
    connection: AsyncConnection, stands: Subquery, written: Subquery, key: tuple[str, ...]
) -> list[tuple[str, int]]:
    """Return where the numbers differ, and by how much; a missing side counts as zero."""
    same = and_(*(stands.c[name] == written.c[name] for name in key))
    pairs = [(func.coalesce(stands.c[name], 0), func.coalesce(written.c[name], 0)) for name in _NUMBERS]
    difference = sum((func.abs(left - right) for left, right in pairs), start=literal(0))
    found: list[tuple[str, int]] = []
    for first, second, missing in ((stands, written, None), (written, stands, stands.c[key[0]].is_(None))):
        conditions = [or_(*(left != right for left, right in pairs))]
        if missing is not None:
            conditions.append(missing)
        query = (
            select(first.c[key[-1] if len(key) == 1 else key[1]].label("key"), difference.label("difference"))
            .select_from(first.outerjoin(second, same))
            .where(*conditions)
        )
        found += [(str(row.key), int(row.difference)) for row in await connection.execute(query)]
    return found
