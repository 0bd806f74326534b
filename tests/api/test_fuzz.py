"""Whatever is sent, the API never breaks: no 5xx, a problem document for every 4xx, and the process lives on."""

import json
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.refusals import JSON, problem_of
from tests.stack import Stack

FUZZ = settings(
    deadline=None,
    database=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
TEXT = st.text(st.characters(exclude_categories=[]), max_size=20)
NAMES = st.sampled_from(
    [
        *(
            "prompt",
            "params",
            "provider",
            "model",
            "metadata",
            "max_cost_usd",
            "project_id",
            "user_id",
            "reason",
        ),
        *("duration_seconds", "aspect_ratio", "resolution", "image_url", "seed", "image_id", "fixed", "pan"),
        *("camera", "style", "preset", "negative_prompt", "extra", "if_running", "rating", "reasons", "take"),
    ]
)
RIGHT = st.sampled_from(["A fox", "runway", "gen4.5", "16:9", "1280x720", "720p", 5, 7, "1.00", {"a": "b"}])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | RIGHT
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | TEXT, inner, max_size=5),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=6) | VALUES
POSTS = st.sampled_from(["", "/{id}/cancel", "/{id}/regenerate", "/{id}/feedback", "/{id}/takes/1/keep"])
GETS = st.sampled_from(["", "/{id}", "/{id}/events", "/{id}/video", "/{id}/poster"])
PICTURES = settings(FUZZ, max_examples=40)
BOUNDARIES = st.sampled_from(["x", "", "y", "x" * 71, "ä", '"x"', '" "'])
PARTS = st.lists(
    st.binary(max_size=60)
    | st.sampled_from(
        [
            b"--x\r\n",
            b"--x--\r\n",
            b'Content-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n',
            b'Content-Disposition: form-data; name="file"\r\n\r\n',
            b"Content-Transfer-Encoding: base64\r\n",
            b"\x89PNG\r\n\x1a\n",
        ]
    ),
    max_size=6,
)
QUERY_NAMES = st.sampled_from(
    ["limit", "cursor", "status", "q", "project_id", "created_after", "created_before", "after", "take"]
)
QUERY_VALUES = (
    TEXT | st.integers().map(str) | st.datetimes().map(lambda moment: f"{moment.isoformat()}+23:59")
)
HEADER_NAMES = st.sampled_from(
    ["Idempotency-Key", "Last-Event-ID", "Range", "If-None-Match", "If-Range", "X-Request-Id", "Accept"]
)
HEADER_VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["Cc"]))
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])


async def lives(api: Stack, answer: httpx.Response) -> None:
    """What holds after any request."""
    assert answer.status_code < 500, answer.text
    if answer.is_client_error:
        problem_of(answer, answer.status_code, answer.json()["code"])
    assert (await api.http.get("/healthz")).status_code == 200


@FUZZ
@given(route=POSTS, value=OBJECTS)
async def test_any_json_is_answered(api: Stack, cancelled: dict[str, Any], route: str, value: object) -> None:
    path = "/v1/generations" + route.format(id=cancelled["id"])
    await lives(api, await api.http.post(path, content=json.dumps(value), headers=JSON))


@FUZZ
@given(route=POSTS, body=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
async def test_any_bytes_are_answered(api: Stack, standing: dict[str, Any], route: str, body: bytes) -> None:
    path = "/v1/generations" + route.format(id=standing["id"] + "0")
    await lives(api, await api.http.post(path, content=body, headers=JSON))


@FUZZ
@given(
    route=GETS,
    query=st.dictionaries(QUERY_NAMES | TEXT, QUERY_VALUES, max_size=3),
    headers=st.dictionaries(HEADER_NAMES, HEADER_VALUES, max_size=3),
)
async def test_any_query_and_headers_are_answered(
    api: Stack, cancelled: dict[str, Any], route: str, query: dict[str, str], headers: dict[str, str]
) -> None:
    path = "/v1/generations" + route.format(id=cancelled["id"])
    written = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in query.items())
    sent = {name.encode(): value.strip(" ").encode("latin-1") for name, value in headers.items()}
    await lives(api, await api.http.get(f"{path}?{written}", headers=sent))


@PICTURES
@given(boundary=BOUNDARIES, parts=PARTS)
async def test_any_form_is_answered(api: Stack, boundary: str, parts: list[bytes]) -> None:
    headers = {b"Content-Type": f"multipart/form-data; boundary={boundary}".encode("latin-1")}
    await lives(api, await api.http.post("/v1/images", content=b"".join(parts), headers=headers))


@FUZZ
@given(method=METHODS, parts=st.lists(TEXT | st.sampled_from(["v1", "generations", "events"]), max_size=4))
async def test_any_path_is_answered(api: Stack, method: str, parts: list[str]) -> None:
    path = "/" + "/".join(_quoted(part) for part in parts)
    await lives(api, await api.http.request(method, f"{api.api_url}{path}"))


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="").replace(".", "%2E")
