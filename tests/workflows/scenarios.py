"""Every path that a generation's history can take: recorded once with `record`, replayed by the tests for ever."""

import signal
from collections.abc import Awaitable, Callable

from domain.names import gate_id
from failpoints import Point
from tests.eventually import eventually
from tests.line_up import SEEDANCE, STABLE_VIDEO, order_from
from tests.stack import Stack, freeze_at

Scenario = Callable[[Stack], Awaitable[str]]


async def happy(stack: Stack) -> str:
    return str((await stack.end_of((await stack.order())["id"]))["id"])


async def regenerated_by_hand_while_running(stack: Stack) -> str:
    ordered = await stack.order()
    await stack.reaches(ordered["id"], "generating")
    await stack.temporal("workflow", "signal", "-w", ordered["id"], "--name", "regenerate")
    await stack.run_ends(ordered["id"])
    return str(ordered["id"])


async def regenerated_by_hand_when_finished(stack: Stack) -> str:
    done = await stack.end_of((await stack.order())["id"])
    await stack.run_ends(done["id"])
    await stack.signal_with_start(done["id"], "regenerate")
    await stack.run_ends(done["id"])
    return str(done["id"])


async def nothing_to_do(stack: Stack) -> str:
    done = await stack.end_of((await stack.order())["id"])
    await stack.run_ends(done["id"])
    await stack.signal_with_start(done["id"], "cancel")
    await stack.run_ends(done["id"])
    return str(done["id"])


async def cancelled_while_running(stack: Stack) -> str:
    ordered = await stack.order("A fox [sandbox:stuck]")
    await stack.reaches(ordered["id"], "generating")
    await stack.http.post(f"/v1/generations/{ordered['id']}/cancel")
    return str((await stack.end_of(ordered["id"]))["id"])


async def cancelled_in_the_temporal_ui(stack: Stack) -> str:
    ordered = await stack.order("A fox [sandbox:stuck]")
    await stack.reaches(ordered["id"], "generating")
    await stack.temporal("workflow", "cancel", "-w", ordered["id"])
    return str((await stack.end_of(ordered["id"]))["id"])


async def cancelled_too_late(stack: Stack) -> str:
    await stack.fault("output", "slow", seconds=3)
    ordered = await stack.order()
    await stack.reaches(ordered["id"], "storing")
    await stack.http.post(f"/v1/generations/{ordered['id']}/cancel")
    return str((await stack.end_of(ordered["id"]))["id"])


async def drained(stack: Stack) -> str:
    await stack.fault("cancel", "status:409")
    ordered = await stack.order("A fox [sandbox:slow]")
    await stack.reaches(ordered["id"], "generating")
    await stack.http.post(f"/v1/generations/{ordered['id']}/cancel")
    await stack.end_of(ordered["id"])
    await stack.http.post(f"/v1/generations/{ordered['id']}/regenerate", json={"prompt": "A red fox"})
    await stack.run_ends(ordered["id"])
    return str(ordered["id"])


async def refused(stack: Stack) -> str:
    return str((await stack.end_of((await stack.order("A fox [sandbox:status=400]"))["id"]))["id"])


async def failed_at_the_provider(stack: Stack) -> str:
    prompt = "A fox [sandbox:fail_job=INTERNAL.BAD_OUTPUT.CODE01]"
    return str((await stack.end_of((await stack.order(prompt))["id"]))["id"])


async def unknown(stack: Stack) -> str:
    return str((await stack.end_of((await stack.order("A fox [sandbox:drop_reply]"))["id"]))["id"])


async def bad_output(stack: Stack) -> str:
    return str((await stack.end_of((await stack.order("A fox [sandbox:truncated_output=9]"))["id"]))["id"])


async def timed_out(stack: Stack) -> str:
    return str((await stack.end_of((await stack.order("A fox [sandbox:stuck]"))["id"], within=90))["id"])


async def not_reached(stack: Stack) -> str:
    await stack.kill("sandbox")
    generation_id = str((await stack.end_of((await stack.order())["id"]))["id"])
    await stack.start_part("sandbox")
    return generation_id


async def sender_lost_before_sending(stack: Stack) -> str:
    ordered = await stack.order()
    await stack.freezes("worker")
    await stack.kill("worker")
    await stack.start_part("worker")
    return str((await stack.end_of(ordered["id"]))["id"])


async def cancelled_before_sending(stack: Stack) -> str:
    ordered = await stack.order()
    await stack.freezes("worker")
    await stack.http.post(f"/v1/generations/{ordered['id']}/cancel")
    await stack.kill("worker", signal.SIGCONT)
    return str(ordered["id"])


