"""Fitting a request to providers, those of the line-up or invented ones, and being told why it does not fit."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from domain.costs.prices import PerSecond
from domain.orders.capabilities import Capability, Mode, ModelFacts, ProviderFacts, Size
from domain.orders.line_up import LINE_UP
from domain.orders.planning import Wanted, plans
from domain.orders.plans import FirstFrame, Plan
from domain.orders.refusals import Problem, RequestRefused
from tests.factories import a_request

TEXT_AND_IMAGE = (Mode.TEXT, Mode.IMAGE)
Providers = Sequence[ProviderFacts]


def planned(
    *, at: Providers = LINE_UP, frame: FirstFrame | None = None, seed: int = 7, **request: Any
) -> Plan:
    """The preferred plan of a request for a fox."""
    return plans(Wanted(request=a_request(**request), seed=seed, first_frame=frame), at)[0]


def refused(
    *, at: Providers = LINE_UP, frame: FirstFrame | None = None, **request: Any
) -> tuple[Problem, ...]:
    """What is wrong with a request for a fox."""
    with pytest.raises(RequestRefused) as refusal:
        planned(at=at, frame=frame, **request)
    return refusal.value.problems


def a_capability(mode: Mode = Mode.TEXT, **changes: Any) -> Capability:
    """Five seconds of 1280x720 for 50 cents."""
    told: dict[str, Any] = {
        "mode": mode,
        "durations": (5,),
        "default_duration": 5,
        "sizes": (Size(width=1280, height=720),),
        "price": PerSecond(micros=100_000),
    }
    return Capability.model_validate(told | changes)


def a_model(
    model_id: str = "model-one", modes: tuple[Mode, ...] = TEXT_AND_IMAGE, **changes: Any
) -> ModelFacts:
    """A model that does the same in each of its modes."""
    return ModelFacts(
        id=model_id,
        capabilities=tuple(a_capability(mode, **changes) for mode in modes),
        facts_read=date(2026, 11, 23),
    )


def a_provider(provider_id: str = "one", *models: ModelFacts, **changes: Any) -> ProviderFacts:
    """A provider with some models, by default with one."""
    told = ProviderFacts(id=provider_id, name=provider_id.title(), models=models or (a_model(),))
    return told.model_copy(update=changes)
