"""OWASP API8:2023, security misconfiguration: what is not said is closed, and errors tell nothing of the inside."""

import asyncio
import re
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.problems import CODES
from tests.api.refusals import JSON, problem_of
from tests.line_up import a_picture
from tests.security.doors import bearer
from tests.security.town import Hers, Town, another_api
from tests.stack import ROOT, Stack

ALLOWED, FOREIGN = "https://studio.example.com", "https://evil.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
INNER = re.compile(
    r"Traceback|File \"|\.py\b|sqlalchemy|sqlite|SELECT |/usr/|/home/|site-packages|RuntimeError",
    re.IGNORECASE,
)
"""What would tell how the service is made, or where it lies."""


@pytest.fixture(scope="module")
async def shared(town: Town) -> AsyncIterator[Stack]:
    """An API process that pages of another origin may call."""
    async with another_api(town, "api-cors", VIDEOPLANET_CORS_ORIGINS=ALLOWED) as other:
        yield other


async def test_every_answer_tells_browsers_to_do_nothing_with_it(town: Town, hers: Hers) -> None:
    for method, path, _ in await town.operations():
        for person in (town.nobody, town.stranger):
            headers = (await person.request(method, hers.fill(path))).headers
            assert headers["x-content-type-options"] == "nosniff", path
            assert headers["x-frame-options"] == "DENY", path
            assert headers["content-security-policy"].startswith("default-src 'none'"), path
            assert headers["cross-origin-resource-policy"] == "same-origin", path
            assert "server" not in headers, path
            if path.startswith("/v1/"):
                assert headers["cache-control"] == "no-store", path


async def test_no_other_origin_may_read_unless_it_is_named(town: Town, shared: Stack) -> None:
    key = bearer(town.keys["ann"])
    for http, origin, is_allowed in (
        (town.nobody, ALLOWED, False),
        (town.nobody, FOREIGN, False),
        (shared.http, ALLOWED, True),
        (shared.http, FOREIGN, False),
        (shared.http, "null", False),
        (shared.http, f"{ALLOWED}.evil.example", False),
        (shared.http, ALLOWED.replace("https", "http"), False),
    ):
        asked = await http.options("/v1/generations", headers=PREFLIGHT | {"Origin": origin})
        read = await http.get("/v1/generations", headers=key | {"Origin": origin})
        for answer in (asked, read):
            told = answer.headers.get("access-control-allow-origin")
            assert told == (origin if is_allowed else None), (origin, answer.request.method)
            assert "access-control-allow-credentials" not in answer.headers, "cookies are for our own pages"


async def test_other_methods_are_refused_everywhere(town: Town, hers: Hers) -> None:
    known: dict[str, set[str]] = {}
    for method, path, _ in await town.operations():
        known.setdefault(path, set()).add(method)
    for path, methods in known.items():
        for method in ("PUT", "PATCH", "TRACE", "OPTIONS", "PROPFIND"):
            answer = await town.admin.request(method, hers.fill(path))
            problem_of(answer, 405, "method_not_allowed")
            assert methods <= set(answer.headers["allow"].split(", ")), path


async def test_what_breaks_inside_is_told_without_the_inside(town: Town) -> None:
    uploaded = (await town.ann.post("/v1/images", files={"file": ("a.png", a_picture(640, 400))})).json()
    [stored] = list((town.stack.data_dir / "assets").rglob(f"{uploaded['sha256']}*"))
    await asyncio.to_thread(stored.unlink)
    answer = await town.ann.get(f"/v1/images/{uploaded['id']}/file")
    document = problem_of(answer, 500, "internal")
    assert not INNER.search(answer.text)
    assert str(town.stack.data_dir) not in answer.text
    log = (town.stack.data_dir / "api.log").read_text()
    assert document["request_id"] in log, "the log says what, under the id that the answer shows"


async def test_refusals_tell_nothing_of_the_inside(town: Town, hers: Hers) -> None:
    for method, path, _ in await town.operations():
        for content in (b"{", b"\xff\xfe", b'{"a": 1e999}', b"[" * 5000, b"null"):
            answer = await town.admin.request(method, hers.fill(path), content=content, headers=JSON)
            assert not INNER.search(answer.text), (method, path, answer.text[:500])
            if answer.is_error:
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["code"] in CODES
                assert answer.status_code < 500, (method, path, answer.text)


async def test_a_request_id_cannot_carry_anything(town: Town) -> None:
    for given in ("<script>", "a b", "x" * 65, "a;b", "${jndi:ldap://evil}"):
        answer = await town.nobody.get("/healthz", headers={"X-Request-Id": given})
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])


async def test_what_is_asked_for_is_not_written_into_pages(town: Town) -> None:
    markup = "<script>alert(1)</script>"
    for path in ("/login", "/", "/docs", f"/{markup}", "/v1/generations"):
        answer = await town.nobody.get(path, params={"token": markup, "q": markup})
        assert markup not in answer.text, path


async def test_a_house_without_keys_is_not_opened_to_other_machines(tmp_path: Path) -> None:
    stack = Stack(tmp_path, {"VIDEOPLANET_API_HOST": "0.0.0.0"})  # noqa: S104 - it is refused
    await stack.migrate()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "api"),
        cwd=ROOT,
        env=stack.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(60):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await stack.close()
    assert process.returncode == 2
    assert "there is no key" in said.decode()
    assert "videoplanet keys create" in said.decode()


async def test_a_house_without_keys_answers_to_names_of_its_own_machine_only(api: Stack) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "10.0.0.1", ""):
        answer = await api.http.get("/v1/generations", headers={"Host": host})
        problem_of(answer, 403, "host_not_allowed")
    for headers in ({"Origin": FOREIGN}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await api.http.post("/v1/generations", json={"prompt": "not mine"}, headers=headers)
        problem_of(answer, 403, "cross_site")


async def test_the_deployment_s_secret_is_its_owner_s_only(town: Town) -> None:
    mode = (town.stack.data_dir / "secret.key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


async def test_pages_of_the_house_run_nothing_foreign(town: Town) -> None:
    for path in ("/", "/login", "/docs", "/redoc"):
        answer: httpx.Response = await town.nobody.get(path)
        policy = answer.headers["content-security-policy"]
        [scripts] = re.findall(r"script-src ([^;]*)", policy)
        assert "unsafe" not in scripts, path
        assert "http" not in scripts, path
        assert "frame-ancestors 'none'" in policy, path
        assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=[\"'](?:https?:)?//", answer.text), path
