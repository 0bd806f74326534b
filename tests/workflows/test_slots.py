"""A generation's side of the gates: grants come when they like, and none is used twice or given back unseen."""

import pytest

from domain.gate.tickets import Grant, Refusal, RefusalReason
from tests.factories import an_order
from workflows.slots import Slots

GRANT = Grant(ref="", send_by=5, account="runway")


async def test_a_grant_that_comes_before_the_claims_answer_is_used_and_not_given_back() -> None:
    """A task that is played again hears the signal first: the gate has granted what the lost claim had joined."""
    slots, order = Slots(), an_order()
    slots.granted(GRANT.model_copy(update={"ref": order.attempt.ref}))
    assert slots.is_at_rest
    async with slots.lease(order) as slot:
        assert slot.grant is not None
        slot.is_used = True
    slots.granted(GRANT.model_copy(update={"ref": order.attempt.ref}))  # told again, to be sure
    assert slots.is_at_rest


async def test_a_grant_of_which_the_run_knows_nothing_is_left_to_its_gate() -> None:
    """After a reset the old grant is heard again, while its job runs: its slot must not be given back."""
    slots = Slots()
    slots.granted(GRANT.model_copy(update={"ref": "gen_x.1.1"}))
    assert slots.is_at_rest


@pytest.mark.parametrize("was_granted", [True, False])
async def test_a_place_that_was_not_used_is_given_back(*, was_granted: bool) -> None:
    slots, order = Slots(), an_order()
    async with slots.lease(order):
        if was_granted:
            slots.granted(GRANT.model_copy(update={"ref": order.attempt.ref}))
    assert not slots.is_at_rest


async def test_a_refusal_answers_only_who_waits() -> None:
    slots, order = Slots(), an_order()
    refusal = Refusal(ref=order.attempt.ref, reason=RefusalReason.BREAKER)
    slots.refused(refusal)
    async with slots.lease(order) as slot:
        was_answered = slot.is_answered
        slots.refused(refusal)
        assert (was_answered, slot.is_answered) == (False, True)
        slot.is_used = True
    assert slots.is_at_rest
