"""Whatever ends up in a workflow's history can be read by a worker of another version."""

from typing import get_args

import pytest
from pydantic import BaseModel

from domain import messages
from tests.factories import an_order


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


def test_a_job_is_what_its_order_was() -> None:
    order = an_order(take=2, attempt=3)
    job = messages.Job.of(order, "task-1", 17)
    assert (job.generation_id, job.take, job.attempt, job.ref) == (
        order.generation_id,
        2,
        3,
        order.attempt.ref,
    )
    assert (job.mode, job.account, job.plan) == (order.mode, "runway", order.plan)
    assert (job.job_id, job.deadline_micros) == ("task-1", 17)


def test_what_two_parts_of_a_round_did_adds_up() -> None:
    numbers = {
        name: number
        for number, (name, field) in enumerate(messages.Reconciled.model_fields.items(), start=1)
        if field.annotation is int
    }
    one = messages.Reconciled(**numbers, skipped=("a",))
    two = messages.Reconciled(**{name: 100 * number for name, number in numbers.items()}, skipped=("b",))
    both = one + two
    assert {name: getattr(both, name) for name in numbers} == {name: 101 * n for name, n in numbers.items()}
    assert both.skipped == ("a", "b")