async def found_again(stack: Stack) -> str:
    ordered = await order_from(stack, SEEDANCE, "A fox [sandbox:drop_reply]")
    return str((await stack.end_of(ordered["id"]))["id"])


async def surely_absent(stack: Stack) -> str:
    await stack.fault("create", "reset_connection", provider="seedance")
    return str((await stack.end_of((await order_from(stack, SEEDANCE))["id"]))["id"])


async def from_a_picture(stack: Stack) -> str:
    return str((await stack.end_of((await order_from(stack, STABLE_VIDEO))["id"]))["id"])


async def replaced_while_running(stack: Stack) -> str:
    ordered = await stack.order("A fox [sandbox:stuck]")
    await stack.reaches(ordered["id"], "generating")
    wish = {"prompt": "A red fox", "if_running": "replace"}
    await stack.http.post(f"/v1/generations/{ordered['id']}/regenerate", json=wish)
    return str((await stack.end_of(ordered["id"]))["id"])


async def replaced_while_it_goes_on(stack: Stack) -> str:
    await stack.fault("cancel", "status:409")
    ordered = await stack.order("A fox [sandbox:slow]")
    await stack.reaches(ordered["id"], "generating")
    wish = {"prompt": "A red fox", "if_running": "replace"}
    await stack.http.post(f"/v1/generations/{ordered['id']}/regenerate", json=wish)
    await stack.run_ends(ordered["id"])
    return str(ordered["id"])


async def fell_back(stack: Stack) -> str:
    await stack.fault("create", "status:503", times=3)
    ordered = await stack.order(fallback_providers="auto", params={"duration_seconds": 4})
    return str((await stack.end_of(ordered["id"]))["id"])


async def sent_again_at_the_callers_risk(stack: Stack) -> str:
    await stack.fault("create", "drop_reply")
    ordered = await stack.order(on_unknown_submission="resubmit")
    return str((await stack.end_of(ordered["id"]))["id"])


async def cancelled_while_waiting_for_a_turn(stack: Stack) -> str:
    await stack.order("A fox [sandbox:stuck]")
    ordered = await stack.order("A fox that waits")
    await stack.reaches(ordered["id"], "queued")
    await stack.http.post(f"/v1/generations/{ordered['id']}/cancel")
    return str(ordered["id"])


async def completed_late(stack: Stack) -> str:
    await stack.fault("cancel", "status:409", times=3)
    ordered = await stack.order("A fox [sandbox:slow]")
    failed = await stack.end_of(ordered["id"])

    async def is_completed() -> bool:
        return bool((await stack.look(failed["id"]))["status"] == "completed")

    await eventually(is_completed, within=60, what="the late video")
    return str(failed["id"])


async def gate(stack: Stack) -> str:
    await stack.end_of((await stack.order())["id"])
    return gate_id("runway")


async def gate_made_anew(stack: Stack) -> str:
    await stack.end_of((await stack.order())["id"])
    await stack.temporal("workflow", "terminate", "-w", gate_id("runway"), "--reason", "a test")
    await stack.end_of((await stack.order("the next one"))["id"])
    return gate_id("runway")


SHARED: tuple[Scenario, ...] = (
    happy,
    regenerated_by_hand_while_running,
    regenerated_by_hand_when_finished,
    nothing_to_do,
    cancelled_while_running,
    cancelled_in_the_temporal_ui,
    cancelled_too_late,
    drained,
    refused,
    failed_at_the_provider,
    unknown,
    bad_output,
    found_again,
    surely_absent,
    from_a_picture,
    replaced_while_running,
    replaced_while_it_goes_on,
    fell_back,
    sent_again_at_the_callers_risk,
    not_reached,
    gate,
)
"""These leave the stack as they found it."""

OWN: tuple[tuple[Scenario, Callable[..., dict[str, str]]], ...] = (
    (cancelled_while_waiting_for_a_turn, lambda _: {"VIDEO_QUEUE_MAX_CONCURRENT": "1"}),
    (completed_late, lambda _: {"VIDEOPLANET_JOB_SECONDS": "3"}),
    (gate_made_anew, lambda _: {"VIDEOPLANET_SPACING_SECONDS": "0.5"}),
    (timed_out, lambda _: {"VIDEOPLANET_JOB_SECONDS": "3"}),
    (cancelled_before_sending, lambda folder: freeze_at(Point.BEFORE_SEND, folder)),
    (sender_lost_before_sending, lambda folder: freeze_at(Point.BEFORE_SEND, folder)),
)
"""These need a stack of their own, with these settings."""
