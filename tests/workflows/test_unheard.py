"""A grant that reaches nobody: its slot is free again, unless its holder has asked anew meanwhile."""

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from domain.gate.rows import GateRows
from domain.gate.tickets import AccountLimits, Grant, Ticket
from domain.moments import micros_of
from tests.workflows.told import BEGAN, GateHistory
from worker import RUNNER
from workflows.gate import ProviderGate

ONE_SLOT = GateRows(is_new=True, limits=AccountLimits(max_concurrent=1))


def a_ticket(generation_id: str) -> Ticket:
    return Ticket(ref=f"{generation_id}.1.1", tenant_id="anna", queued_at=micros_of(BEGAN))


def a_grant(generation_id: str) -> Grant:
    return Grant(ref=f"{generation_id}.1.1", send_by=0, account="runway")


async def replay(told: GateHistory) -> None:
    replayer = Replayer(
        workflows=[ProviderGate], workflow_runner=RUNNER, data_converter=pydantic_data_converter
    )
    await replayer.replay_workflow(told.history())


def first_grant() -> tuple[GateHistory, int]:
    """Somebody joins, and is granted the account's only slot."""
    told = GateHistory()
    told.joins(a_ticket("gen_one"))
    told.decides()
    told.reads(ONE_SLOT)
    told.decides()
    return told, told.grants(a_grant("gen_one"), "gen_one")


def second_comes(told: GateHistory) -> None:
    told.joins(a_ticket("gen_two"))
    told.decides()


async def test_the_slot_of_a_grant_that_reached_nobody_goes_to_the_next() -> None:
    told, grant = first_grant()
    told.decides(grant)
    second_comes(told)
    told.grants(a_grant("gen_two"), "gen_two")
    await replay(told)


async def test_a_holder_that_joins_again_before_its_lost_grant_is_known_to_be_lost_keeps_the_slot() -> None:
    told, lost = first_grant()
    told.joins(a_ticket("gen_one"))
    told.decides(lost)
    told.is_heard(told.grants(a_grant("gen_one"), "gen_one"))
    second_comes(told)
    told.sets_a_timer()  # it waits until the first one's lease is to be judged
    await replay(told)


async def test_a_told_history_that_a_gate_would_not_have_is_refused() -> None:
    """Else the two above could not fail."""
    told, lost = first_grant()
    told.joins(a_ticket("gen_one"))
    told.decides(lost)
    told.is_heard(told.grants(a_grant("gen_one"), "gen_one"))
    second_comes(told)
    told.grants(a_grant("gen_two"), "gen_two")
    with pytest.raises(NondeterminismError):
        await replay(told)
