"""What a request would cost and when its video would be there, at every model that could serve it, or why it cannot.

Promises: what an order would do comes first, from the same plans and the same ranking; nothing is ordered or kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from domain.attempts.routing import (
    Door,
    Health,
    effective_price,
    expected_making,
    expected_wait,
    health_at,
    route,
)
from domain.model import Frozen
from domain.money import Micros
from domain.orders.capabilities import SILENT_OPTION, Capability, ModelFacts, ProviderFacts
from domain.orders.params import Params, Plain, pixels_of
from domain.orders.planning import Wanted, fit, fits_max_cost, plans
from domain.orders.plans import Plan
from domain.orders.refusals import Problem, RequestRefused
from domain.orders.sizing import ratio_name

_NOT_THERE = frozenset({"unknown_provider", "no_provider", "unknown_model"})
"""Refusals of a request that names what nobody here knows."""


class Cheaper(Frozen):
    """The same video for less.

    Attributes:
        params: What to ask for instead.
        price: In micro-dollars.
    """

    params: dict[str, Plain | dict[str, Plain]]
    price: Micros


class Offer(Frozen):
    """What a model would ask, and how soon it would be done.

    Attributes:
        plan: As it would be ordered.
        price_is_certain: See `Capability`.
        making_seconds: How long making it should take.
        is_measured: Whether that was measured with this account's last jobs; else it is guessed.
        wait_seconds: How long it would wait in the queue; None while the account is paused, which nobody can tell.
        door: Whether the account takes orders.
        cheaper: The same video for less, the cheapest first.
    """

    plan: Plan
    price_is_certain: bool
    making_seconds: float
    is_measured: bool
    wait_seconds: float | None
    door: Door
    cheaper: tuple[Cheaper, ...] = ()


class Estimate(Frozen):
    """One model's answer to a request.

    Attributes:
        place: Where an order would come to it, from 1: the first is chosen, the others go on where it cannot; None:
            it is not asked.
        offer: None where it cannot serve the request.
        problems: Why it would not serve the request; an offer beside them only costs too much.
    """

    provider: str
    model: str
    place: int | None = None
    offer: Offer | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def is_possible(self) -> bool:
        """Whether the model would serve the request as it is."""
        return not self.problems


def estimates(
    wanted: Wanted, providers: Sequence[ProviderFacts], healths: Mapping[str, Health], now: datetime
) -> tuple[Estimate, ...]:
    """Return every model's answer: those that an order would go to in its order, others that could, and the rest.

    Args:
        wanted: What is asked for.
        providers: The providers that may be used, the preferred one first.
        healths: How their accounts stand; one that is missing is well.
        now: The moment of the question.

    Raises:
        RequestRefused: It names a provider or a model that is not there.
    """
    places = _places(wanted, providers, healths, now)
    made: list[tuple[tuple[float, ...], Estimate]] = []
    for rank, facts in enumerate(providers):
        health = health_at(facts.id, healths)
        for model in facts.models:
            one = _estimate(wanted, facts, model, health, now)
            place = places.get((facts.id, model.id)) if one.is_possible else None
            made.append((_order(one, place, rank, health, now), one.model_copy(update={"place": place})))
    return tuple(one for _, one in sorted(made, key=lambda pair: pair[0]))


def _places(
    wanted: Wanted, providers: Sequence[ProviderFacts], healths: Mapping[str, Health], now: datetime
) -> Mapping[tuple[str, str], int]:
    try:
        routed = route(wanted.request, plans(wanted, providers), healths, now)
    except RequestRefused as refused:
        if any(problem.code in _NOT_THERE for problem in refused.problems):
            raise
        return {}
    return {(plan.provider, plan.model): place for place, plan in enumerate(routed, start=1)}


def _order(one: Estimate, place: int | None, rank: int, health: Health, now: datetime) -> tuple[float, ...]:
    """Return by what estimates are sorted: the route, then what could be asked by its worth, then the rest."""
    if place is not None:
        return (0, place)
    if one.is_possible and one.offer is not None:
        return (1, one.offer.door, effective_price(one.offer.plan, rank, health, now))
    return (2, rank)


def _estimate(
    wanted: Wanted, facts: ProviderFacts, model: ModelFacts, health: Health, now: datetime
) -> Estimate:
    """Return one model's answer; its price is told also where it is over the maximum."""
    said = fit(wanted, facts, model)
    at_any_price = fit(_with(wanted, max_cost_usd=None), facts, model)
    offer = None
    if isinstance(at_any_price, Plan):
        capability = model.in_mode(wanted.mode)
        assert capability is not None  # noqa: S101 - a plan was made from it
        offer = _offer(wanted, facts, model, capability, at_any_price, health, now)
    problems = said.problems if isinstance(said, RequestRefused) else ()
    return Estimate(provider=facts.id, model=model.id, offer=offer, problems=problems)


def _offer(
    wanted: Wanted,
    facts: ProviderFacts,
    model: ModelFacts,
    capability: Capability,
    plan: Plan,
    health: Health,
    now: datetime,
) -> Offer:
    door = health.door(now)
    cheaper = _cheaper(wanted, facts, model, capability, plan)
    return Offer(
        plan=plan,
        price_is_certain=capability.price_is_certain,
        making_seconds=expected_making(plan, health),
        is_measured=health.is_measured,
        wait_seconds=None if door is Door.PAUSED else expected_wait(health, now).total_seconds(),
        door=door,
        cheaper=tuple(sorted(cheaper, key=lambda one: one.price)),
    )


def _cheaper(
    wanted: Wanted, facts: ProviderFacts, model: ModelFacts, capability: Capability, plan: Plan
) -> Iterator[Cheaper]:
    """Yield each single change that makes the video cheaper: another resolution, or no sound."""
    asked = wanted.request.params
    for params in _changes(asked, capability, plan):
        other = fit(_with(wanted, max_cost_usd=None, params=asked.model_copy(update=params)), facts, model)
        if isinstance(other, Plan) and other.price < plan.price:
            yield Cheaper(params=params, price=other.price)


def _changes(
    asked: Params, capability: Capability, plan: Plan
) -> Iterator[dict[str, Plain | dict[str, Plain]]]:
    now = next(size for size in capability.sizes if (size.width, size.height) == (plan.width, plan.height))
    shape: dict[str, Plain | dict[str, Plain]] = {}
    if pixels_of(asked.resolution):
        shape["aspect_ratio"] = ratio_name(now)  # pixels said it, and a name does not
    for name in dict.fromkeys(size.name for size in capability.sizes):
        if name is not None and name != now.name:
            yield {"resolution": name, **shape}
    if any(option.name == SILENT_OPTION for option in capability.options):
        yield {"extra": {**(asked.extra or {}), SILENT_OPTION: False}}


def fits(wanted: Wanted, offer: Offer) -> bool | None:
    """Tell whether an offer is within what a take may cost; None where nothing was said about it."""
    if wanted.request.max_cost_usd is None:
        return None
    return fits_max_cost(wanted.request, offer.plan.price)


def in_time(wanted: Wanted, offer: Offer) -> bool | None:
    """Tell whether an offer would be there before the deadline; None where there is none, or nobody knows."""
    deadline = wanted.request.deadline_seconds
    if deadline is None or offer.wait_seconds is None:
        return None
    return offer.wait_seconds + offer.making_seconds <= deadline


def _with(wanted: Wanted, **changes: object) -> Wanted:
    return wanted.model_copy(update={"request": wanted.request.model_copy(update=changes)})
