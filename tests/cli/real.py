"""The `videoplanet` command as a process of its own, against a real stack."""

import asyncio
import json
import sys
from dataclasses import dataclass
from typing import Any

from tests.stack import ROOT, Stack


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    output: str
    notes: str

    @property
    def document(self) -> Any:  # noqa: ANN401 - whatever the JSON is
        """What `--json` printed."""
        assert self.code == 0, self.notes
        return json.loads(self.output)


async def videoplanet(stack: Stack, *arguments: str, typed: str | None = None) -> Ended:
    """Run a command to its end; `typed` is what its standard input says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", *arguments,
        cwd=ROOT,
        env=stack.environment | {"VIDEOPLANET_URL": stack.api_url},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, notes = await asyncio.wait_for(process.communicate((typed or "").encode()), 90)
    assert process.returncode is not None
    assert "Traceback" not in notes.decode()
    return Ended(process.returncode, output.decode(), notes.decode())
