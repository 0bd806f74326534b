"""When waiting tickets are likely to be served: a guess for those who look at the queue, never a decision."""

import heapq
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import repeat
from typing import Final

from domain.gate.tickets import Lease

_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND: Final = 1_000_000


def serving_moments(
    *,
    now: int,
    opens_at: int,
    leases: Sequence[Lease],
    max_concurrent: int,
    spacing: timedelta,
    job_seconds: float | None,
    goes_as_probe: bool,
) -> Iterator[int | None]:
    """Yield when the first ticket is likely to be served, the second, and so on without end.

    Args:
        now: Nothing is served earlier.
        opens_at: Nor than this: the turn, the hold-off, an open breaker.
        leases: What is under way; a probe among them holds up everybody until its job is over.
        max_concurrent: Leases at once.
        spacing: Between two orders.
        job_seconds: How long a slot is in use; None: not measured yet, and then nobody can tell beyond the free slots.
        goes_as_probe: The first order is the probe of a half-open breaker, and the second has to wait for its end.
    """
    free = [now] * (max_concurrent - len(leases))
    gap = spacing // _MICROSECOND
    start = max(now, opens_at)
    probes = [lease for lease in leases if lease.is_probe]
    if job_seconds is None:
        told = 0 if probes else min(len(free), 1 if goes_as_probe else len(free))
        yield from (start + number * gap for number in range(told))
        yield from repeat(None)
        return
    job = round(job_seconds * _SECOND)
    ends = sorted(
        max(now, lease.judge_at if lease.is_counted else lease.granted_at + job) for lease in leases
    )
    slots = free + ends[max(0, len(leases) - max_concurrent) :]
    start = max([start, *(probe.granted_at + job for probe in probes)])
    while True:
        moment = max(start, slots[0])
        yield moment
        heapq.heapreplace(slots, moment + job)
        start = moment + (max(gap, job) if goes_as_probe else gap)
        goes_as_probe = False
