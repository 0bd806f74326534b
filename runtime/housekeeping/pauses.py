"""Growing pauses: how often the same thing is tried again by somebody who cannot know whether it helps."""

from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

_LONGEST = timedelta(minutes=5)

Thing = TypeVar("Thing", bound=Hashable)


class Pauses(Generic[Thing]):
    """When each thing was tried, and how long to wait before it is tried again: doubling, up to five minutes."""

    def __init__(self, first: timedelta) -> None:
        self._first = first
        self._tried: dict[Thing, tuple[datetime, timedelta]] = {}

    def is_due(self, thing: Thing, now: datetime) -> bool:
        """Tell whether it was never tried, or not for long enough."""
        last = self._tried.get(thing)
        return last is None or now - last[0] >= last[1]

    def note(self, thing: Thing, now: datetime) -> None:
        """Note that it is tried now."""
        last = self._tried.get(thing)
        pause = self._first if last is None else min(last[1] * 2, max(_LONGEST, self._first))
        self._tried[thing] = (now, pause)

    def forget_before(self, moment: datetime) -> None:
        """Forget what has not been tried since then: it is served by now, or begins anew."""
        self._tried = {thing: tried for thing, tried in self._tried.items() if tried[0] >= moment}

    def forget_all_but(self, things: Iterable[Thing]) -> None:
        """Forget what is not among these."""
        kept = set(things)
        self._tried = {thing: tried for thing, tried in self._tried.items() if thing in kept}
