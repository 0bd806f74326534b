"""Saved histories of every path replay: an incompatible change to the workflow cannot land unnoticed."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from domain.names import gate_id
from tests.workflows.record import HISTORIES
from tests.workflows.scenarios import OWN, SHARED
from worker import RUNNER
from workflows.gate import ProviderGate
from workflows.generation import GenerationWorkflow

SAVED = sorted(HISTORIES.glob("*.json"))
FOUND_BY_CHAOS = {"claim_timed_out_and_played_again"}
"""Paths that only an overloaded machine walks: kept as they were found."""


@pytest.mark.parametrize("path", SAVED, ids=lambda path: path.stem)
async def test_a_saved_history_replays(path: Path) -> None:
    replayer = Replayer(
        workflows=[GenerationWorkflow, ProviderGate],
        workflow_runner=RUNNER,
        data_converter=pydantic_data_converter,
    )
    workflow_id = gate_id("runway") if path.stem.startswith("gate") else "gen_replayed"
    history = WorkflowHistory.from_json(workflow_id, path.read_text())
    await replayer.replay_workflow(history)


def test_every_path_has_a_saved_history() -> None:
    paths = {scenario.__name__ for scenario in SHARED} | {scenario.__name__ for scenario, _ in OWN}
    assert {path.stem for path in SAVED} == paths | FOUND_BY_CHAOS
