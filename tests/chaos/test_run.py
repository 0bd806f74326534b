"""A small chaos run: a whole stack is used and broken at once, and its report is held against what was promised."""

import json
from pathlib import Path

import pytest

from tests.chaos.recount import recount
from tests.chaos.run import Options, run

pytestmark = pytest.mark.chaos


async def test_nothing_is_lost_and_nothing_paid_twice_while_processes_are_killed(tmp_path: Path) -> None:
    data_dir, path = tmp_path / "data", tmp_path / "report.json"
    data_dir.mkdir()
    line = await run(Options(generations=12, kills=3, seed=868, report=path, settle_seconds=60), data_dir)
    report = json.loads(path.read_text())
    assert recount(report) == line
    assert line.keeps_the_promises, line
    assert line.submitted == 12
    assert line.completed + line.failed + line.cancelled == 12
    assert {kill["part"] for kill in report["kills"]} == {"worker", "api", "temporal"}
    assert len({kill["pid"] for kill in report["kills"]}) == 3
    assert report["deaths"] == []
    assert all(order["answers"] for order in report["orders"])
    assert {job["provider"] for job in report["jobs"]} == {"runway", "seedance", "stable-video"}
