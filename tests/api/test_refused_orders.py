"""An order with a wrong field is refused by the name of that field, and nothing is made of it."""

import json

import httpx
import pytest

from tests.api.orders import FOX, NOT_SERVED, REFUSED, at_runway, order_with
from tests.api.refusals import JSON, errors_of
from tests.stack import Stack


async def post(stack: Stack, body: bytes) -> httpx.Response:
    return await stack.http.post("/v1/generations", content=body, headers=JSON)


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize(("pointer", "value", "code"), REFUSED)
async def test_a_wrong_field_is_named(api: Stack, pointer: str, value: str, code: str) -> None:
    errors = errors_of(await post(api, order_with(pointer, value)))
    assert list(errors) == [pointer]
    assert errors[pointer]["code"] == code


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize(("pointer", "value", "code", "allowed"), NOT_SERVED)
async def test_what_a_provider_does_not_make_is_refused_with_what_it_makes(
    api: Stack, pointer: str, value: str, code: str, allowed: list[str | int]
) -> None:
    errors = errors_of(await post(api, at_runway(pointer, value)))
    assert (errors[pointer]["code"], errors[pointer]["allowed"]) == (code, allowed)


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize(
    ("pointer", "value", "able"),
    [
        ("/params/duration_seconds", "11", ["seedance"]),
        ("/params/resolution", '"1080p"', ["seedance"]),
        ("/params/aspect_ratio", '"1:1"', ["seedance"]),
        ("/params/duration_seconds", "1", None),
        ("/params/resolution", '"512x512"', None),
    ],
)
async def test_a_refusal_names_the_providers_that_would_serve_it(
    api: Stack, pointer: str, value: str, able: list[str] | None
) -> None:
    error = errors_of(await post(api, at_runway(pointer, value)))[pointer]
    assert error.get("served_by") == able


async def test_what_the_preferred_provider_does_not_make_goes_to_one_that_does(api: Stack) -> None:
    for pointer, value in (("/params/duration_seconds", "11"), ("/params/aspect_ratio", '"1:1"')):
        ordered = (await post(api, order_with(pointer, value))).json()
        assert (ordered["provider"], ordered["request"]["provider"]) == ("seedance", "auto")


@pytest.mark.usefixtures("nothing_changes")
async def test_two_first_frames_are_one_too_many(api: Stack) -> None:
    both = '{"image_id": "img_0", "image_url": "https://example.com/fox.png"}'
    assert errors_of(await post(api, order_with("/params", both)))["/params"]["code"] == "two_images"


@pytest.mark.usefixtures("nothing_changes")
async def test_an_order_without_a_prompt_is_refused(api: Stack) -> None:
    assert errors_of(await post(api, b"{}"))["/prompt"]["code"] == "missing"


@pytest.mark.usefixtures("nothing_changes")
async def test_a_size_that_contradicts_its_ratio_is_refused(api: Stack) -> None:
    body = order_with("/params", '{"resolution": "1280x720", "aspect_ratio": "1:1"}')
    error = errors_of(await post(api, body))["/params"]
    assert error["code"] == "size_contradiction"
    assert "1280x720 contradicts aspect_ratio 1:1" in error["message"]


@pytest.mark.usefixtures("nothing_changes")
async def test_an_order_dearer_than_its_own_limit_is_refused_with_the_price(api: Stack) -> None:
    error = errors_of(await post(api, at_runway("/max_cost_usd", '"0.59"')))["/max_cost_usd"]
    assert error["code"] == "over_max_cost"
    assert "0.60" in error["message"]


@pytest.mark.usefixtures("nothing_changes")
async def test_all_wrong_fields_are_named_at_once(api: Stack) -> None:
    body = {"prompt": "", "params": {"seed": -1, "speed": 2}, "metadata": {"a": 1}, "colour": "red"}
    errors = errors_of(await post(api, json.dumps(body).encode()))
    assert set(errors) == {"/prompt", "/params/seed", "/params/speed", "/metadata/a", "/colour"}


@pytest.mark.usefixtures("nothing_changes")
async def test_a_pointer_is_escaped_as_rfc_6901_wants_it(api: Stack) -> None:
    assert list(errors_of(await post(api, order_with("/", "1").replace(b'""', b'"a/b~c"')))) == ["/a~1b~0c"]


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize("foxes", [501, 1000])
async def test_a_prompt_that_is_long_only_by_the_model_s_own_count_is_refused_with_that_count(
    api: Stack, foxes: int
) -> None:
    error = errors_of(await post(api, at_runway("/prompt", f'"{FOX * foxes}"')))["/prompt"]
    assert error["code"] == "prompt_too_long"
    assert "1000 UTF-16 units" in error["message"]


@pytest.mark.parametrize(
    "prompt", [FOX * 500, "\N{CJK UNIFIED IDEOGRAPH-72D0}" * 1000, "x", "Zwei\nZeilen\tund"]
)
async def test_a_prompt_of_one_to_a_thousand_characters_is_taken_as_it_is(api: Stack, prompt: str) -> None:
    assert (await api.order(prompt))["request"]["prompt"] == prompt


async def test_the_last_of_two_equal_keys_counts(api: Stack) -> None:
    answer = await post(api, b'{"prompt": "the first", "prompt": "the second"}')
    assert answer.json()["request"]["prompt"] == "the second"
    assert "/prompt" in errors_of(await post(api, b'{"prompt": "the first", "prompt": ""}'))


async def test_no_refused_order_reaches_the_provider(stack: Stack) -> None:
    before = {job["job_id"] for job in await stack.jobs()}
    newest = (await stack.http.get("/v1/generations?limit=1")).json()["data"]
    wrong = [order_with(pointer, value) for pointer, value, _ in REFUSED]
    wrong += [at_runway(pointer, value) for pointer, value, _, _ in NOT_SERVED]
    for body in wrong:
        assert (await post(stack, body)).is_client_error
    assert (await stack.http.get("/v1/generations?limit=1")).json()["data"] == newest
    done = await stack.end_of((await stack.order("the one that is right"))["id"])
    new = [job for job in await stack.jobs() if job["job_id"] not in before]
    assert [job["client_reference"] for job in new] == [f"{done['id']}.1.1"]
