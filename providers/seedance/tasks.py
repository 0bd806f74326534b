"""Seedance's task object, read as something that anybody may have written."""

from collections.abc import Mapping
from typing import Any

from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import JobState, JobStatus
from domain.costs.prices import PerToken
from domain.money import Micros
from domain.orders.capabilities import ProviderFacts
from domain.orders.line_up.seedance import SEEDANCE
from domain.orders.params import RESOLUTION_NAMES, SEED_MAX
from providers.answers import is_address, unusable
from providers.seedance.errors import failure_of_task

_MAX_TOKENS = 10**8
"""Thirty times the longest video at the largest size: whatever says more is no bill."""

_STATES = {
    "queued": JobState.QUEUED,
    "running": JobState.RUNNING,
    "succeeded": JobState.SUCCEEDED,
    "failed": JobState.FAILED,
    "cancelled": JobState.CANCELLED,
    "expired": JobState.FAILED,
}


def model_name(model_id: str) -> str:
    """Return a model's id without what BytePlus or China put before it, which names the same model."""
    return model_id.removeprefix("doubao-").removeprefix("dreamina-")


TokenPrices = Mapping[str, PerToken]
"""What a million tokens cost, by the model's name."""


def token_prices(facts: ProviderFacts) -> TokenPrices:
    """Return the prices of those models that are billed by the token."""
    return {
        model_name(model.id): capability.price
        for model in facts.models
        for capability in model.capabilities
        if isinstance(capability.price, PerToken)
    }


PRICES = token_prices(SEEDANCE)


def whole_number(value: object) -> int | None:
    """Return a whole number; None for anything else, also for a truth value, which Python counts as one."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_task(task: Mapping[str, Any], key: str = "", prices: TokenPrices = PRICES) -> JobStatus:
    """Translate a task.

    Args:
        task: Its JSON object.
        key: The account's, which no sentence of ours may hold.
        prices: What turns its tokens into a bill.

    Raises:
        ProviderError: It has no status that is known; asking again is harmless.
    """
    status = task.get("status")
    state = _STATES.get(status) if isinstance(status, str) else None
    if state is None:
        raise unusable("unknown_status", "Seedance answered without a status that is known.")
    seed = whole_number(task.get("seed"))
    return JobStatus(
        state=state,
        output_url=_output_url(task.get("content")) if state is JobState.SUCCEEDED else None,
        failure=_failure(task, state, key),
        cost=_cost(task, state, prices),
        seed=seed if seed is not None and 0 <= seed <= SEED_MAX else None,
    )


def _failure(task: Mapping[str, Any], state: JobState, key: str) -> Failure | None:
    if task.get("status") == "expired":
        return Failure(
            category=Category.TIMEOUT,
            code="expired",
            detail="Seedance gave the video up: it was not finished in the time that a task may take there.",
            billed=False,
        )
    match state:
        case JobState.FAILED:
            return failure_of_task(task, key)
        case JobState.CANCELLED:
            return Failure(
                category=Category.SERVER_ERROR,
                code="cancelled_at_provider",
                detail="The task was cancelled at Seedance, and not by us.",
                billed=False,
            )
        case _:
            return None


def _output_url(content: object) -> str | None:
    url = content.get("video_url") if isinstance(content, dict) else None
    return url if is_address(url) else None


def _cost(task: Mapping[str, Any], state: JobState, prices: TokenPrices) -> Micros | None:
    """Tokens are billed, and only on success.

    A task that does not say `generate_audio` leaves open whether its video has sound, and one without a `resolution`
    which price it has: the dearest is taken, so that the bill may be too high but is never too low.
    """
    if not state.is_over:
        return None
    if state is not JobState.SUCCEEDED:
        return 0
    model, tokens = task.get("model"), _tokens(task.get("usage"))
    price = prices.get(model_name(model)) if isinstance(model, str) else None
    if price is None or tokens is None:
        return None
    resolution = task.get("resolution")
    return price.bill(
        tokens,
        silent=task.get("generate_audio") is False,
        resolution=resolution if isinstance(resolution, str) and resolution in RESOLUTION_NAMES else None,
    )


def _tokens(usage: object) -> int | None:
    if not isinstance(usage, dict):
        return None
    for name in ("total_tokens", "completion_tokens"):
        tokens = whole_number(usage.get(name))
        if tokens is not None and 0 < tokens <= _MAX_TOKENS:
            return tokens
    return None
