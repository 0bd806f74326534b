"""Record the histories that the replay tests read: `python -m tests.workflows.record`.

To be run when a path is added, or after an incompatible change that was agreed on (then say so in the commit).
"""

import asyncio
import json
import re
import tempfile
from pathlib import Path

from domain.ids import is_generation_id
from tests.stack import Stack
from tests.workflows.scenarios import OWN, SHARED, Scenario

HISTORIES = Path(__file__).parent / "histories"

_PROCESS = re.compile(r"[\w:.-]+@[\w.-]+")
"""How a worker names itself, and its sticky queue: process id and host."""


async def record(stack: Stack, scenario: Scenario) -> None:
    """Walk one path and keep its history, without the name of the machine that walked it."""
    workflow_id = await scenario(stack)
    if is_generation_id(workflow_id):  # a gate never ends
        await stack.run_ends(workflow_id)
    shown = json.loads(await stack.temporal("workflow", "show", "-w", workflow_id, "-o", "json"))
    text = json.dumps(_anonymous(shown), indent=1, ensure_ascii=False)
    (HISTORIES / f"{scenario.__name__}.json").write_text(text + "\n")


def _anonymous(value: object) -> object:
    match value:
        case dict():
            return {key: _anonymous(part) for key, part in value.items()}
        case list():
            return [_anonymous(part) for part in value]
        case str():
            return _PROCESS.sub("recorded", value)
        case _:
            return value


async def main() -> None:
    """Record every path."""
    HISTORIES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "shared").mkdir()
        async with Stack(folder / "shared") as stack:
            for scenario in SHARED:
                await record(stack, scenario)
        for scenario, settings in OWN:
            own = folder / scenario.__name__
            own.mkdir()
            async with Stack(own, settings(own)) as stack:
                await record(stack, scenario)


if __name__ == "__main__":
    asyncio.run(main())
