"""A gate is asked at most once a second, for everybody who looks meanwhile."""

import asyncio
import time
from datetime import timedelta
from typing import cast

import pytest

from api.gates.queueing import EVERY_SECONDS, Hub
from domain.gate.status import GateStatus, StatusWanted, Waiting, WaitReason
from domain.gate.tickets import AccountLimits, Ticket
from runtime.gates import Gates

REFS = [f"gen_{number}.1.1" for number in range(5)]


class PretendGates:
    """Gates in which everybody waits who is asked for; they remember when and for whom they were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, str, frozenset[str]]] = []
        self.are_away = False
        self.is_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def status(self, account: str, wanted: StatusWanted, *, within: timedelta) -> GateStatus | None:
        assert within <= timedelta(seconds=1)
        refs = wanted.refs or ()
        self.asked.append((time.monotonic(), account, frozenset(refs)))
        self.is_asked.set()
        await self.may_answer.wait()
        if self.are_away:
            return None
        waiting = tuple(
            Waiting(
                ticket=Ticket(ref=ref, tenant_id="default", queued_at=0),
                position=place,
                reason=WaitReason.CAP,
            )
            for place, ref in enumerate(sorted(refs), start=1)
        )
        return GateStatus(account=account, limits=AccountLimits(), waiting=waiting, waiting_count=len(refs))


@pytest.fixture
async def gates() -> PretendGates:
    return PretendGates()


@pytest.fixture
def hub(gates: PretendGates) -> Hub:
    return Hub(cast("Gates", gates))


async def test_who_comes_together_shares_one_question(hub: Hub, gates: PretendGates) -> None:
    found = await asyncio.gather(*(hub.place("runway", ref) for ref in REFS))
    assert [one[1].ticket.ref for one in found if one] == REFS
    assert [refs for _, _, refs in gates.asked] == [frozenset(REFS)]


async def test_who_comes_again_within_the_second_is_given_the_last_answer(
    hub: Hub, gates: PretendGates
) -> None:
    for _ in range(5):
        assert await hub.place("runway", REFS[0])
        assert await hub.look("runway")
    assert len(gates.asked) == 1


async def test_who_comes_with_something_new_waits_for_the_next_question(
    hub: Hub, gates: PretendGates
) -> None:
    await hub.place("runway", REFS[0])
    found = await hub.place("runway", REFS[1])
    assert found is not None
    assert found[1].ticket.ref == REFS[1]
    (first, _, _), (second, _, about) = gates.asked
    assert second - first >= EVERY_SECONDS - 0.02
    assert about == {REFS[0], REFS[1]}, "who asked a moment ago is likely to ask again"


async def test_each_gate_has_its_own_second(hub: Hub, gates: PretendGates) -> None:
    await hub.look("runway")
    await hub.look("seedance")
    assert {account for _, account, _ in gates.asked} == {"runway", "seedance"}
    assert gates.asked[1][0] - gates.asked[0][0] < EVERY_SECONDS / 2


async def test_a_gate_that_does_not_answer_is_not_asked_again_at_once(hub: Hub, gates: PretendGates) -> None:
    gates.are_away = True
    assert [await hub.place("runway", ref) for ref in REFS] == [None] * len(REFS)
    assert len(gates.asked) == 1


async def test_one_who_goes_away_does_not_take_the_answer_from_the_others(
    hub: Hub, gates: PretendGates
) -> None:
    gates.may_answer.clear()
    gone = asyncio.create_task(hub.place("runway", REFS[0]))
    stays = asyncio.create_task(hub.place("runway", REFS[1]))
    await gates.is_asked.wait()
    gone.cancel()
    gates.may_answer.set()
    assert await stays is not None
    assert gone.cancelled()


async def test_after_something_was_said_to_a_gate_it_is_asked_anew(hub: Hub, gates: PretendGates) -> None:
    await hub.look("runway")
    hub.forget("runway")
    await hub.look("runway")
    assert len(gates.asked) == 2


async def test_an_answer_from_before_something_was_said_is_not_kept(hub: Hub, gates: PretendGates) -> None:
    gates.may_answer.clear()
    early = asyncio.create_task(hub.look("runway"))
    await gates.is_asked.wait()
    hub.forget("runway")
    gates.may_answer.set()
    await early
    await hub.look("runway")
    assert len(gates.asked) == 2
