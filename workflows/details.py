"""What a generation's run shows of itself in the Temporal UI: what it is doing, what it has done, how it ended."""

from temporalio import workflow
from temporalio.common import SearchAttributeKey

with workflow.unsafe.imports_passed_through():
    from domain.messages import Ending
    from domain.money import MICROS_PER_DOLLAR

_VIDEO_STATUS = SearchAttributeKey.for_keyword("VideoStatus")
_COST_USD = SearchAttributeKey.for_float("CostUsd")
_LINES_SHOWN = 20


class Details:
    """The story of one run, a line for each thing that it did."""

    def __init__(self) -> None:
        self.doing = "starting"
        self._story: list[str] = []

    @property
    def story(self) -> tuple[str, ...]:
        """All lines, the oldest first, each with its time."""
        return tuple(self._story)

    def tell(self, doing: str) -> None:
        """Show what is being done now; costs no events."""
        self.doing = doing
        self._story.append(f"{workflow.now():%H:%M:%S} {doing}")
        lines = [f"**{doing}**", "", *(f"- {line}" for line in self._story[-_LINES_SHOWN:])]
        workflow.set_current_details("\n".join(lines))

    def end(self, ending: Ending) -> None:
        """Let the run be found by how it ended; costs an event, so it is done once."""
        cost = (ending.cost.settled + ending.cost.at_risk) / MICROS_PER_DOLLAR
        workflow.upsert_search_attributes([_VIDEO_STATUS.value_set(ending.status), _COST_USD.value_set(cost)])
