"""Looking for the task that an unanswered order became, in the list of all tasks.

Promises: a task is ours where it carries our reference; where the list tells no references, where it has the seed
that no other attempt has. Refuses to guess: what may be ours or not makes the search end with `NotYetClear`, and a list
that changes while it is read with `ProviderError`. That the list tells references is not documented, nor its order.
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from domain.ids import is_attempt_ref
from domain.orders.capabilities import Mode
from domain.orders.params import SEED_MAX
from domain.orders.plans import Plan
from providers.answers import is_job_id, unusable
from providers.base import JobOrder, NotYetClear
from providers.seedance.tasks import model_name, whole_number

CLOCK_SKEW = timedelta(hours=1)
"""How far the provider's clock may be behind ours before a task of ours would look too old to be it."""


class Likeness(Enum):
    """How much a listed task looks like an order."""

    NONE = auto()
    UNCLEAR = auto()
    FINGERPRINT = auto()
    REFERENCE = auto()


class Search:
    """One reading of the list, page by page.

    Attributes:
        found: The task that carries our reference, once it was seen; no further page is needed then.
    """

    def __init__(self, order: JobOrder, sent_at: datetime) -> None:
        self._order = order
        self._sent_at = sent_at
        self._total: int | None = None
        self._likeness: dict[str, Likeness] = {}
        self.found: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every task of the list has been seen."""
        return len(self._likeness) == self._total

    def read(self, page: Mapping[str, Any]) -> None:
        """Look at one page's tasks.

        Raises:
            ProviderError: It is no page, or the list has changed since the page before: one may have slipped by.
        """
        total, items = whole_number(page.get("total")), page.get("items")
        items = [] if items is None else items
        if total is None or not isinstance(items, list):
            raise unusable("unusable_list", "Seedance answered without a list of tasks.")
        seen_before = len(self._likeness)
        for item in items:
            if not isinstance(item, dict) or not is_job_id(task_id := item.get("id")):
                raise unusable("unusable_list", "Seedance listed something that is no task.")
            self._likeness[task_id] = likeness(item, self._order, self._sent_at)
            if self._likeness[task_id] is Likeness.REFERENCE:
                self.found = task_id
                return
        is_stuck = len(self._likeness) == seen_before != total
        if is_stuck or self._total not in {None, total}:
            raise unusable("moving_list", "Seedance's list of tasks changed while it was read.")
        self._total = total

    def conclude(self) -> str | None:
        """Return the one task that has our fingerprint, or None where surely none is ours.

        Raises:
            NotYetClear: Several have it, or one may be ours or not.
        """
        alike = [task for task, how in self._likeness.items() if how is Likeness.FINGERPRINT]
        if len(alike) > 1:
            raise NotYetClear(
                f"Seedance lists {len(alike)} tasks that look like {self._order.client_reference}"
            )
        if alike:
            return alike[0]
        if Likeness.UNCLEAR in self._likeness.values():
            raise NotYetClear(
                f"Seedance lists a task that may be {self._order.client_reference} or somebody else's"
            )
        return None


def likeness(item: Mapping[str, Any], order: JobOrder, sent_at: datetime) -> Likeness:
    """Compare a listed task with an order. What is not listed, or not as it should be, excludes nothing."""
    reference = item.get("safety_identifier")
    if reference == order.client_reference:
        return Likeness.REFERENCE
    if isinstance(reference, str) and is_attempt_ref(reference):
        return Likeness.NONE  # another order of ours; anything else may be our reference in another form
    seed, plan = _seed(item), order.plan
    agrees, is_recent = _agrees(item, plan), _is_recent(item.get("created_at"), sent_at)
    if seed == order.seed and not plan.seed_is_given:
        # The seed that we drew at random: whatever then disagrees is a doubt, and no proof that it is not ours.
        is_surely_ours = agrees and is_recent and _is_of(item.get("model"), plan.model)
        return Likeness.FINGERPRINT if is_surely_ours else Likeness.UNCLEAR
    is_other = seed not in {None, order.seed} or is_recent is False or not agrees
    return Likeness.NONE if is_other else Likeness.UNCLEAR


def _is_recent(created_at: object, sent_at: datetime) -> bool | None:
    if isinstance(created_at, bool) or not isinstance(created_at, int | float):
        return None
    if isinstance(created_at, float) and not math.isfinite(created_at):
        return None
    return created_at >= (sent_at - CLOCK_SKEW).timestamp()


def _is_of(listed: object, model: str) -> bool | None:
    """An endpoint's id (`ep-...`) does not tell of which model it is."""
    if not isinstance(listed, str) or not listed or listed.startswith("ep-"):
        return None
    return model_name(listed) == model_name(model)


def _seed(item: Mapping[str, Any]) -> int | None:
    """The seed that a task was made with; -1 asks for a random one, which is not known yet."""
    seed = whole_number(item.get("seed"))
    return seed if seed is not None and 0 <= seed <= SEED_MAX else None


def _agrees(item: Mapping[str, Any], plan: Plan) -> bool:
    """Tell whether nothing that is listed differs from what was asked for."""
    duration = whole_number(item.get("duration"))
    if duration not in {None, plan.duration_seconds}:
        return False
    # Beside a picture the ratio may be the picture's own.
    wanted = {"resolution": plan.resolution}
    if plan.mode is Mode.TEXT:
        wanted["ratio"] = plan.aspect_ratio
    listed = {name: item.get(name) for name in wanted}
    return all(
        not isinstance(told, str) or not told or wanted[name] is None or told.lower() == wanted[name]
        for name, told in listed.items()
    )
