"""The waiting list of an account: who waits, in which order they are served, and who gives up when.

The order: the more urgent first, where a ticket rises one level each time it has waited for a while; of equal urgency
the tenant that was served least recently; of one tenant the oldest. No ticket waits for ever: waiting makes every
ticket most urgent in the end, and there the tenants take turns.

A tenant who was never served takes its turn right behind those who have waited a round, not before everybody: else a
stream of new tenants would starve the old ones. It is before the one served last, and whoever leaves and comes
back gains nothing.

The tickets stand in one line for each tenant and priority, oldest first, so that choosing the next compares the heads
of the lines only.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Container, Iterator, Mapping
from datetime import timedelta
from typing import Final

from domain.gate.tickets import Priority, Ticket
from domain.moments import micros_in

_TENANTS_TO_REMEMBER: Final = 1000

_Line = list[tuple[int, str]]  # (queued_at, ref), oldest first
_Ranked = tuple[int, int, str]  # (effective level, queued_at, ref)


class WaitingList:
    """Tickets in the order in which they are served."""

    def __init__(self, turns: Mapping[str, int]) -> None:
        self._tickets: dict[str, Ticket] = {}
        self._lines: dict[str, dict[Priority, _Line]] = {}
        self._give_ups: list[tuple[int, str]] = []
        self._may_leave: dict[str, None] = {}
        self._turns = dict(turns)
        self._last_turn = max(self._turns.values(), default=0)

    def __len__(self) -> int:
        return len(self._tickets)

    def __contains__(self, ref: str) -> bool:
        return ref in self._tickets

    def __getitem__(self, ref: str) -> Ticket:
        return self._tickets[ref]

    @property
    def may_leave(self) -> tuple[str, ...]:
        """The refs of those whom another provider could serve."""
        return tuple(self._may_leave)

    @property
    def turns(self) -> dict[str, int]:
        """The turns worth remembering: of the tenants who wait, and of the last thousand others."""
        others = sorted(
            ((turn, tenant) for tenant, turn in self._turns.items() if tenant not in self._lines),
            reverse=True,
        )
        kept = [(self._turns[tenant], tenant) for tenant in self._lines] + others[:_TENANTS_TO_REMEMBER]
        return {tenant: turn for turn, tenant in sorted(kept)}

    def add(self, ticket: Ticket) -> None:
        """Let a ticket wait; of one that waits already only `give_up_at` and `may_leave` are taken over."""
        known = self._tickets.get(ticket.ref)
        if known is None:
            line = self._lines.setdefault(ticket.tenant_id, {}).setdefault(ticket.priority, [])
            insort(line, (ticket.queued_at, ticket.ref))
            self._turns.setdefault(ticket.tenant_id, max(0, self._last_turn - 1))
        else:
            ticket = known.model_copy(update={"give_up_at": ticket.give_up_at, "may_leave": ticket.may_leave})
        self._tickets[ticket.ref] = ticket
        if ticket.give_up_at is not None and (known is None or known.give_up_at != ticket.give_up_at):
            heapq.heappush(self._give_ups, (ticket.give_up_at, ticket.ref))
        if ticket.may_leave:
            self._may_leave[ticket.ref] = None
        else:
            self._may_leave.pop(ticket.ref, None)

    def remove(self, ref: str) -> Ticket | None:
        """Take a ticket out, and return it; None where it does not wait."""
        ticket = self._tickets.pop(ref, None)
        if ticket is None:
            return None
        self._may_leave.pop(ref, None)
        lines = self._lines[ticket.tenant_id]
        line = lines[ticket.priority]
        del line[bisect_left(line, (ticket.queued_at, ref))]
        if not line:
            del lines[ticket.priority]
        if not lines:
            del self._lines[ticket.tenant_id]
        return ticket

    def serve(self, ref: str) -> Ticket:
        """Take out a ticket that is served; its tenant's turn is over.

        Raises:
            KeyError: It does not wait.
        """
        ticket = self._tickets[ref]
        self.remove(ref)
        self._last_turn += 1
        self._turns[ticket.tenant_id] = self._last_turn
        return ticket

    def first_give_up(self) -> int | None:
        """Return the moment at which the first ticket gives up; None where all wait for ever."""
        while self._give_ups:
            moment, ref = self._give_ups[0]
            ticket = self._tickets.get(ref)
            if ticket is not None and ticket.give_up_at == moment:
                return moment
            heapq.heappop(self._give_ups)
        return None

    def take_overdue(self, now: int) -> list[str]:
        """Take out those that have waited too long, and return their refs, the first to give up first."""
        overdue: list[str] = []
        while (moment := self.first_give_up()) is not None and moment <= now:
            _, ref = heapq.heappop(self._give_ups)
            self.remove(ref)
            overdue.append(ref)
        return overdue

    def is_anyone_waiting(self, passed_over: Container[str]) -> bool:
        """Tell whether somebody waits whose tenant is not passed over."""
        return any(tenant not in passed_over for tenant in self._lines)

    def in_order(
        self, now: int, ageing: timedelta, *, passed_over: Container[str] = (), only_those: bool = False
    ) -> Iterator[str]:
        """Yield refs as they would be served one after another at this moment; nothing may change meanwhile.

        Args:
            now: Decides how far each ticket has risen.
            ageing: A ticket rises one level each time it has waited for so long; zero: never.
            passed_over: Tenants whose tickets are left out.
            only_those: Yield the tickets of these tenants instead, and leave out the others.
        """
        span = micros_in(ageing)
        heads: list[tuple[int, int, int, str, Iterator[_Ranked]]] = []
        for tenant, lines in self._lines.items():
            if (tenant in passed_over) is only_those:
                ranked = _ranked(lines, now, span)
                level, queued_at, ref = next(ranked)
                heads.append((level, self._turns[tenant], queued_at, ref, ranked))
        heapq.heapify(heads)
        turn = self._last_turn
        while heads:
            _, _, _, ref, ranked = heads[0]
            yield ref
            turn += 1
            following = next(ranked, None)
            if following is None:
                heapq.heappop(heads)
            else:
                level, queued_at, ref = following
                heapq.heapreplace(heads, (level, turn, queued_at, ref, ranked))


def _ranked(lines: Mapping[Priority, _Line], now: int, span: int) -> Iterator[_Ranked]:
    """Yield one tenant's tickets in order: a line is in order already, since its oldest has risen furthest."""
    risen = [_risen(priority.level, line, now, span) for priority, line in lines.items()]
    return risen[0] if len(risen) == 1 else heapq.merge(*risen)


def _risen(level: int, line: _Line, now: int, span: int) -> Iterator[_Ranked]:
    for queued_at, ref in line:
        waited = max(0, now - queued_at)
        yield (max(0, level - waited // span) if span > 0 else level, queued_at, ref)
