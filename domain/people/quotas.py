"""What a tenant or a user may still order: limits and what is used of them decide, and nothing else.

A limit is a number for a period; its gauge also says how much of it is used and when it begins anew. Days and months
are those of UTC. What an order needs must fit into every gauge; who fills one to four fifths is told so.

What counts as used of a budget is everything that may be owed: reserved, settled and at risk. An order needs the
price of its preferred plan, which is what is reserved for it; a dearer provider that goes on in its place asks for
the room that is left then (`room`).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from domain.gate.tickets import Priority
from domain.generation import Cost
from domain.model import Frozen
from domain.money import Micros

NOTICE_PERCENT = 80
"""How full a gauge is when the one who fills it is told."""


class LimitKind(StrEnum):
    """What can be limited by a number."""

    DAILY_GENERATIONS = "daily_generations"
    DAILY_BUDGET = "daily_budget"
    MONTHLY_BUDGET = "monthly_budget"
    IN_FLIGHT = "in_flight"

    @property
    def is_money(self) -> bool:
        """Whether its numbers are micro-dollars; else they count generations."""
        return self in {LimitKind.DAILY_BUDGET, LimitKind.MONTHLY_BUDGET}


class Whose(StrEnum):
    """Whose limit it is."""

    TENANT = "tenant"
    USER = "user"


class Allowance(Frozen):
    """What a tier allows; None: no limit.

    Attributes:
        daily_generations: Takes that are accepted in a day.
        in_flight: Generations that are not over.
        highest_priority: The most urgent one that may be asked for.
        providers: Those that may be used.
    """

    daily_generations: int | None = None
    daily_budget: Micros | None = None
    monthly_budget: Micros | None = None
    in_flight: int | None = None
    highest_priority: Priority | None = None
    providers: tuple[str, ...] | None = None

    def limit(self, kind: LimitKind) -> int | None:
        """Return one of the limits that are numbers."""
        limit: int | None = getattr(self, kind.value)
        return limit

    @property
    def has_numbers(self) -> bool:
        """Whether anything is to be counted for it."""
        return any(self.limit(kind) is not None for kind in LimitKind)


class Spent(Frozen):
    """What was ordered in a period, and what that costs so far."""

    orders: int = 0
    cost: Cost = Cost()

    @property
    def committed(self) -> Micros:
        """Everything that is or may be owed."""
        return self.cost.reserved + self.cost.settled + self.cost.at_risk


class Usage(Frozen):
    """What somebody uses.

    Attributes:
        in_flight: Generations that are not over.
    """

    today: Spent = Spent()
    month: Spent = Spent()
    in_flight: int = 0

    def of(self, kind: LimitKind) -> int:
        """Return what is used of a limit."""
        match kind:
            case LimitKind.DAILY_GENERATIONS:
                return self.today.orders
            case LimitKind.DAILY_BUDGET:
                return self.today.committed
            case LimitKind.MONTHLY_BUDGET:
                return self.month.committed
            case LimitKind.IN_FLIGHT:
                return self.in_flight


class Ask(Frozen):
    """What an order needs.

    Attributes:
        price: Of its preferred plan.
        joins: Whether it adds a generation to those that are not over; a take that replaces a running one does not.
    """

    price: Micros
    joins: bool = True

    def of(self, kind: LimitKind) -> int:
        """Return what it needs of a limit."""
        match kind:
            case LimitKind.DAILY_GENERATIONS:
                return 1
            case LimitKind.DAILY_BUDGET | LimitKind.MONTHLY_BUDGET:
                return self.price
            case LimitKind.IN_FLIGHT:
                return int(self.joins)


class Gauge(Frozen):
    """A limit and what is used of it: generations, or micro-dollars for budgets.

    Attributes:
        resets_at: When it begins anew; None where it falls by itself, as generations end.
    """

    kind: LimitKind
    whose: Whose
    limit: int
    used: int
    resets_at: datetime | None

    @property
    def left(self) -> int:
        """What is left of it; never negative, since a bill may exceed what was promised."""
        return max(self.limit - self.used, 0)

    def plus(self, more: int) -> "Gauge":
        """Return the gauge after something was used."""
        return self.model_copy(update={"used": self.used + more})


class Allowed(Frozen):
    """The order fits.

    Attributes:
        notices: The gauges that it fills to four fifths, as they stand with it.
    """

    notices: tuple[Gauge, ...] = ()


class Refused(Frozen):
    """The order does not fit.

    Attributes:
        gauge: What it does not fit into, without the order; of several the one that lasts longest.
        needed: What the order needs of it.
    """

    gauge: Gauge
    needed: int

    @property
    def fits_later(self) -> bool:
        """Whether it would fit once the gauge begins anew."""
        return self.needed <= self.gauge.limit


def decide(gauges: Sequence[Gauge], ask: Ask) -> Allowed | Refused:
    """Tell whether an order fits into every gauge.

    What needs nothing of a limit is not refused by it: a free video passes an empty budget.
    """
    refusals = [
        Refused(gauge=gauge, needed=needed)
        for gauge in gauges
        if (needed := ask.of(gauge.kind)) > 0 and gauge.left < needed
    ]
    if refusals:
        return max(refusals, key=_lasts)
    return Allowed(notices=tuple(gauge.plus(ask.of(gauge.kind)) for gauge in gauges if _crosses(gauge, ask)))


def gauges(whose: Whose, allowance: Allowance, usage: Usage, now: datetime) -> tuple[Gauge, ...]:
    """Return the gauges of somebody: one for each limit that is a number."""
    return tuple(
        Gauge(kind=kind, whose=whose, limit=limit, used=usage.of(kind), resets_at=resets_at(kind, now))
        for kind in LimitKind
        if (limit := allowance.limit(kind)) is not None
    )


def room(gauges: Iterable[Gauge]) -> Micros | None:
    """Return how much money may still be promised; None where no budget limits it."""
    return min((gauge.left for gauge in gauges if gauge.kind.is_money), default=None)


def resets_at(kind: LimitKind, now: datetime) -> datetime | None:
    """Return when a limit begins anew: at midnight UTC, of the next day or of the first day of the next month."""
    match kind:
        case LimitKind.IN_FLIGHT:
            return None
        case LimitKind.MONTHLY_BUDGET:
            return next_month(now)
        case _:
            return next_day(now)


def next_day(now: datetime) -> datetime:
    """Return the midnight (UTC) that follows."""
    return _midnight(now) + timedelta(days=1)


def this_month(now: datetime) -> datetime:
    """Return the first midnight (UTC) of the month."""
    return _midnight(now).replace(day=1)


def next_month(now: datetime) -> datetime:
    """Return the first midnight (UTC) of the month that follows."""
    return (this_month(now) + timedelta(days=32)).replace(day=1)


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _lasts(refusal: Refused) -> datetime:
    return refusal.gauge.resets_at or datetime.min.replace(tzinfo=UTC)


def _crosses(gauge: Gauge, ask: Ask) -> bool:
    """Tell whether an order fills a gauge to four fifths; one that falls by itself is nothing to tell of."""
    mark = gauge.limit * NOTICE_PERCENT
    return (
        gauge.resets_at is not None and gauge.used * 100 < mark <= gauge.plus(ask.of(gauge.kind)).used * 100
    )
