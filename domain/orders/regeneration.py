"""The next take: what is kept of the last one, and what is changed."""

from typing import Any

from domain.orders.request import AUTO, GenerationRequest, RegenerateRequest


def next_request(last: GenerationRequest, change: RegenerateRequest) -> GenerationRequest:
    """Return the request of the next take.

    Args:
        last: The request of the last take.
        change: What the user mentioned.

    Raises:
        ValidationError: The result is not a valid request.
    """
    return GenerationRequest.model_validate(merged(last, change))


def merged(last: GenerationRequest, change: RegenerateRequest) -> dict[str, Any]:
    """Return the next take's request as plain data, to be validated like any other request.

    Args:
        last: The request of the last take.
        change: Only its fields that were set count: a field set to null is cleared, `params` are merged one level
            deep, the seed is dropped unless this change gives one, a first frame replaces the other one however it is
            named, and a provider that is asked for now is no longer one to fall back to.
    """
    request = last.model_dump(mode="json", exclude_none=True)
    mentioned = change.model_dump(mode="json", include=change.model_fields_set - {"if_running"})
    params: dict[str, Any] = {key: value for key, value in request.get("params", {}).items() if key != "seed"}
    if "params" in mentioned:
        params = {} if mentioned["params"] is None else _with(params, mentioned["params"])
    # A model belongs to its provider: naming another provider without a model clears the model.
    provider = (mentioned["provider"] or AUTO) if "provider" in mentioned else request["provider"]
    if "model" not in mentioned and provider != request["provider"]:
        request.pop("model", None)
    request |= {key: value for key, value in mentioned.items() if key != "params"}
    listed = request["fallback_providers"]
    if listed != AUTO:
        request["fallback_providers"] = [fallback for fallback in listed if fallback != provider]
    request["params"] = {key: value for key, value in params.items() if value is not None}
    return {key: value for key, value in request.items() if value is not None}


def _with(params: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    for one, other in (("image_id", "image_url"), ("image_url", "image_id")):
        if changed.get(one) is not None and other not in changed:
            params = {key: value for key, value in params.items() if key != other}
    return params | changed
