"""What people want of a run: flags that signals raise, any number of times, and what came by hand written down.

A signal that names a take speaks of a wish that SQL knows of already. One without, sent by a person, and the Temporal
UI's own Cancel are written down by the run itself, as an operator's.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.messages import Wish
    from domain.names import Signal

    from workflows import calls


class Wishes:
    """The wishes of one run, as far as it has not answered them."""

    def __init__(self) -> None:
        self._is_nudged = False
        self._regenerate_by_hand = False
        self._cancel_by_hand = False
        self._count = 0
        self._cancelled_takes: list[int] = []
        self._too_late: int | None = None

    @property
    def is_work_wanted(self) -> bool:
        """Whether the rows are to be looked at again: something may be wanted that was not when they were read."""
        return self._is_nudged or self._regenerate_by_hand

    @property
    def is_cancel_unwritten(self) -> bool:
        """Whether somebody cancelled by hand, and SQL does not know of it yet."""
        return self._cancel_by_hand

    def is_cancel_wanted(self, take: int) -> bool:
        """Tell whether a take is to be cancelled, and it is not known that this comes too late."""
        return take in self._cancelled_takes and take != self._too_late

    def nudge(self) -> None:
        """Want another look at the rows."""
        self._is_nudged = True

    def regenerate(self, take: int | None) -> None:
        """Hear that a take is wanted: one that SQL knows of, or None, by hand."""
        self._is_nudged = True
        if take is None:
            self._regenerate_by_hand = True

    def cancel(self, take: int | None) -> None:
        """Hear that a cancel is wanted: of a take, as SQL knows, or None, by hand."""
        self._is_nudged = True
        if take is None:
            self._cancel_by_hand = True
        else:
            self.cancel_known(take)

    def cancel_in_ui(self) -> None:
        """Hear the Temporal UI's own Cancel."""
        self._cancel_by_hand = True

    def cancel_known(self, take: int) -> None:
        """Remember that SQL knows of a wish to cancel a take."""
        if take not in self._cancelled_takes:
            self._cancelled_takes.append(take)

    def cancel_is_too_late(self, take: int) -> None:
        """Remember that the provider's job was over before it could be cancelled."""
        self._too_late = take

    async def before_look(self) -> None:
        """Have what the next look at the rows answers answered, and write down a cancel by hand before it."""
        self._is_nudged = False
        if self._cancel_by_hand:
            await self.write_cancel_down()

    def take_up_next(self) -> bool:
        """Tell whether somebody asked by hand for a next take, and leave it to whoever asks this."""
        is_asked, self._regenerate_by_hand = self._regenerate_by_hand, False
        return is_asked

    async def write_cancel_down(self) -> None:
        """Make a cancel by hand a wish like any other."""
        self._cancel_by_hand = False
        take = await self._write_down(Signal.CANCEL)
        if take is not None:
            self.cancel_known(take)

    async def write_regenerate_down(self) -> bool:
        """Make a regenerate by hand a wish like any other; tell whether there is a next take now."""
        return await self._write_down(Signal.REGENERATE) is not None

    async def _write_down(self, kind: Signal) -> int | None:
        self._count += 1
        info = workflow.info()
        # A reset begins a new run and plays the same signals again: the first run's id stays, and so does the key.
        key = f"{info.first_execution_run_id}/{self._count}"
        return await calls.wish(Wish(generation_id=info.workflow_id, kind=kind, key=key))
