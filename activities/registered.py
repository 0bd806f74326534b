"""Every activity, by the task queue on which it waits."""

from collections.abc import Callable, Mapping
from typing import Any

from activities.bookkeeping import Bookkeeping
from activities.cancelling import Cancelling
from activities.gatekeeping import Gatekeeping
from activities.looking_up import LookingUp
from activities.reconciling import Reconciling
from activities.service import Service
from activities.storing import Storing
from activities.submitting import Submitting
from activities.watching import Watching
from domain.names import TaskQueue


def by_queue(service: Service, reconciling: Reconciling) -> Mapping[TaskQueue, list[Callable[..., Any]]]:
    """Return what a worker process registers, so that a thousand watchers never block a cancel."""
    bookkeeping, submitting, cancelling = Bookkeeping(service), Submitting(service), Cancelling(service)
    gatekeeping = Gatekeeping(service)
    return {
        TaskQueue.GENERATIONS: [
            bookkeeping.claim,
            bookkeeping.wish,
            bookkeeping.give_up,
            submitting.submit,
            submitting.resolve_submit,
            cancelling.cancel_job,
            cancelling.give_up_cancel,
            gatekeeping.read_gate,
            gatekeeping.judge_leases,
            gatekeeping.write_gate,
            reconciling.reconcile,
            reconciling.reconcile_gates,
        ],
        TaskQueue.WATCH: [Watching(service).watch, LookingUp(service).look_up, reconciling.look_again],
        TaskQueue.MEDIA: [Storing(service).store],
    }
