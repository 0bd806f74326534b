"""A queued attempt is a ticket: what its gate is told of it, and what follows where the gate sends it away."""

from datetime import datetime, timedelta

import pytest

from domain.attempts.codes import GATE_REFUSED, WAITED_TOO_LONG
from domain.attempts.outcomes import AttemptState
from domain.attempts.routing import Health
from domain.gate.tickets import Priority, Refusal, RefusalReason, Ticket
from domain.generation import Cost
from domain.messages import Claimed, Order
from domain.moments import micros_of
from domain.status import Stage
from storage import catalog
from storage.catalog import Filters
from storage.database import Database
from tests.domain.stories import RUNWAY, SEEDANCE
from tests.factories import NOW, SECOND
from tests.storage.steps import (
    SENT,
    SOMEBODY,
    answered,
    claimed,
    created,
    may_send,
    row_of,
    sending,
    shown,
    told,
    told_types,
)

ROUTE = (RUNWAY, SEEDANCE)
MINUTE = timedelta(minutes=1)


async def first(
    database: Database, *healths: Health, route: tuple[object, ...] = ROUTE, **request: object
) -> Order:
    generation_id = await created(database, route=route, **request)  # type: ignore[arg-type]  # of many kinds
    order = (await answered(database, generation_id, healths=by_account(*healths))).order
    assert order is not None
    return order


def by_account(*healths: Health) -> dict[str, Health]:
    return {health.account: health for health in healths}


async def sent_away(
    database: Database,
    order: Order,
    *healths: Health,
    reason: RefusalReason = RefusalReason.BREAKER,
    now: datetime = SENT,
) -> Claimed:
    refusal = Refusal(ref=order.attempt.ref, reason=reason)
    return await answered(database, order.generation_id, now, refusal=refusal, healths=by_account(*healths))


async def test_a_queued_attempt_is_the_ticket_that_its_gate_is_told_of(database: Database) -> None:
    order = await first(database, priority="high", deadline_seconds=600)
    deadline = NOW + timedelta(seconds=600)
    assert order.ticket == Ticket(
        ref=order.attempt.ref,
        tenant_id=SOMEBODY.tenant_id,
        priority=Priority.HIGH,
        queued_at=micros_of(NOW),
        give_up_at=micros_of(deadline),
        may_leave=True,
    )
    row = await row_of(database, order.attempt.ref)
    assert (row.state, row.tenant_id, row.priority) == (AttemptState.QUEUED, SOMEBODY.tenant_id, "high")
    assert (row.give_up_at, row.may_leave, row.not_before) == (deadline, True, None)


async def test_who_can_go_nowhere_else_waits_for_ever(database: Database) -> None:
    order = await first(database, Health(account="runway", waiting=99), route=(RUNWAY,))
    assert order.ticket is not None
    assert (order.ticket.give_up_at, order.ticket.may_leave) == (None, False)


async def test_a_ticket_is_worth_a_minute_where_somebody_else_could_serve_sooner(database: Database) -> None:
    busy, free = Health(account="runway", running=3, waiting=2), Health(account="seedance")
    order = await first(database, busy, free)
    assert order.attempt.account == "runway"
    assert (await row_of(database, order.attempt.ref)).give_up_at == NOW + MINUTE
    dear = SEEDANCE.model_copy(update={"price": 2_000_000})
    order = await first(database, busy, free, max_cost_usd="0.60", route=(RUNWAY, dear))
    row = await row_of(database, order.attempt.ref)
    assert (row.give_up_at, row.may_leave) == (None, False), "who cannot be paid is no alternative"
    as_busy = busy.model_copy(update={"account": "seedance"})
    order = await first(database, busy, as_busy)
    assert (await row_of(database, order.attempt.ref)).give_up_at is None


async def test_the_first_attempt_goes_where_the_queue_is_short(database: Database) -> None:
    order = await first(database, Health(account="runway", running=3, waiting=30))
    assert (order.attempt.account, order.plan) == ("seedance", SEEDANCE)
    generation = await shown(database, order.generation_id)
    assert (generation.current.plan, generation.current.route) == (SEEDANCE, ROUTE)
    assert generation.cost == Cost(reserved=SEEDANCE.price)


@pytest.mark.parametrize(
    ("health", "reason"),
    [
        (None, "turn"),
        (Health(account="runway"), "turn"),
        (Health(account="runway", running=3), "cap"),
        (Health(account="runway", is_paused=True), "paused"),
        (Health(account="runway", breaker_until=NOW + MINUTE), "breaker"),
    ],
)
async def test_people_are_told_where_an_attempt_waits_and_why(
    database: Database, health: Health | None, reason: str
) -> None:
    order = await first(database, *([] if health is None else [health]), route=(RUNWAY,))
    event = (await told(database, order.generation_id))[-1]
    assert (event.type, event.attempt) == ("attempt.queued", 1)
    assert event.data == {"account": "runway", "reason": reason}


