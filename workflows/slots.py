"""A generation's side of the gates: waiting for a slot, and giving back what is not used."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from domain.gate.tickets import Grant, Refusal, Release
    from domain.messages import Order
    from domain.names import GateSignal, gate_id


class Slot:
    """What became of one ticket so far.

    Attributes:
        account: Where it waits.
        grant: The slot, once it is granted.
        refusal: Why the gate sent the ticket away.
        is_used: Whether an activity has the slot by now, which gives it back; or there is none to give back.
    """

    def __init__(self, account: str) -> None:
        self.account = account
        self.grant: Grant | None = None
        self.refusal: Refusal | None = None
        self.is_used = False

    @property
    def is_answered(self) -> bool:
        """Whether the gate has said anything."""
        return self.grant is not None or self.refusal is not None


class Slots:
    """The slots that one run waits for or has, and those it has seen and does not want (any more)."""

    def __init__(self) -> None:
        self._slots: dict[str, Slot] = {}
        # Grants that came before the claim's answer. Those that are never waited for are left to their gate, which
        # asks the row: this run does not know what became of them.
        self._early: dict[str, Grant] = {}
        self._unwanted: list[tuple[str, str]] = []
        self._is_giving_back = False

    def granted(self, grant: Grant) -> None:
        """Take a grant; it may come before the answer of the claim that asked for it."""
        slot = self._slots.get(grant.ref)
        if slot is None:
            self._early[grant.ref] = grant
        elif not slot.is_used:
            slot.grant = grant

    def refused(self, refusal: Refusal) -> None:
        """Take a refusal; one that nobody waits for means nothing."""
        slot = self._slots.get(refusal.ref)
        if slot is not None and not slot.is_used:
            slot.refusal = refusal

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is still to be given back."""
        return not self._unwanted and not self._is_giving_back

    @asynccontextmanager
    async def lease(self, order: Order) -> AsyncIterator[Slot]:
        """Have a place in the queue of an order's account, which its claim has joined.

        What was not used when the block ends is given back: the place in the queue, or the slot.
        """
        ref = order.attempt.ref
        slot = self._slots[ref] = Slot(order.attempt.account)
        slot.grant = self._early.pop(ref, None)
        try:
            yield slot
        finally:
            if not slot.is_used:
                del self._slots[ref]
                self._unwanted.append((slot.account, ref))

    async def give_back(self) -> None:
        """Give back what is not wanted, one after another, for as long as the run lives."""
        while True:
            await workflow.wait_condition(lambda: bool(self._unwanted))
            account, ref = self._unwanted.pop(0)
            self._is_giving_back = True
            with suppress(FailureError):  # a gate that does not run holds nothing
                gate = workflow.get_external_workflow_handle(gate_id(account))
                await gate.signal(GateSignal.RELEASE, Release(ref=ref, was_sent=False))
            self._is_giving_back = False
