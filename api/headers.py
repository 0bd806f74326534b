"""Headers that tell browsers how little our answers may do: no foreign scripts, no frames, no guessing of types.

What comes out of the house is either data, which may do nothing at all, or the page and its files, which work with
nothing but what this address serves. The pages of the API's description write their one script into themselves; it is
let through by its hash, and they may set styles, since that is how their libraries draw.
"""

import base64
import hashlib
import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NOBODY = "base-uri 'none'; frame-ancestors 'none'"
_DATA = f"default-src 'none'; {_NOBODY}"
_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; require-trusted-types-for 'script'; trusted-types 'none'; "
    f"{_NOBODY}"
)
# A browser shows a file that is opened by itself in a page of its own making, with styles written into it.
_FILE = f"default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; {_NOBODY}"
_DOCS = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src blob:; form-action 'self'; " + _NOBODY
)
_DOCS_PAGES = frozenset({"/docs", "/redoc", "/docs/oauth2-redirect"})
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # To our own pages, not to others: addresses may hold tickets. `no-referrer` would hide the origin of our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_HSTS = "max-age=31536000; includeSubDomains"


def protect(scope: Scope, headers: MutableHeaders, *, is_https: bool) -> None:
    """Add to an answer's headers what is missing; what a route has said itself stays.

    Args:
        scope: Of the request.
        headers: Of the answer.
        is_https: Whether the service is reached by https, so that browsers may be told to insist on it.
    """
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    kind = headers.get("content-type", "").partition(";")[0]
    headers.setdefault("Content-Security-Policy", _policy_of(kind))
    headers.setdefault("Cross-Origin-Resource-Policy", _who_may_embed(scope, kind))
    if _is_private(scope["path"]):
        headers.setdefault("Cache-Control", "no-store")
    if is_https:
        headers.setdefault("Strict-Transport-Security", _HSTS)


def _policy_of(kind: str) -> str:
    if kind == "text/html":
        return _PAGE
    return _FILE if kind.startswith(("video/", "image/")) else _DATA


def _who_may_embed(scope: Scope, kind: str) -> str:
    """A link with a ticket or a signature is made to be shown elsewhere: pictures and videos, and nothing else."""
    query = scope.get("query_string", b"")
    is_for_others = b"ticket=" in query or b"signature=" in query
    return "cross-origin" if is_for_others and kind.startswith(("video/", "image/")) else "same-origin"


def _is_private(path: str) -> bool:
    return path.startswith(("/v1/", "/log"))


class DescribedInline:
    """ASGI middleware that lets the scripts through which the pages of the API's description hold themselves."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold such a page's beginning back until its text is known, and add the policy that fits the text."""
        if scope["type"] != "http" or scope["path"] not in _DOCS_PAGES:
            await self._app(scope, receive, send)
            return
        start: Message | None = None

        async def held(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start is not None:
                beginning, start = start, None
                MutableHeaders(scope=beginning)["Content-Security-Policy"] = docs_policy(
                    message.get("body", b"")
                )
                await send(beginning)
            await send(message)

        await self._app(scope, receive, held)


def docs_policy(html: bytes) -> str:
    """Return the policy under which exactly the scripts that are written into a page may run."""
    hashes = (hashlib.sha256(script).digest() for script in _INLINE_SCRIPT.findall(html))
    return _DOCS.format(scripts=" ".join(f"'sha256-{base64.b64encode(one).decode()}'" for one in hashes))
