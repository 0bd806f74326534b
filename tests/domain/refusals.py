"""Asking for something and being told which field is wrong."""

from typing import Any

import pytest
from pydantic import ValidationError

from domain.orders.request import GenerationRequest
from tests.factories import PROMPT


def refused_fields(**fields: Any) -> set[str]:
    """The fields, in words such as `params.seed`, for which a request is refused."""
    with pytest.raises(ValidationError) as refused:
        GenerationRequest.model_validate({"prompt": PROMPT, **fields})
    return {".".join(str(part) for part in error["loc"]) for error in refused.value.errors()}


def refused_params(**params: Any) -> set[str]:
    """The same for its params."""
    return refused_fields(params=params)
