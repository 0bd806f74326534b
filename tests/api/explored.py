"""Schemathesis at work on a house with keys: it reads the OpenAPI document, asks, and judges every answer by it."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.people.callers import Scope
from tests.api.keyholders import new_key
from tests.line_up import uploaded
from tests.stack import ROOT, Stack

CASES = 50
"""Of each operation, at least."""

CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance", "negative_data_rejection"),
    *("unsupported_method", "allow_header_conformance", "missing_required_header", "ignored_auth"),
    *("use_after_free", "ensure_resource_availability"),
)
"""All that it knows but three: what a schema allows may still be refused in words (a provider's limits, an id that is
not there: `positive_data_acceptance`), strangers have tests of their own (`object_level_authorization`), and times on
a shared machine say nothing (`max_response_time`)."""

_CONFIG = """
hooks = "{hooks}"
continue-on-failure = true
request-timeout = 30

[headers]
{headers}

[checks]
enabled = false
{checks}

[generation]
max-examples = {examples}
deterministic = true
database = "none"

[phases.stateful]
max-steps = 8
inference.algorithms = []
generation.max-examples = {examples}

# A key that was revoked is gone as a key, and still listed: who looks at the audit can tell which it was.
[[operations]]
include-path = "/v1/keys/{{key_id}}"
checks.use_after_free.enabled = false

# The tool takes bytes that we put in place of its own for something that no schema allows.
[[operations]]
include-path = "/v1/images"
checks.negative_data_rejection.enabled = false

# What was deleted is not deleted a second time: of a few ids alone there are no {examples} cases.
[[operations]]
include-method = "DELETE"
phases.fuzzing.extra-data-sources.responses = false

{dictionaries}
"""


@dataclass
class Findings:
    """What came of a run.

    Attributes:
        cases: How many were sent, by phase and operation.
        statuses: How often each status was answered, by operation.
    """

    exit_code: int
    said: str
    cases: Counter[tuple[str, str]] = field(default_factory=Counter)
    statuses: dict[str, Counter[int]] = field(default_factory=dict)

    def assert_clean(self) -> None:
        """Nothing was found."""
        assert self.exit_code == 0, self.said


@dataclass
class Explored:
    """A stack, the key with which it is explored, and ids that lead somewhere."""

    stack: Stack
    key_id: str
    key: str
    ids: dict[str, list[str | int]]

    async def operations(self) -> dict[str, dict[str, Any]]:
        """Return what the document lists, as `GET /v1/me`, with what is said of each."""
        paths = (await self.stack.http.get("/openapi.json")).json()["paths"]
        return {
            f"{method.upper()} {path}": said
            for path, methods in paths.items()
            for method, said in methods.items()
        }

    async def explore(
        self, folder: Path, phases: Iterable[str], *options: str, accept: str = "*/*"
    ) -> Findings:
        """Run schemathesis.

        Args:
            folder: For its report.
            phases: Of `examples`, `coverage`, `fuzzing`, `stateful`.
            *options: Which operations, and more.
            accept: What the client takes.
        """
        await self._resume_everything()
        await self._bring_back_the_video()
        config, report = folder / "schemathesis.toml", folder / "report.ndjson"
        config.write_text(
            _CONFIG.format(
                hooks=Path(__file__).with_name("explorer_hooks.py"),
                headers=f'Authorization = "Bearer {self.key}"\nAccept = "{accept}"',
                checks="\n".join(f"{check}.enabled = true" for check in CHECKS),
                examples=CASES,
                dictionaries=self._dictionaries(),
            )
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
            *("run", f"{self.stack.api_url}/openapi.json", "--no-color", "--warnings", "off"),
            *("--phases", ",".join(phases)),
            *("--report", "ndjson", "--report-ndjson-path", str(report), *options),
            cwd=folder,
            env={**os.environ, "EXPLORER_KEY_ID": self.key_id, "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        found = Findings(process.returncode or 0, output.decode())
        _count(found, report)
        return found

    async def _resume_everything(self) -> None:
        """Undo the pauses of the run before."""
        for path in ("/v1/queue", *(f"/v1/providers/{account}" for account in self.ids["account"])):
            answer = await self.stack.http.post(f"{path}/resume")
            assert answer.is_success, answer.text

    async def _bring_back_the_video(self) -> None:
        """Make another where the run before has deleted the one that leads somewhere."""
        (known,) = self.ids["generation_id"]
        if (await self.stack.http.get(f"/v1/generations/{known}")).is_error:
            self.ids["generation_id"] = [await _a_video(self.stack)]

    def _dictionaries(self) -> str:
        """Have about every second id that is made up be one of ours."""
        parts = ["[parameters]"]
        parts += [f'"path.{name}" = {{ dictionary = "{name}", probability = 0.6 }}' for name in self.ids]
        parts += [
            f"[dictionaries.{name}]\nvalues = {json.dumps(values)}" for name, values in self.ids.items()
        ]
        return "\n".join(parts)


async def explored(stack: Stack) -> Explored:
    """Fill a stack with one of everything, and let only keys in."""
    key, written = await new_key(stack)
    stack.http.headers["Authorization"] = f"Bearer {written}"
    another, _ = await new_key(stack, Scope.READ)
    ids: dict[str, list[str | int]] = {
        "generation_id": [await _a_video(stack)],
        "image_id": [await uploaded(stack)],
        "key_id": [another.id],
        "account": ["runway", "seedance"],
        "number": [1],
        "attempt": [1],
    }
    return Explored(stack, key.id, written, ids)


async def _a_video(stack: Stack) -> str:
    ordered = await stack.order("A heron that many strangers ask for", allow_duplicate=True)
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    return str(done["id"])


def _count(found: Findings, report: Path) -> None:
    for line in report.read_text().splitlines() if report.exists() else ():
        scenario = json.loads(line).get("ScenarioFinished")
        if scenario is None or "cases" not in scenario["recorder"]:
            continue
        recorder = scenario["recorder"]
        for one in recorder["cases"].values():
            operation = f"{one['value']['method']} {one['value']['path']}"
            found.cases[scenario["phase"], operation] += 1
        for case_id, interaction in recorder["interactions"].items():
            answer, one = interaction.get("response"), recorder["cases"].get(case_id)
            if answer is not None and one is not None:
                operation = f"{one['value']['method']} {one['value']['path']}"
                found.statuses.setdefault(operation, Counter())[answer["status_code"]] += 1
