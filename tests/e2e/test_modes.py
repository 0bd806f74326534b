"""Sandbox and live never mix: a pretend order is never bought, and a bought one never ends on a pretend video."""

import httpx

from tests.conftest import MakeStack


async def test_what_was_ordered_in_the_sandbox_waits_while_the_service_is_live(make_stack: MakeStack) -> None:
    stack = await make_stack()
    done = await stack.end_of((await stack.order())["id"])
    await stack.kill("worker")
    waiting = await stack.order("still pretended")
    await stack.kill("api")
    live = {
        "VIDEOPLANET_MODE": "live",
        "RUNWAY_API_KEY": "pretended",
        # Were anything asked or sent, this would be where.
        "VIDEOPLANET_RUNWAY_BASE_URL": stack.sandbox_url,
    }
    before = len(await stack.jobs())
    await stack.start_part("api", **live)
    await stack.start_part("worker", **live)
    bought = await stack.order("a live one")
    assert (bought["mode"], (await stack.end_of(bought["id"]))["status"]) == ("live", "completed")
    for path in (f"{done['id']}/regenerate", f"{waiting['id']}/cancel"):
        answer = await stack.http.post(f"/v1/generations/{path}")
        assert (answer.status_code, answer.json()["code"]) == (httpx.codes.CONFLICT, "other_mode")
    assert (await stack.look(waiting["id"]))["status"] == "pending"
    assert len(await stack.jobs()) == before + 1
    await stack.kill("worker")
    await stack.kill("api")
    await stack.start_part("api")
    await stack.start_part("worker")
    assert (await stack.end_of(waiting["id"]))["status"] == "completed"
