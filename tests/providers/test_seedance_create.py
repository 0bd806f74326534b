"""What is sent to create a Seedance task, field by field."""

import base64
from typing import Any

import pytest

from domain.attempts.outcomes import Accepted
from providers.seedance.account import create_body, is_in_china
from tests.providers.orders import REFERENCE
from tests.providers.raw import answers, raw_server
from tests.providers.seedance_orders import (
    KEY,
    PATH,
    PRO,
    PRO_15,
    SEED,
    TWO,
    TWO_AND_A_HALF,
    a_seedance_order,
    seedance_at,
    sent,
)

PICTURE = b"\xff\xd8\xff\xe0 a picture \xff\xd9"


async def test_the_request_on_the_wire() -> None:
    async with raw_server(answers(200, {"id": "cgt-1"})) as server, seedance_at(server.url) as seedance:
        assert await sent(seedance) == Accepted(job_id="cgt-1")
    line, *lines = server.head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
    assert line == f"POST {PATH} HTTP/1.1"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["content-type"] == "application/json"
    assert headers["idempotency-key"] == REFERENCE
    assert headers["user-agent"].startswith("VideoPlanet/")
    assert server.body == {
        "model": PRO,
        "content": [{"type": "text", "text": "A red fox runs over fresh snow"}],
        "resolution": "720p",
        "ratio": "16:9",
        "duration": 5,
        "seed": SEED,
        "watermark": False,
        "safety_identifier": REFERENCE,
    }


async def test_a_picture_on_the_wire_is_the_first_frame() -> None:
    async with raw_server(answers(200, {"id": "cgt-1"})) as server, seedance_at(server.url) as seedance:
        await sent(seedance, picture=PICTURE, model=TWO)
    assert isinstance(server.body, dict)
    url = f"data:image/jpeg;base64,{base64.b64encode(PICTURE).decode()}"
    assert server.body["content"] == [
        {"type": "text", "text": "A red fox runs over fresh snow"},
        {"type": "image_url", "image_url": {"url": url}, "role": "first_frame"},
    ]
    assert server.body["ratio"] == "16:9"


@pytest.mark.parametrize("base_url", ["{}/", "{}/api/v3", "{}/api/v3/"])
async def test_the_path_is_right_however_the_address_ends(base_url: str) -> None:
    async with (
        raw_server(answers(200, {"id": "t"})) as server,
        seedance_at(base_url.format(server.url)) as seedance,
    ):
        await sent(seedance)
    assert server.head.startswith(f"POST {PATH} HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("model", "with_picture", "has_ratio"),
    [(TWO_AND_A_HALF, True, False), (TWO_AND_A_HALF, False, True), (PRO, True, True), (TWO, True, True)],
)
def test_only_one_model_takes_no_ratio_beside_a_picture(
    model: str, with_picture: bool, has_ratio: bool
) -> None:
    body = create_body(a_seedance_order(model=model, picture=PICTURE if with_picture else None))
    assert ("ratio" in body) is has_ratio


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"camera_fixed": True}, {"camera_fixed": True}),
        ({"camera_fixed": False}, {"camera_fixed": False}),
        ({"options": {"watermark": True}}, {"watermark": True}),
        ({"options": {"watermark": False}}, {"watermark": False}),
        ({"options": {"generate_audio": False}, "model": PRO_15}, {"generate_audio": False}),
        ({"options": {"generate_audio": True}, "model": PRO_15}, {"generate_audio": True}),
        ({"seed": 0}, {"seed": 0}),
        ({"duration_seconds": 12}, {"duration": 12}),
        ({"resolution": "1080p", "aspect_ratio": "9:16"}, {"resolution": "1080p", "ratio": "9:16"}),
    ],
)
def test_each_wish_has_its_field(changes: dict[str, Any], fields: dict[str, object]) -> None:
    body = create_body(a_seedance_order(**changes))
    assert {name: body[name] for name in fields} == fields


@pytest.mark.parametrize("model", [PRO, PRO_15, TWO, TWO_AND_A_HALF])
def test_what_nobody_asked_for_is_left_out(model: str) -> None:
    body = create_body(a_seedance_order(model=model, resolution=None, aspect_ratio=None))
    assert set(body) == {"model", "content", "duration", "seed", "watermark", "safety_identifier"}
    assert None not in body.values()


@pytest.mark.parametrize(
    ("model", "in_china"),
    [
        (PRO, "doubao-seedance-1-0-pro-250528"),
        (PRO_15, "doubao-seedance-1-5-pro-251215"),
        (TWO, "doubao-seedance-2-0-260128"),
        (TWO_AND_A_HALF, "doubao-seedance-2-5-260628"),
    ],
)
def test_models_have_other_names_in_china(model: str, in_china: str) -> None:
    assert create_body(a_seedance_order(model=model), in_china=True)["model"] == in_china
    assert create_body(a_seedance_order(model=model))["model"] == model


@pytest.mark.parametrize(
    ("base_url", "in_china"),
    [
        *(("https://ark.cn-beijing.volces.com", True), ("https://volces.com:443/x", True)),
        *(("https://ark.ap-southeast.bytepluses.com", False), ("http://127.0.0.1:9/volces.com", False)),
        *(("https://notvolces.com", False), ("https://volces.com.example.com", False), ("", False)),
    ],
)
def test_china_is_where_its_host_is(base_url: str, in_china: bool) -> None:
    assert is_in_china(base_url) is in_china


async def test_every_attempt_has_a_seed_of_its_own_unless_the_user_gave_one() -> None:
    order = a_seedance_order()
    second = type(order)(plan=order.plan, client_reference="gen_x.1.2", attempt=2)
    assert create_body(second)["seed"] not in {SEED, None}
    assert create_body(second)["safety_identifier"] == "gen_x.1.2"
    given = a_seedance_order(seed_is_given=True).plan
    assert create_body(type(order)(plan=given, client_reference="x", attempt=2))["seed"] == SEED
