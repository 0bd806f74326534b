"""A gate's errands: what it has to say to the holders of tickets, and what else is under way beside its loop.

A grant is told before all that is refused. One that reaches nobody is worth nothing, unless its holder has asked again
meanwhile and was told anew: then the newer word counts, whichever of the two the server answers first.
"""

import asyncio
from collections.abc import Callable, Iterable

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from domain.gate.tickets import Grant, Refusal
    from domain.ids import generation_of
    from domain.names import SlotSignal

MAX_AT_ONCE = 200
"""Errands under way: a server takes 2,000 signals of one workflow at most."""


class Errands:
    """Runs them side by side, but not too many at once."""

    def __init__(self, account: str, when_unheard: Callable[[str], None]) -> None:
        """Have nothing to do yet.

        Args:
            account: Whose gate it is.
            when_unheard: Called with the ref of a grant that reached nobody and was not repeated since.
        """
        self._account = account
        self._when_unheard = when_unheard
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._to_tell: list[tuple[Grant | Refusal, int]] = []
        self._offers: dict[str, int] = {}

    @property
    def are_done(self) -> bool:
        """Whether nothing is under way or still to be said."""
        return not self._tasks and not self._to_tell

    def spawn(self, work: "asyncio._CoroutineLike[None]") -> None:
        """Do something beside the loop."""
        task = asyncio.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._done)

    def tell(self, refusals: Iterable[Refusal], grants: Iterable[Grant]) -> None:
        """Tell holders what became of their tickets."""
        self._to_tell += [(refusal, 0) for refusal in refusals]
        for grant in grants:
            self.offer(grant)
        self._tell_some()

    def offer(self, grant: Grant) -> None:
        """Tell a ticket's holder of its slot; before all that is refused."""
        number = self._offers[grant.ref] = self._offers.get(grant.ref, 0) + 1
        self._to_tell.insert(0, (grant.model_copy(update={"account": self._account}), number))
        self._tell_some()

    def _tell_some(self) -> None:
        while self._to_tell and len(self._tasks) < MAX_AT_ONCE:
            self.spawn(self._tell(*self._to_tell.pop(0)))

    async def _tell(self, message: Grant | Refusal, number: int) -> None:
        ref, is_grant = message.ref, isinstance(message, Grant)
        signal = SlotSignal.GRANTED if is_grant else SlotSignal.REFUSED
        handle = workflow.get_external_workflow_handle(generation_of(ref))
        try:
            await handle.signal(signal, message)
        except FailureError:
            # Nobody is there to use it: the run ended. A new one joins again, and may have done so meanwhile.
            if is_grant and self._offers.get(ref) == number:
                self._when_unheard(ref)
        if self._offers.get(ref) == number:
            self._offers.pop(ref, None)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        self._tell_some()
