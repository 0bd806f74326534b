"""Saved histories of every path replay: an incompatible change to the workflow cannot land unnoticed."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.workflows.record import HISTORIES
from tests.workflows.scenarios import OWN, SHARED
from worker import RUNNER
from workflows.generation import GenerationWorkflow

SAVED = sorted(HISTORIES.glob("*.json"))
OF_OLDER_CODE = {"unknown_before_look_up"}
"""Paths that today's code only walks to the end where a run has begun them."""


@pytest.mark.parametrize("path", SAVED, ids=lambda path: path.stem)
async def test_a_saved_history_replays(path: Path) -> None:
    replayer = Replayer(
        workflows=[GenerationWorkflow], workflow_runner=RUNNER, data_converter=pydantic_data_converter
    )
    history = WorkflowHistory.from_json("gen_replayed", path.read_text())
    await replayer.replay_workflow(history)


def test_every_path_has_a_saved_history() -> None:
    paths = {scenario.__name__ for scenario in SHARED} | {scenario.__name__ for scenario, _ in OWN}
    assert {path.stem for path in SAVED} == paths | OF_OLDER_CODE
