"""Cancel and regenerate are refused where they make no sense, and change nothing then."""

from typing import Any

import httpx
import pytest

from tests.api.orders import LONE_SURROGATE, NO_CONTROL, text_of
from tests.api.refusals import JSON, errors_of, problem_of
from tests.stack import Stack

WRONG_CHANGES = [
    ('{"prompt": ""}', "/prompt"),
    ('{"prompt": " "}', "/prompt"),
    ('{"prompt": null}', "/prompt"),
    (f'{{"prompt": {text_of(1001)}}}', "/prompt"),
    (f'{{"prompt": {LONE_SURROGATE}}}', "/prompt"),
    ('{"prompt": 5}', "/prompt"),
    ('{"colour": "red"}', "/colour"),
    ('{"project_id": "winter"}', "/project_id"),
    ('{"provider": "nobody"}', "/provider"),
    ('{"provider": 5}', "/provider"),
    ('{"model": "gen9"}', "/model"),
    ('{"params": []}', "/params"),
    ('{"params": "fast"}', "/params"),
    ('{"params": {"speed": 2}}', "/params/speed"),
    ('{"params": {"speed": {"a": 2}}}', "/params/speed"),
    (f'{{"params": {{"speed": {"[" * 800 + "]" * 800}}}}}', "/params/speed"),
    ('{"params": {"duration_seconds": 0}}', "/params/duration_seconds"),
    ('{"params": {"duration_seconds": 31}}', "/params/duration_seconds"),
    ('{"params": {"image_id": "img_0"}}', "/params/image_id"),
    ('{"params": {"camera": {"pan": 2}}}', "/params/camera/pan"),
    ('{"params": {"camera": {"yaw": 1}}}', "/params/camera/yaw"),
    ('{"params": {"style": {}}}', "/params/style/preset"),
    ('{"if_running": "maybe"}', "/if_running"),
    ('{"if_running": null}', "/if_running"),
    ('{"if_running": true}', "/if_running"),
    ('{"params": {"duration_seconds": 31}}', "/params/duration_seconds"),
    ('{"params": {"duration_seconds": "5"}}', "/params/duration_seconds"),
    ('{"params": {"duration_seconds": 5.5}}', "/params/duration_seconds"),
    ('{"params": {"duration_seconds": true}}', "/params/duration_seconds"),
    ('{"params": {"seed": NaN}}', "/params/seed"),
    ('{"params": {"seed": 1e400}}', "/params/seed"),
    (f'{{"params": {{"seed": {LONE_SURROGATE}}}}}', "/params/seed"),
    (f'{{"params": {{"resolution": {NO_CONTROL}}}}}', "/params/resolution"),
    ('{"params": {"resolution": "100x100"}}', "/params/resolution"),
    ('{"params": {"resolution": "1280x720", "aspect_ratio": "1:1"}}', "/params"),
]


async def change(stack: Stack, generation: dict[str, Any], route: str, body: str = "{}") -> httpx.Response:
    return await stack.http.post(f"/v1/generations/{generation['id']}/{route}", content=body, headers=JSON)


@pytest.mark.parametrize(("body", "pointer"), WRONG_CHANGES)
async def test_a_take_with_a_wrong_field_is_not_made(
    api: Stack, cancelled: dict[str, Any], body: str, pointer: str
) -> None:
    assert list(errors_of(await change(api, cancelled, "regenerate", body))) == [pointer]
    assert await api.look(cancelled["id"]) == cancelled


async def test_what_a_provider_does_not_make_is_refused_with_what_it_makes(
    api: Stack, cancelled: dict[str, Any]
) -> None:
    body = '{"provider": "runway", "params": {"duration_seconds": 11}}'
    error = errors_of(await change(api, cancelled, "regenerate", body))["/params/duration_seconds"]
    assert (error["allowed"], error["served_by"]) == (list(range(2, 11)), ["seedance"])


async def test_a_lone_surrogate_in_a_param_s_name_is_refused(api: Stack, cancelled: dict[str, Any]) -> None:
    assert errors_of(await change(api, cancelled, "regenerate", '{"params": {"\\ud800": 1}}'))


@pytest.mark.usefixtures("nothing_changes")
async def test_a_running_generation_is_not_regenerated(api: Stack, standing: dict[str, Any]) -> None:
    problem_of(await change(api, standing, "regenerate"), 409, "still_running")


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ('{"reason": 5}', "/reason"),
        ('{"reason": []}', "/reason"),
        (f'{{"reason": {text_of(501)}}}', "/reason"),
        (f'{{"reason": {NO_CONTROL}}}', "/reason"),
        ('{"because": "no"}', "/because"),
        ("[]", ""),
        ('"no"', ""),
    ],
)
async def test_a_cancel_with_a_wrong_field_cancels_nothing(
    api: Stack, standing: dict[str, Any], body: str, pointer: str
) -> None:
    assert list(errors_of(await change(api, standing, "cancel", body))) == [pointer]


@pytest.mark.parametrize("body", ["", "null", "{}", '{"reason": null}', '{"reason": ""}'])
async def test_a_second_cancel_is_the_same_202(api: Stack, pending: dict[str, Any], body: str) -> None:
    first = await change(api, pending, "cancel", body)
    second = await change(api, pending, "cancel", '{"reason": "once more"}')
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["outcome"] == "stopped_before_submit"
    assert first.json() == second.json()
    assert first.headers["location"] == f"/v1/generations/{pending['id']}"
    assert [event["type"] for event in await api.events(pending["id"])] == [
        "generation.accepted",
        "cancel.requested",
        "cost.changed",
        "cancel.outcome",
        "generation.cancelled",
    ]


async def test_a_finished_generation_is_not_cancelled(stack: Stack, finished: dict[str, Any]) -> None:
    document = problem_of(await change(stack, finished, "cancel"), 409, "already_over")
    assert "completed" in document["detail"]
    assert await stack.look(finished["id"]) == finished


async def test_a_take_keeps_what_is_not_mentioned_and_clears_what_is_null(api: Stack) -> None:
    ordered = await api.order(
        "A fox", params={"duration_seconds": 4, "resolution": "720x1280", "seed": 7}, project_id="winter"
    )
    await change(api, ordered, "cancel")
    answer = await change(
        api,
        ordered,
        "regenerate",
        '{"prompt": "A hare", "params": {"resolution": null, "aspect_ratio": "9:16"}}',
    )
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/generations/{ordered['id']}"
    again = answer.json()
    assert (again["status"], again["project_id"], len(again["takes"])) == ("pending", "winter", 2)
    assert again["request"]["params"] == {"duration_seconds": 4, "aspect_ratio": "9:16"}
    assert again["takes"][1]["request"]["prompt"] == "A hare"
    assert again["takes"][1]["request"]["params"]["resolution"] == "720x1280"
