"""Ids, paths, methods, queries and headers that lead nowhere."""

from typing import Any

import pytest

from tests.api.refusals import errors_of, header, problem_of
from tests.stack import Stack

pytestmark = pytest.mark.usefixtures("nothing_changes")

NOBODYS = "gen_01m800000000000000000000zz"

ROUTES = [
    ("GET", ""),
    ("GET", "/events"),
    ("GET", "/video"),
    ("GET", "/poster"),
    ("POST", "/cancel"),
    ("POST", "/regenerate"),
    ("GET", "/workflow"),
    ("POST", "/takes/1/keep"),
    ("DELETE", "/takes/1/keep"),
    ("POST", "/feedback"),
    ("DELETE", ""),
]
UNKNOWN = [
    NOBODYS,
    NOBODYS.upper(),
    NOBODYS + "%0a",
    NOBODYS + "0",
    "gen_",
    "0",
    "%00",
    "%ff",
    "%20",
    "a" * 8_000,
    "%F0%9F%A6%8A",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%5c..%5cboot.ini",
    "gen_%25",
    "'%20OR%201=1--",
    "*",
    "null",
]


@pytest.mark.parametrize("unknown", UNKNOWN)
@pytest.mark.parametrize(("method", "route"), ROUTES)
async def test_an_unknown_id_is_404_on_every_route(api: Stack, method: str, route: str, unknown: str) -> None:
    body = {"rating": 3} if route == "/feedback" else None
    url = f"/v1/generations/{unknown}{route}"
    problem_of(await api.http.request(method, url, json=body), 404, "not_found")


@pytest.mark.parametrize("unknown", UNKNOWN)
@pytest.mark.parametrize(("method", "route"), [("GET", ""), ("GET", "/file"), ("DELETE", "")])
async def test_an_unknown_picture_is_404_on_every_route(
    api: Stack, method: str, route: str, unknown: str
) -> None:
    answer = await api.http.request(method, f"/v1/images/{unknown}{route}")
    if len(unknown) > 64:
        assert "/path/image_id" in errors_of(answer)
    else:
        problem_of(answer, 404, "not_found")


@pytest.mark.parametrize(
    "path",
    ["/v1", "/v1/generation", "/v2/generations", "/static/nothing.js", "/static/%00", "/%00", "/%ff/x"],
)
async def test_an_unknown_path_is_404(api: Stack, path: str) -> None:
    problem_of(await api.http.get(path), 404, "not_found")


