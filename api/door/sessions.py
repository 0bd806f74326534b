"""Logging in with a browser: a link that works once becomes a cookie that no script can read.

The link shows a page that sends its token by POST: whoever merely looks at an address, as mail programs and chats do,
does not use it up.
"""

import html
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import AwareDatetime, BaseModel, Field

from api.door import origins
from api.door.auth import cookie_of, cross_site
from api.door.scopes import needs
from api.door.tickets import base_url
from api.problems import Problem
from api.service import Here, Service, now
from domain.people.callers import Scope, Via
from domain.people.keys import LIFETIME, Pass, PassKind, new_token
from storage.people import passes

router = APIRouter()

_PAGE = files("api").joinpath("static", "login.html").read_text(encoding="utf-8")
_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
_TOKEN_MAX = 200

Token = Annotated[str, Form(max_length=_TOKEN_MAX)]


class LoginLinkOut(BaseModel):
    """A link that logs one browser in, once."""

    url: str = Field(examples=["http://127.0.0.1:8000/login?token=vpl_..."])
    expires_at: AwareDatetime


@router.post(
    "/v1/login-links", status_code=201, response_model=LoginLinkOut, tags=["keys"], summary="Let a browser in"
)
@needs(Scope.READ)
async def create_link(service: Here, request: Request) -> JSONResponse:
    """Make a link that logs one browser in, with what your key may do; it works once, within an hour."""
    caller = service.caller
    if caller.via is not Via.KEY or caller.key_id is None:
        detail = "A login link is made with a key; in a house without keys nobody needs one."
        raise Problem("missing_scope", detail)
    token, moment = new_token(PassKind.LOGIN), now()
    made = Pass(
        kind=PassKind.LOGIN,
        key_id=caller.key_id,
        tenant_id=caller.tenant_id,
        user_id=caller.user_id,
        scopes=caller.scopes,
        created_at=moment,
        expires_at=moment + LIFETIME[PassKind.LOGIN],
    )
    async with service.database.write() as connection:
        await passes.add(connection, service.doorkeeper.sealed(token), made)
    answer = LoginLinkOut(url=f"{base_url(service, request)}/login?token={token}", expires_at=made.expires_at)
    return JSONResponse(
        answer.model_dump(mode="json"), status_code=201, headers={"Cache-Control": "no-store"}
    )


@router.api_route("/login", methods=["GET", "HEAD"], include_in_schema=False)
async def login_page(token: str = "") -> HTMLResponse:
    """Show the page that logs in; it uses nothing up."""
    return _page(token=token[:_TOKEN_MAX])


@router.post("/login", include_in_schema=False)
async def login(service: Here, request: Request, token: Token = "") -> Response:
    """Use a login link: answer with the session's cookie, and lead to the Studio."""
    if origins.is_foreign(request.headers, ()):
        raise cross_site()
    try:
        link = await service.doorkeeper.use_up(token)
    except Problem as problem:
        return _page(said=problem.detail, status_code=401)
    session, moment = new_token(PassKind.SESSION), now()
    lifetime = LIFETIME[PassKind.SESSION]
    made = link.model_copy(
        update={"kind": PassKind.SESSION, "created_at": moment, "expires_at": moment + lifetime}
    )
    async with service.database.write() as connection:
        await passes.add(connection, service.doorkeeper.sealed(session), made)
    answer = RedirectResponse("/", status_code=303, headers=_PRIVATE)
    answer.set_cookie(
        cookie_of(service.doorkeeper.seal),
        session,
        max_age=int(lifetime.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=_is_encrypted(service, request),
    )
    return answer


@router.post("/logout", include_in_schema=False)
async def logout(service: Here, request: Request) -> Response:
    """End the session, and lead to the page that says how to log in again."""
    if origins.is_foreign(request.headers, ()):
        raise cross_site()
    name = cookie_of(service.doorkeeper.seal)
    token = request.cookies.get(name)
    if token is not None:
        async with service.database.write() as connection:
            await passes.remove(connection, service.doorkeeper.sealed(token))
        service.doorkeeper.forget()
    answer = RedirectResponse("/login", status_code=303, headers=_PRIVATE)
    answer.delete_cookie(name, httponly=True, samesite="strict", secure=_is_encrypted(service, request))
    return answer


def _is_encrypted(service: Service, request: Request) -> bool:
    public = service.settings.public_url
    return request.url.scheme == "https" if public is None else public.startswith("https://")


def _page(*, token: str = "", said: str = "", status_code: int = 200) -> HTMLResponse:
    text = _PAGE.replace("{token}", html.escape(token)).replace("{said}", html.escape(said))
    return HTMLResponse(text, status_code=status_code, headers=_PRIVATE)
