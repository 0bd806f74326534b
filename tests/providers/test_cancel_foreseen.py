"""The preview of a cancel says of each provider what its adapter would do."""

from collections.abc import AsyncIterator

import pytest

from domain.attempts.cancel_preview import Foresight, preview
from domain.attempts.outcomes import AttemptState, CancelReply, JobState, JobStatus
from domain.generation import DeploymentMode
from domain.orders.line_up import LINE_UP
from domain.status import Stage
from providers.base import Provider
from providers.registry import SANDBOX_KEY, Access, Accounts
from tests.domain.test_cancel_preview import an_attempt, running

STAGES = {JobState.QUEUED: Stage.PROVIDER_QUEUED, JobState.RUNNING: Stage.GENERATING}
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(params=[facts.id for facts in LINE_UP])
async def account(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, Provider]]:
    name = str(request.param)
    how = Access(base_url=NOBODY, api_key=SANDBOX_KEY)
    accounts = Accounts({name: how}, mode=DeploymentMode.SANDBOX, answer_seconds=1)
    yield name, accounts.get(name, DeploymentMode.SANDBOX)
    await accounts.close()


@pytest.mark.parametrize("state", list(STAGES))
async def test_the_bill_and_the_refusal_are_as_the_adapter_has_them(
    account: tuple[str, Provider], state: JobState
) -> None:
    name, adapter = account
    seen = preview(running(STAGES[state], an_attempt(AttemptState.ACCEPTED, name)))
    if seen.outcome is Foresight.STOPPED:
        assert adapter.cancel_is_billed(JobStatus(state=state)) is seen.billed
    else:
        assert seen.outcome is Foresight.GOES_ON
        reply = await adapter.cancel("job-1", JobStatus(state=state))  # asks nobody: it knows
        assert reply is CancelReply.REFUSED