@pytest.mark.parametrize("path", ["/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static//etc/passwd"])
async def test_static_files_end_at_their_folder(api: Stack, path: str) -> None:
    problem_of(await api.http.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/generations", "GET, POST"),
        ("HEAD", "/v1/generations", "GET, POST"),
        ("PUT", "/v1/generations/{id}", "DELETE, GET"),
        ("GET", "/v1/generations/{id}/takes/1/keep", "DELETE, POST"),
        ("GET", "/v1/generations/{id}/feedback", "POST"),
        ("DELETE", "/v1/generations/{id}/workflow", "GET"),
        ("GET", "/v1/images", "POST"),
        ("PUT", "/v1/images/img_0", "DELETE, GET"),
        ("DELETE", "/v1/images/img_0/file", "GET, HEAD"),
        ("GET", "/v1/generations/{id}/cancel", "POST"),
        ("PATCH", "/v1/generations/{id}/regenerate", "POST"),
        ("POST", "/v1/generations/{id}/events", "GET"),
        ("POST", "/v1/generations/{id}/video", "GET, HEAD"),
        ("DELETE", "/v1/generations/{id}/poster", "GET, HEAD"),
        ("POST", "/v1/providers", "GET"),
        ("POST", "/healthz", "GET, HEAD"),
        ("TRACE", "/readyz", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
        ("DELETE", "/static/app.js", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_405_and_says_which_would_be_right(
    api: Stack, standing: dict[str, Any], method: str, path: str, allowed: str
) -> None:
    answer = await api.http.request(method, path.format(id=standing["id"]))
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    if method != "HEAD":
        problem_of(answer, 405, "method_not_allowed")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(("limit=0", "limit"), ("limit=101", "limit"), ("limit=-1", "limit"), ("limit=ten", "limit")),
        *(("limit=", "limit"), ("limit=1.5", "limit"), ("limit=" + "9" * 5_000, "limit")),
        *(("status=running", "status"), ("status=", "status"), ("status=COMPLETED", "status")),
        *(("created_after=yesterday", "created_after"), ("created_before=", "created_before")),
        ("created_after=2026-01-01T00:00:00", "created_after"),
        ("created_after=0001-01-01T00:00:00%2B23:59", "created_after"),
        ("created_before=9999-12-31T23:59:59-23:59", "created_before"),
        ("created_before=0.5", "created_before"),
        *(("q=" + "x" * 201, "q"), ("q=%00", "q"), ("project_id=" + "x" * 129, "project_id")),
        *(("project_id=a%00", "project_id"), ("user_id=%07", "user_id"), ("provider=%00", "provider")),
        *(("order=oldest", "order"), ("Limit=5", "Limit"), ("limit[]=5", "limit[]"), ("=", "")),
        ("cursor=" + "x" * 201, "cursor"),
    ],
)
async def test_a_list_is_not_narrowed_by_what_it_does_not_know(api: Stack, query: str, field: str) -> None:
    assert f"/query/{field}" in errors_of(await api.http.get(f"/v1/generations?{query}"))


@pytest.mark.parametrize(
    "cursor", ["", "x", "%00", "%c3%a9", "Z2Vu", "gen_01k9zq3v5x7b8c9d0e1f2g3h4j", "===="]
)
async def test_a_cursor_that_is_not_ours_is_refused(api: Stack, cursor: str) -> None:
    answer = await api.http.get(f"/v1/generations?cursor={cursor}")
    assert list(errors_of(answer, code="invalid_cursor")) == ["/query/cursor"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        *(("?wait=61", "wait"), ("?wait=-1", "wait"), ("?wait=soon", "wait"), ("?wait=1.5", "wait")),
        *(("?after=-1", "after"), ("?after=x", "after"), (f"?after={2**31}", "after"), ("?after=", "after")),
        *(
            ("/events?after=-1", "after"),
            ("/events?after=1e3", "after"),
            (f"/events?after={10**30}", "after"),
        ),
        *(("/events?limit=0", "limit"), ("/events?limit=101", "limit")),
        *(("/video?take=0", "take"), ("/video?take=-1", "take"), ("/video?take=one", "take")),
        *((f"/poster?take={10**30}", "take"), ("/poster?take=", "take")),
    ],
)
async def test_a_number_out_of_range_is_named(
    api: Stack, standing: dict[str, Any], path: str, field: str
) -> None:
    assert list(errors_of(await api.http.get(f"/v1/generations/{standing['id']}{path}"))) == [
        f"/query/{field}"
    ]


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
@pytest.mark.parametrize("last", ["", "-1", "x", "1.0", "1e3", "0x1", str(2**31), "9" * 100, "\xb2", "1 2"])
async def test_an_event_id_that_is_not_ours_is_refused(
    api: Stack, standing: dict[str, Any], accept: str, last: str
) -> None:
    headers = header("Last-Event-ID", last) | header("Accept", accept)
    answer = await api.http.get(f"/v1/generations/{standing['id']}/events", headers=headers)
    assert list(errors_of(answer)) == ["/header/Last-Event-ID"]


@pytest.mark.parametrize("number", ["0", "-1", "one", "65536", "9" * 30, "%00"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_a_take_s_number_out_of_range_is_named(
    api: Stack, standing: dict[str, Any], method: str, number: str
) -> None:
    answer = await api.http.request(method, f"/v1/generations/{standing['id']}/takes/{number}/keep")
    assert list(errors_of(answer)) == ["/path/number"]


@pytest.mark.parametrize("route", ["", "/{id}/cancel", "/{id}/regenerate", "/{id}/takes/1/keep"])
@pytest.mark.parametrize("key", ["", "k" * 256, "two words", "\xe9", "a\tb"])
async def test_an_idempotency_key_is_1_to_255_visible_characters(
    api: Stack, standing: dict[str, Any], route: str, key: str
) -> None:
    answer = await api.http.post(
        "/v1/generations" + route.format(id=standing["id"]),
        json={"prompt": "A fox"},
        headers=header("Idempotency-Key", key),
    )
    assert "/header/Idempotency-Key" in errors_of(answer)
