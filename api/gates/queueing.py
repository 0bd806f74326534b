"""Asking the accounts' gates how they stand, for all who look at the queue in this process.

A gate is asked at most once a second, about everything that somebody wants to know of it then; who comes within that
second waits for the next question, or is given the last answer if it says what is wanted. A gate that does not answer
within a second is not waited for.
"""

import asyncio
import time
from collections.abc import Collection
from datetime import timedelta

from domain.gate.status import GateStatus, StatusWanted, Waiting
from runtime.gates import Gates

EVERY_SECONDS = 1.0
"""Between two questions to one gate."""

_PATIENCE = timedelta(seconds=1)
_GATHER_SECONDS = 0.01
_REMEMBER_SECONDS = 5.0


class Hub:
    """The gates, as this process last heard of them."""

    def __init__(self, gates: Gates) -> None:
        """Ask nothing yet."""
        self._gates = gates
        self._askers: dict[str, _Asker] = {}

    async def look(self, account: str, refs: Collection[str] = ()) -> GateStatus | None:
        """Return how a gate stands, with those of the wanted tickets that wait there; None where it does not answer.

        Args:
            account: Whose gate.
            refs: The tickets to be told about; the answer may have others as well.
        """
        return await self._asker(account).look(refs)

    async def place(self, account: str, ref: str) -> tuple[GateStatus, Waiting] | None:
        """Return the place of a ticket, and how its gate stands; None where it does not wait, or nobody answers."""
        status = await self.look(account, (ref,))
        if status is None:
            return None
        found = next((waiting for waiting in status.waiting if waiting.ticket.ref == ref), None)
        return None if found is None else (status, found)

    def forget(self, account: str) -> None:
        """Take no earlier answer for the truth: something was said to the gate."""
        self._asker(account).forget()

    def _asker(self, account: str) -> "_Asker":
        return self._askers.setdefault(account, _Asker(self._gates, account))


class _Asker:
    """Asks one gate."""

    def __init__(self, gates: Gates, account: str) -> None:
        self._gates = gates
        self._account = account
        self._watched: dict[str, float] = {}
        self._answer: GateStatus | None = None
        self._covered: frozenset[str] = frozenset()
        self._asked_at = float("-inf")
        self._is_known = False
        self._next: asyncio.Task[GateStatus | None] | None = None
        self._tasks: set[asyncio.Task[GateStatus | None]] = set()

    async def look(self, refs: Collection[str]) -> GateStatus | None:
        now = time.monotonic()
        for ref in refs:
            self._watched[ref] = now
        is_fresh = self._is_known and now - self._asked_at < EVERY_SECONDS
        if is_fresh and (self._answer is None or self._covered.issuperset(refs)):
            return self._answer
        if self._next is None:
            self._next = asyncio.create_task(self._ask())
            self._tasks.add(self._next)
            self._next.add_done_callback(self._tasks.discard)
        # One who goes away must not take the answer from the others.
        return await asyncio.shield(self._next)

    def forget(self) -> None:
        self._is_known = False
        self._asked_at = float("-inf")

    async def _ask(self) -> GateStatus | None:
        """Wait for the turn, so that the question is about everybody who has come until then, and ask it."""
        await asyncio.sleep(max(_GATHER_SECONDS, self._asked_at + EVERY_SECONDS - time.monotonic()))
        self._next = None
        self._asked_at = asked_at = time.monotonic()
        self._watched = {
            ref: wanted_at
            for ref, wanted_at in self._watched.items()
            if asked_at - wanted_at < _REMEMBER_SECONDS
        }
        wanted = StatusWanted(refs=tuple(self._watched))
        answer = await self._gates.status(self._account, wanted, within=_PATIENCE)
        if self._asked_at == asked_at:  # nobody has forgotten or asked anew meanwhile
            self._answer, self._covered, self._is_known = answer, frozenset(self._watched), True
        return answer