@pytest.mark.parametrize(
    ("reason", "code"),
    [(RefusalReason.BREAKER, GATE_REFUSED), (RefusalReason.WAITED_TOO_LONG, WAITED_TOO_LONG)],
)
async def test_a_ticket_that_is_sent_away_ends_and_the_next_one_is_elsewhere(
    database: Database, reason: RefusalReason, code: str
) -> None:
    order = await first(database)
    crowded = Health(account="runway", running=3, waiting=30)
    again = (await sent_away(database, order, crowded, reason=reason)).order
    assert again is not None
    assert (again.attempt.number, again.attempt.state) == (2, AttemptState.QUEUED)
    assert (again.attempt.account, again.plan, again.not_before) == ("seedance", SEEDANCE, None)
    assert again.ticket is not None
    assert again.ticket.ref == again.attempt.ref
    generation = await shown(database, order.generation_id)
    old, new = generation.current.attempts
    assert (old.state, old.cost, old.given_up_at) == (AttemptState.ABANDONED, Cost(), SENT)
    assert old.failure is not None
    assert (old.failure.code, old.failure.billed) == (code, False)
    assert (new.provider, new.account, new.plan) == ("seedance", "seedance", SEEDANCE)
    assert (generation.current.plan, generation.cost) == (SEEDANCE, Cost(reserved=SEEDANCE.price))
    assert generation.stage is Stage.QUEUED
    async with database.read() as connection:
        filters = Filters(provider="seedance")
        found = await catalog.page(connection, "tenant", filters, before_id=None, limit=9)
    assert [one.id for one in found] == [order.generation_id]
    assert not await may_send(database, order.model_copy(update={"send_by": micros_of(NOW + MINUTE)}))


async def test_what_was_decided_is_told_with_where_it_goes_on_and_when(database: Database) -> None:
    order = await first(database)
    await sent_away(database, order)
    decided, queued = (await told(database, order.generation_id))[-2:]
    assert (decided.type, decided.take, decided.attempt) == ("recovery.decided", 1, 1)
    assert decided.data == {
        "strategy": "fallback",
        "reason": decided.message,
        "next": "seedance",
        "not_before": SENT.isoformat(),
    }
    assert (queued.type, queued.attempt, queued.data["account"]) == ("attempt.queued", 2, "seedance")


async def test_the_same_refusal_again_is_answered_with_the_same_attempt(database: Database) -> None:
    order = await first(database)
    again = await sent_away(database, order)
    log = await told(database, order.generation_id)
    for later in (SECOND, MINUTE):
        assert await sent_away(database, order, now=SENT + later) == again
    assert await told(database, order.generation_id) == log


async def test_who_is_sent_away_and_can_go_nowhere_waits_until_the_door_may_open(database: Database) -> None:
    order = await first(database, route=(RUNWAY,))
    until = NOW + MINUTE
    again = (await sent_away(database, order, Health(account="runway", breaker_until=until))).order
    assert again is not None
    assert (again.attempt.number, again.attempt.account) == (2, "runway")
    assert again.not_before == micros_of(until)
    assert (await shown(database, order.generation_id)).stage is Stage.WAITING_RETRY
    decided = (await told(database, order.generation_id))[-2]
    assert (decided.data["strategy"], decided.data["not_before"]) == ("queue_delay", until.isoformat())


async def test_a_refusal_of_what_is_being_sent_means_nothing(database: Database) -> None:
    order = await sending(database, await created(database, route=ROUTE))
    again = (await sent_away(database, order)).order
    assert again is not None
    assert (again.attempt.number, again.attempt.state, again.ticket) == (1, AttemptState.SENDING, None)
    assert "recovery.decided" not in await told_types(database, order.generation_id)


async def test_a_refusal_of_somebody_elses_ticket_means_nothing(database: Database) -> None:
    other, order = await claimed(database), await first(database)
    refusal = Refusal(ref=other.attempt.ref, reason=RefusalReason.BREAKER)
    again = (await answered(database, order.generation_id, SENT, refusal=refusal)).order
    assert again is not None
    assert again.attempt == order.attempt
    for ref in (other.attempt.ref, order.attempt.ref):
        assert (await row_of(database, ref)).state == AttemptState.QUEUED


async def test_gates_that_send_a_take_away_again_and_again_end_it_at_last(database: Database) -> None:
    order, now = await first(database, route=(RUNWAY,)), SENT
    for _ in range(20):
        claimed_again = await sent_away(database, order, now=now)
        if claimed_again.order is None:
            break
        order, now = claimed_again.order, now + 10 * MINUTE
    assert claimed_again.ending is not None
    assert claimed_again.ending.status == "failed"
    take = (await shown(database, order.generation_id)).current
    assert 2 < len(take.attempts) < 20
    assert take.cost == Cost()
