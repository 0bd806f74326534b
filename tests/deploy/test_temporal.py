"""The Temporal server of the containers is told the same as the one that `videoplanet up` starts."""

import json

import yaml  # type: ignore[import-untyped]  # its types would be one more package

from runtime.temporal_server import DYNAMIC_CONFIG
from tests.stack import ROOT


def test_both_servers_run_with_the_same_settings() -> None:
    told = yaml.safe_load((ROOT / "deploy" / "temporal" / "dynamicconfig.yaml").read_text())
    here = {name: json.loads(value) for name, value in DYNAMIC_CONFIG.items()}
    assert {name: values[0]["value"] for name, values in told.items()} == here
