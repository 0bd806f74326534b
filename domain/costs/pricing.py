"""An operator's own prices in the place of those that a provider publishes."""

from collections.abc import Mapping

from domain.costs.prices import ModelPrice
from domain.orders.capabilities import Capability, ModelFacts, ProviderFacts


def repriced(facts: ProviderFacts, prices: Mapping[str, ModelPrice]) -> ProviderFacts:
    """Return what a provider can do, at other prices.

    Args:
        facts: Of the provider.
        prices: By model; a model that is not named keeps its own.
    """
    if not prices:
        return facts
    models = tuple(_at(model, prices[model.id]) if model.id in prices else model for model in facts.models)
    return facts.model_copy(update={"models": models})


def unpriced(model: ModelFacts, price: ModelPrice) -> tuple[str, ...]:
    """Return the resolutions of a model that have no rate of their own in a price."""
    rated = {rate.resolution for rate in price.price.rates}
    return tuple(name for name in resolutions(model) if name not in rated)


def resolutions(model: ModelFacts) -> tuple[str, ...]:
    """Return the resolutions that a model's price may tell apart, the default one first."""
    sizes = [size for capability in model.capabilities for size in capability.sizes]
    return tuple(dict.fromkeys(size.name or str(size) for size in sizes))


def _at(model: ModelFacts, price: ModelPrice) -> ModelFacts:
    told = {
        "price": price.price,
        "price_is_certain": price.is_certain,
        "price_read": price.read_on,
    }
    capabilities: tuple[Capability, ...] = tuple(one.model_copy(update=told) for one in model.capabilities)
    return model.model_copy(update={"capabilities": capabilities})
