"""Whatever ends up in a workflow's history can be read by a worker of another version."""

from typing import get_args

import pytest
from pydantic import BaseModel

from domain import messages


def models_in(annotation: object) -> set[type[BaseModel]]:
    found = {annotation} if isinstance(annotation, type) and issubclass(annotation, BaseModel) else set()
    return found.union(*(models_in(part) for part in get_args(annotation)))


def reachable(model: type[BaseModel]) -> set[type[BaseModel]]:
    found = {model}
    for field in model.model_fields.values():
        for inner in models_in(field.annotation):
            found |= reachable(inner)
    return found


MESSAGES = [
    model for model in vars(messages).values() if isinstance(model, type) and issubclass(model, BaseModel)
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: str(message.__name__))
def test_a_field_that_a_newer_worker_wrote_is_ignored_at_every_depth(message: type[BaseModel]) -> None:
    strict = {model.__name__ for model in reachable(message) if model.model_config.get("extra") != "ignore"}
    assert strict == set()
